"""Image bytes to prompts with small CLIPs in the real format, through all that a CLIP profile loads."""

from __future__ import annotations

import io
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import torch
from checkpoints import save_blip, save_clip
from clip_profiles import LISTS, small_profile
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data

from interrogator.errors import CancelledError, InterrogatorError, ModelMissingError, NotFiniteError, VocabularyError
from interrogator.pipeline import Pipeline, load_pipeline
from interrogator.profiles import ClipProfile
from interrogator.request import MeasureRequest, Request
from interrogator.types import Interrogation, Measure, Measurement, Mode, Options, Progress, Stage


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


PHOTOS = [png(Image.fromarray(photo())) for photo in (data.chelsea, data.coffee, data.rocket)]
ONE_COLOUR = png(Image.new("RGB", (64, 64), "red"))
ONE_PIXEL = png(Image.new("RGB", (1, 1), "blue"))
IMAGES = {"a photo": PHOTOS[0], "one colour": ONE_COLOUR, "one pixel": ONE_PIXEL}
CAPTION = "a cat on a sofa"


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERROGATOR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def _no_network() -> object:
    """Loading and answering connect to nothing and look no name up."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def profile(folder: Path) -> ClipProfile:
    return small_profile(folder, 0)


@pytest.fixture(scope="module")
def pipeline(profile: ClipProfile) -> Pipeline:
    return load_pipeline(profile)


def options(mode: Mode = Mode.TURBO, caption: str = CAPTION, **others: object) -> Options:
    return Options(profile="small", mode=mode, caption=caption, **others)  # type: ignore[arg-type]


def answers(pipeline: Pipeline, *requests: Request) -> list[Interrogation]:
    outcomes = pipeline.run(requests)
    assert not any(isinstance(outcome, InterrogatorError) for outcome in outcomes), outcomes
    return outcomes  # type: ignore[return-value]


@pytest.mark.parametrize("caption", [CAPTION, ""], ids=["captioned", "without a captioner"])
@pytest.mark.parametrize("image", list(IMAGES))
def test_every_mode_answers_every_image(pipeline: Pipeline, image: str, caption: str) -> None:
    found = answers(pipeline, *(Request(IMAGES[image], options(mode, caption)) for mode in Mode))
    assert [one.mode for one in found] == list(Mode)
    for one in found:
        assert one.prompt
        assert one.caption == caption
        assert one.engine == pipeline.engine.name
        assert pipeline.engine.text.count_tokens(one.prompt) <= pipeline.engine.token_limit
        assert one.mode is Mode.NEGATIVE or one.prompt.startswith(caption)


def test_style_only_keeps_the_caption_beside_the_prompt(pipeline: Pipeline) -> None:
    (found,) = answers(pipeline, Request(PHOTOS[0], options(style_only=True)))
    assert found.caption == CAPTION
    assert "cat" not in found.prompt


def test_a_very_long_caption_is_shown_as_it_stands_in_the_prompt(pipeline: Pipeline) -> None:
    (found,) = answers(pipeline, Request(PHOTOS[0], options(caption="a cat and a dog " * 200)))
    assert found.prompt.startswith(found.caption)
    assert len(found.caption) < 600


def test_a_folder_of_images_is_answered_as_each_by_itself(pipeline: Pipeline) -> None:
    requests = [Request(photo, options(mode)) for mode in (Mode.TURBO, Mode.BEST) for photo in PHOTOS]
    together = answers(pipeline, *requests)
    alone = [answers(pipeline, request)[0] for request in requests]
    assert [one.prompt for one in together] == [one.prompt for one in alone]
    assert [one.similarity for one in together] == pytest.approx([one.similarity for one in alone], abs=1e-6)


def test_each_request_has_its_own_outcome(pipeline: Pipeline) -> None:
    def cancel(_: Progress) -> None:
        raise CancelledError

    outcomes = pipeline.run(
        [
            Request(PHOTOS[0], options()),
            Request(PHOTOS[1], options(), cancel),
            Request(b"no image", options()),
            Request(PHOTOS[0], Options(profile="sd1")),
            Request(PHOTOS[0], options(Mode.CAPTION, style_only=True)),
            Request(PHOTOS[2], options(seconds=0.0)),
        ]
    )
    assert [type(one).__name__ for one in outcomes] == [
        "Interrogation",
        "CancelledError",
        "UnreadableImageError",
        "UnsupportedOptionError",
        "UnsupportedOptionError",
        "Interrogation",
    ]
    assert isinstance(outcomes[-1], Interrogation)
    assert outcomes[-1].stopped_early


@pytest.mark.parametrize("stage", [Stage.READ, Stage.CAPTION, Stage.EMBED, Stage.RANK, Stage.SEARCH])
def test_a_job_can_be_stopped_at_every_stage(pipeline: Pipeline, stage: Stage) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage is stage:
            raise CancelledError

    (outcome,) = pipeline.run([Request(PHOTOS[0], options(), stop)])
    assert isinstance(outcome, CancelledError)


def test_an_error_of_the_engine_is_told_as_it_is(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoMemoryError(InterrogatorError):
        pass

    def fail(_: Sequence[Image.Image]) -> torch.Tensor:
        raise NoMemoryError("The device has too little memory.")

    monkeypatch.setattr(pipeline.engine, "embed_images", fail)
    first, second = pipeline.run([Request(PHOTOS[0], options()), Request(b"", options())])
    assert isinstance(first, NoMemoryError)
    assert "empty" in str(second)


def test_an_image_without_numbers_fails_alone(folder: Path) -> None:
    """In fp16 what this checkpoint makes of a picture is beyond all numbers, but for one of the mean colour."""
    name = str(save_clip(folder / "loud"))
    path = Path(name) / "open_clip_model.safetensors"
    weights = load_file(path)
    save_file({**weights, "visual.conv1.weight": weights["visual.conv1.weight"] * 1e6}, path)
    profile = msgspec.structs.replace(small_profile(folder, precision="fp16"), models=(name,))
    plain = png(Image.new("RGB", (32, 32), (123, 117, 104)))
    photos = [plain, PHOTOS[0], plain, b"no image"]
    first, loud, last, unreadable = load_pipeline(profile).run([Request(photo, options()) for photo in photos])
    assert isinstance(first, Interrogation)
    assert isinstance(last, Interrogation)
    assert first.prompt == last.prompt
    assert isinstance(loud, NotFiniteError)
    assert "“fp32”" in str(loud)
    assert not isinstance(unreadable, Interrogation | NotFiniteError)


def test_loading_tells_of_models_and_then_of_labels_embedded(
    profile: ClipProfile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INTERROGATOR_CACHE", str(tmp_path))
    told: list[Progress] = []
    load_pipeline(profile, told.append)
    stages = [one.stage for one in told]
    assert list(dict.fromkeys(stages)) == [Stage.LOAD, Stage.LABELS]
    labels = sum(map(len, LISTS.values())) - len(LISTS["negative"]) + len(LISTS["artist"])
    assert (told[-1].done, told[-1].total) == (labels, labels)
    told.clear()
    load_pipeline(profile, told.append)
    assert {one.stage for one in told} == {Stage.LOAD}, "the second time they come from the cache"


def test_the_captioner_speaks_where_no_caption_is_given(folder: Path) -> None:
    spoken = load_pipeline(small_profile(folder, 0, captioner=str(save_blip(folder / "blip"))))
    own, given = answers(spoken, Request(PHOTOS[0], options(caption="")), Request(PHOTOS[0], options()))
    assert own.caption
    assert own.prompt.startswith(own.caption)
    assert given.caption == CAPTION


def test_missing_weights_are_one_clear_sentence(profile: ClipProfile) -> None:
    with pytest.raises(ModelMissingError, match="interrogate fetch --model"):
        load_pipeline(msgspec.structs.replace(profile, models=("ViT-L-14/openai",)))


def test_a_list_that_cannot_be_read_is_one_clear_sentence(profile: ClipProfile, tmp_path: Path) -> None:
    (tmp_path / "flavor.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(VocabularyError, match="UTF-8"):
        load_pipeline(msgspec.structs.replace(profile, lists=str(tmp_path)))


@pytest.fixture(scope="module")
def joint(folder: Path) -> Pipeline:
    return load_pipeline(small_profile(folder, 0, 1))


@pytest.fixture(scope="module")
def other(folder: Path) -> Pipeline:
    return load_pipeline(small_profile(folder, 1))


def test_a_search_for_two_models_is_better_for_both_than_one_for_either(
    joint: Pipeline, pipeline: Pipeline, other: Pipeline
) -> None:
    images = [Request(image, options(Mode.BEST)) for image in [*PHOTOS, *IMAGES.values()]]
    both = [one.similarity for one in answers(joint, *images)]
    embedded = joint.engine.embed_images([Image.open(io.BytesIO(one.image)).convert("RGB") for one in images])
    for alone in (pipeline, other):
        texts = joint.engine.text.embed([one.prompt for one in answers(alone, *images)])
        scores = (texts * embedded).sum(-1).tolist()
        assert sum(both) > sum(scores)
        assert sum(ours >= theirs - 1e-6 for ours, theirs in zip(both, scores, strict=True)) >= len(images) - 1


def test_a_search_for_two_models_costs_what_both_cost(
    folder: Path, joint: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[tuple[str, Sequence[str]]]] = []
    fresh = [load_pipeline(small_profile(folder, *seeds)).engine.text for seeds in ((0,), (1,), (0, 1))]
    continue_all = joint.engine.text.continue_all

    def recorded(asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
        asked.append(list(asks))
        return continue_all(asks)

    monkeypatch.setattr(joint.engine.text, "continue_all", recorded)
    answers(joint, *(Request(photo, options()) for photo in PHOTOS))
    costs = []
    for text in fresh:
        before = text.tower.computed
        for asks in asked:
            text.continue_all(asks)
        costs.append(text.tower.computed - before)
    assert costs[2] == costs[0] + costs[1] > 0


def test_the_score_of_two_models_is_the_mean_of_theirs(joint: Pipeline, pipeline: Pipeline, other: Pipeline) -> None:
    image = Image.open(io.BytesIO(PHOTOS[0])).convert("RGB")
    scores = [
        float(one.engine.text.embed([CAPTION])[0] @ one.engine.embed_images([image])[0])
        for one in (joint, pipeline, other)
    ]
    assert scores[0] == pytest.approx((scores[1] + scores[2]) / 2, abs=1e-6)


def measured(pipeline: Pipeline, measure: Measure, **others: object) -> Measurement:
    (outcome,) = pipeline.measure([MeasureRequest(PHOTOS[0], options(**others), measure=measure)])  # type: ignore[arg-type]
    assert isinstance(outcome, Measurement), outcome
    return outcome


@pytest.mark.parametrize("mode", list(Mode))
def test_a_prompt_is_measured_as_it_was_found(pipeline: Pipeline, mode: Mode) -> None:
    (found,) = answers(pipeline, Request(PHOTOS[0], options(mode)))
    (explanation,) = measured(pipeline, Measure(prompts=(found.prompt,)), mode=mode).explanations
    assert explanation.similarity == pytest.approx(found.similarity, abs=1e-5)


def test_the_nearest_phrases_are_those_of_the_lists_that_are_allowed(pipeline: Pipeline) -> None:
    near = measured(pipeline, Measure(top=3))
    assert [group.name for group in near.groups] == ["medium", "artist", "movement", "trending", "flavor"]
    for group in near.groups:
        assert all(any(phrase in text for phrase in LISTS[group.name]) for text, _ in group.nearest)
        values = [value for _, value in group.nearest]
        assert len(values) == 3
        assert values == sorted(values, reverse=True)
    blocked = [text for group in near.groups for text, _ in group.nearest]
    rest = measured(pipeline, Measure(top=3), artists=False, blocked=tuple(blocked))
    assert [group.name for group in rest.groups] == ["medium", "movement", "trending", "flavor"]
    assert not {text for group in rest.groups for text, _ in group.nearest} & set(blocked)


def test_no_caption_is_made_to_measure(folder: Path) -> None:
    save_blip(folder / "blip-unused")
    captioned = load_pipeline(small_profile(folder, 0, captioner=str(folder / "blip-unused")))
    seen: list[Stage] = []
    captioned.engine.captions = lambda _images: seen.append(Stage.CAPTION)  # type: ignore[method-assign]
    assert measured(captioned, Measure(prompts=("a cat",))).explanations
    assert seen == []


@pytest.mark.parametrize("mode", [Mode.TURBO, Mode.BEST, Mode.FAST, Mode.CLASSIC])
def test_another_subject_stands_among_phrases_of_style_alone(pipeline: Pipeline, mode: Mode) -> None:
    subject, style = answers(
        pipeline,
        Request(PHOTOS[0], options(mode, subject="a robot in a garden")),
        Request(PHOTOS[0], options(Mode.FAST, style_only=True, max_phrases=50)),
    )
    assert subject.prompt.startswith("a robot in a garden, ")
    assert (subject.subject, subject.caption) == ("a robot in a garden", CAPTION)
    assert {phrase.text for phrase in subject.phrases} <= {phrase.text for phrase in style.phrases}


EXTRA = tuple(
    f"{colour} {thing}" for colour in ("teal", "rusty", "pale") for thing in ("tiles", "velvet", "glass", "smoke")
)


@pytest.mark.parametrize("mode", [Mode.TURBO, Mode.BEST, Mode.FAST])
@pytest.mark.parametrize("style_only", [False, True])
def test_phrases_that_are_brought_along_are_used_where_they_are_near(
    pipeline: Pipeline, mode: Mode, style_only: bool
) -> None:
    plain, more, fewer = answers(
        pipeline,
        Request(PHOTOS[1], options(mode, style_only=style_only)),
        Request(PHOTOS[1], options(mode, style_only=style_only, extra=(*EXTRA, "a naked tile", " "))),
        Request(PHOTOS[1], options(mode, style_only=style_only, extra=EXTRA, blocked=("TEAL", "rusty", "pale"))),
    )
    own = [phrase for phrase in more.phrases if phrase.group == "own"]
    assert own
    assert {phrase.text for phrase in own} <= set(EXTRA)
    assert fewer.prompt == plain.prompt
    if mode is Mode.FAST and not style_only:
        values = [phrase.similarity for phrase in more.phrases]
        assert values == sorted(values, reverse=True)
