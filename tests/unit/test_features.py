"""Another mode of the same picture costs no captioning and no embedding; with a toy engine that counts."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
import torch
from PIL import Image
from toy_engine import ToyEngine

from interrogator.errors import InterrogatorError, NotFiniteError
from interrogator.features import FeatureCache
from interrogator.pipeline import Pipeline
from interrogator.recipes import Prompt, Task
from interrogator.request import Request
from interrogator.types import Interrogation, Mode, Options
from interrogator.vocabulary import Label


def picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "PNG")
    return buffer.getvalue()


RED, BLUE = picture("red"), picture("blue")


class CountingEngine(ToyEngine):
    """Counts the images that each method is given; what is black has no embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.captioned = self.embedded = self.read = 0

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        self.captioned += len(images)
        return [f"a picture of {image.getpixel((0, 0))}" for image in images]

    def embed_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        self.embedded += len(images)
        if any(image.getpixel((0, 0)) == (0, 0, 0) for image in images):
            raise NotFiniteError("no numbers")
        return self.text.embed([str(image.getpixel((0, 0))) for image in images])

    def cues(self, images: Sequence[Image.Image]) -> list[list[Label]]:
        self.read += len(images)
        return [[Label(str(image.getpixel((0, 0))), "palette", style=True)] for image in images]

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.captioned, self.read, self.embedded


class Says:
    """A recipe that says what it was given."""

    def compose(self, tasks: Sequence[Task]) -> list[Prompt | InterrogatorError]:
        return [
            Prompt(
                text=f"{task.scene.caption}, {task.scene.cues[0].text}, {task.scene.image.tolist()}",
                caption=task.scene.caption,
                phrases=(),
                similarity=0.0,
            )
            for task in tasks
        ]


def pipeline_with(features: FeatureCache | None) -> tuple[Pipeline, CountingEngine]:
    engine = CountingEngine()
    return Pipeline("lite", engine, Says(), features=features), engine


def prompts(pipeline: Pipeline, *requests: Request) -> list[str]:
    outcomes = pipeline.run(requests)
    assert all(isinstance(outcome, Interrogation) for outcome in outcomes), outcomes
    return [outcome.prompt for outcome in outcomes if isinstance(outcome, Interrogation)]


def test_another_mode_of_the_same_picture_asks_nothing_of_the_engine() -> None:
    pipeline, engine = pipeline_with(FeatureCache())
    first = prompts(pipeline, Request(RED, Options(mode=Mode.FAST)))
    assert engine.counts == (1, 1, 1)
    assert prompts(pipeline, Request(RED, Options(mode=Mode.BEST))) == first
    assert engine.counts == (1, 1, 1)


def test_in_a_batch_each_picture_is_looked_at_once_and_the_answers_are_those_without_a_cache() -> None:
    requests = [Request(RED), Request(BLUE), Request(RED, Options(mode=Mode.BEST)), Request(BLUE)]
    pipeline, engine = pipeline_with(FeatureCache())
    prompts(pipeline, Request(BLUE))
    assert prompts(pipeline, *requests) == prompts(pipeline_with(None)[0], *requests)
    assert engine.counts == (2, 2, 2)


def test_a_caption_that_was_given_is_neither_asked_for_nor_kept() -> None:
    pipeline, engine = pipeline_with(FeatureCache())
    (given,) = prompts(pipeline, Request(RED, Options(caption="a  red thing")))
    assert given.startswith("a red thing, ")
    assert engine.captioned == 0
    (own,) = prompts(pipeline, Request(RED))
    assert own.startswith("a picture of")
    assert engine.counts == (1, 1, 1)


def test_without_a_cache_nothing_is_kept() -> None:
    pipeline, engine = pipeline_with(None)
    for _ in range(2):
        prompts(pipeline, Request(RED))
    assert engine.counts == (2, 2, 2)


def test_a_picture_without_an_embedding_fails_alone_and_again() -> None:
    pipeline, engine = pipeline_with(FeatureCache())
    black = picture("black")
    for _ in range(2):
        kinds = [type(outcome) for outcome in pipeline.run([Request(RED), Request(black), Request(BLUE)])]
        assert kinds == [Interrogation, NotFiniteError, Interrogation]
    assert engine.captioned == 3


@pytest.mark.parametrize("limit", [10_000, 100_000])
def test_all_features_together_stay_within_the_bound(limit: int) -> None:
    features = FeatureCache(limit)
    pipeline, _ = pipeline_with(features)
    for shade in range(60):
        prompts(pipeline, Request(picture(f"rgb({shade}, 1, 1)")))
        held = [cache.held for cache in (features.captions, features.cues, features.embeddings)]
        assert 0 < sum(held) <= limit
