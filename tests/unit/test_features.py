"""Another mode of the same picture costs no captioning and no embedding; with a toy engine that counts."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
import torch
from PIL import Image
from toy_engine import ToyEngine

from interrogator.errors import InterrogatorError, MissingFrameError, NotFiniteError, UnsupportedOptionError
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


def test_two_frames_of_one_file_are_two_pictures() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    pipeline, engine = pipeline_with(FeatureCache())
    requests = [Request(buffer.getvalue(), Options(frame=frame)) for frame in (1, 2)]

    first, second = prompts(pipeline, *requests)

    assert first.startswith("a picture of (255, 0, 0), ")
    assert second.startswith("a picture of (0, 0, 255), ")
    assert engine.counts == (2, 2, 2)
    assert prompts(pipeline, *reversed(requests)) == [second, first]
    assert engine.counts == (2, 2, 2)


def test_an_answer_tells_which_of_how_many_frames_it_is_about() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    pipeline, _ = pipeline_with(None)
    outcomes = pipeline.run(
        [Request(buffer.getvalue(), Options(frame=frame)) for frame in (3, 1, 4, 0)] + [Request(RED)]
    )
    assert [(one.frame, one.frames) for one in outcomes if isinstance(one, Interrogation)] == [(3, 3), (1, 3), (1, 1)]
    assert [type(outcome) for outcome in outcomes[2:4]] == [MissingFrameError, UnsupportedOptionError]
