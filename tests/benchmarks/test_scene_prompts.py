"""The product on pictures and models that mean something: trained CLIPs, scenes of which it is known what is true."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest

from benchmarks.scenes import Scene, folders, held_out, vocabulary
from interrogator.mined import GROUPS
from interrogator.pipeline import Pipeline, load_pipeline
from interrogator.profiles import ClipProfile
from interrogator.request import Request
from interrogator.types import Interrogation, Mode, Options

SCENES = held_out(10)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Both small CLIPs, scored together, with the phrases of the scenes."""
    lists = tmp_path_factory.mktemp("lists")
    for group in GROUPS:
        phrases = vocabulary() if group == "flavor" else ()
        (lists / f"{group}.txt").write_text("\n".join(["!", *phrases]), encoding="utf-8")
    models = tuple(map(str, folders()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERROGATOR_CACHE", str(tmp_path_factory.mktemp("cache")))
        return load_pipeline(
            ClipProfile(name="scenes", models=models, captioner="none", device="cpu", lists=str(lists))
        )


@cache
def answers(pipeline: Pipeline, mode: Mode, most: int | None = None) -> list[Interrogation]:
    requests = [Request(png(scene), Options(profile="scenes", mode=mode)) for scene in SCENES[:most]]
    found = pipeline.run(requests)
    assert all(isinstance(one, Interrogation) for one in found), found
    return [one for one in found if isinstance(one, Interrogation)]


def png(scene: Scene) -> bytes:
    buffer = io.BytesIO()
    scene.image.save(buffer, "PNG")
    return buffer.getvalue()


def share_of_true(found: list[Interrogation], most: int) -> float:
    """Of the first phrases of each prompt, those that are true of its scene."""
    said = [(scene, phrase.text) for scene, one in zip(SCENES, found, strict=True) for phrase in one.phrases[:most]]
    return sum(scene.true(text) for scene, text in said) / len(said)


def test_most_of_the_phrases_nearest_to_a_picture_are_true_of_it(pipeline: Pipeline) -> None:
    by_chance = sum(len(scene.phrases) for scene in SCENES) / len(SCENES) / len(vocabulary())
    assert by_chance < 0.2
    assert share_of_true(answers(pipeline, Mode.FAST), 3) > 0.6


def test_a_search_begins_with_what_is_true_and_is_nearer_to_the_picture(pipeline: Pipeline) -> None:
    fast, turbo = (answers(pipeline, mode) for mode in (Mode.FAST, Mode.TURBO))
    assert share_of_true(turbo, 3) > 0.6
    for nearest, quick in zip(fast, turbo, strict=True):
        assert nearest.similarity - 1e-6 <= quick.similarity
    for quick, deep in zip(turbo, answers(pipeline, Mode.BEST, 4), strict=False):
        assert quick.similarity <= deep.similarity + 1e-6


def test_a_prompt_fits_its_own_picture_better_than_others(pipeline: Pipeline) -> None:
    texts = pipeline.engine.text.embed([one.prompt for one in answers(pipeline, Mode.TURBO)])
    images = pipeline.engine.embed_images([scene.image for scene in SCENES])
    own = (texts @ images.T).argmax(0)
    assert sum(int(place) == index for index, place in enumerate(own)) >= 9


def test_a_negative_prompt_says_what_the_picture_is_not(pipeline: Pipeline) -> None:
    found = answers(pipeline, Mode.NEGATIVE)
    assert share_of_true(found, 3) < 0.1


def test_an_opened_folder_has_no_machine_in_its_answers(pipeline: Pipeline) -> None:
    assert str(Path(folders()[0]).parent) not in pipeline.engine.name
