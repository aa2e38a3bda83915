"""Image bytes to prompts with the real lite engine; answers are held by meaning."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from skimage import data

from interrogator.errors import CancelledError, EmptyImageError, UnsupportedOptionError
from interrogator.explain import PromptError
from interrogator.pipeline import Pipeline, Request, load_pipeline
from interrogator.request import MeasureRequest
from interrogator.types import Interrogation, Measure, Measurement, Mode, Options, Progress, Stage


@pytest.fixture(scope="module")
def pipeline(lite_embedded: None) -> Pipeline:
    return load_pipeline()


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


CAT = png(Image.fromarray(data.chelsea()))
CUP = png(Image.fromarray(data.coffee()))
BLANK = png(Image.new("RGB", (64, 64), "white"))


def answer(pipeline: Pipeline, image: bytes, mode: Mode, *, style_only: bool = False) -> Interrogation:
    (outcome,) = pipeline.run([Request(image, Options(mode=mode, style_only=style_only))])
    assert isinstance(outcome, Interrogation), outcome
    return outcome


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


@pytest.mark.parametrize("mode", [Mode.CAPTION, Mode.CLASSIC, Mode.FAST, Mode.BEST])
def test_a_cat_is_called_a_cat(pipeline: Pipeline, mode: Mode) -> None:
    assert words(answer(pipeline, CAT, mode).prompt) & {"cat", "feline", "tabby", "kitten"}


def test_best_is_never_less_similar_than_the_others(pipeline: Pipeline) -> None:
    for image in (CAT, CUP, BLANK):
        best = answer(pipeline, image, Mode.BEST).similarity
        for mode in (Mode.CAPTION, Mode.CLASSIC, Mode.FAST):
            assert best >= answer(pipeline, image, mode).similarity - 1e-6


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("image", [CAT, CUP, BLANK], ids=["cat", "cup", "blank"])
def test_prompts_are_never_empty_fit_and_say_nothing_twice(pipeline: Pipeline, image: bytes, mode: Mode) -> None:
    found = answer(pipeline, image, mode)
    parts = found.prompt.casefold().split(", ")
    assert found.prompt
    assert len(set(parts)) == len(parts)
    assert pipeline.engine.text.count_tokens(found.prompt) <= pipeline.engine.token_limit
    assert all(phrase.text in found.prompt for phrase in found.phrases)


@pytest.mark.parametrize("mode", [Mode.CLASSIC, Mode.FAST, Mode.BEST])
def test_style_only_names_no_subject_and_uses_style_labels(pipeline: Pipeline, mode: Mode) -> None:
    found = answer(pipeline, CAT, mode, style_only=True)
    assert not words(found.prompt) & {"cat", "tabby", "kitten"}
    assert {phrase.group for phrase in found.phrases}.isdisjoint({"theme", "setting", "detail"})


@pytest.mark.parametrize("image", [CAT, CUP], ids=["cat", "cup"])
def test_a_negative_prompt_says_more_than_a_few_words_and_nothing_of_the_subject(
    pipeline: Pipeline, image: bytes
) -> None:
    found = answer(pipeline, image, Mode.NEGATIVE)
    assert len(found.phrases) >= 5
    assert not words(found.prompt) & {"cat", "feline", "fur", "coffee", "espresso", "cup", "drink"}


def test_best_says_more_than_the_caption(pipeline: Pipeline) -> None:
    for image in (CAT, CUP):
        assert len(answer(pipeline, image, Mode.BEST).phrases) >= 5


@pytest.mark.parametrize("mode", list(Mode))
def test_of_a_blank_picture_nothing_is_claimed_but_what_the_pixels_show(pipeline: Pipeline, mode: Mode) -> None:
    groups = {phrase.group for phrase in answer(pipeline, BLANK, mode).phrases}
    assert groups <= {"palette", "light", "contrast", "composition", "negatives", "opposite"}


def test_a_batch_has_one_outcome_a_request_in_order(pipeline: Pipeline) -> None:
    def cancel(_: Progress) -> None:
        raise CancelledError("stopped")

    outcomes = pipeline.run(
        [
            Request(CAT),
            Request(b""),
            Request(CUP, report=cancel),
            Request(CAT, Options(mode=Mode.CAPTION, style_only=True)),
            Request(CAT, Options(profile="sdxl")),
            Request(CUP),
        ]
    )
    kinds = [
        Interrogation,
        EmptyImageError,
        CancelledError,
        UnsupportedOptionError,
        UnsupportedOptionError,
        Interrogation,
    ]
    assert [type(outcome) for outcome in outcomes] == kinds
    assert outcomes[0].sha256 != outcomes[-1].sha256
    assert "lite" in str(outcomes[4])


def test_an_answer_does_not_hang_on_its_company(pipeline: Pipeline) -> None:
    alone = answer(pipeline, CAT, Mode.FAST)
    together = pipeline.run([Request(CUP), Request(CAT, Options(mode=Mode.FAST))])[1]
    assert (alone.prompt, alone.caption) == (together.prompt, together.caption)


@pytest.mark.parametrize("stage", [Stage.READ, Stage.CAPTION, Stage.EMBED, Stage.RANK, Stage.SEARCH])
def test_a_job_can_be_stopped_at_every_stage(pipeline: Pipeline, stage: Stage) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage is stage:
            raise CancelledError("stopped")

    (outcome,) = pipeline.run([Request(CAT, Options(mode=Mode.BEST), stop)])
    assert isinstance(outcome, CancelledError)


def test_no_requests_no_outcomes(pipeline: Pipeline) -> None:
    assert pipeline.run([]) == []


@pytest.mark.parametrize("mode", list(Mode))
def test_a_prompt_is_measured_as_it_was_found(pipeline: Pipeline, mode: Mode) -> None:
    found = answer(pipeline, CAT, mode)
    request = MeasureRequest(CAT, Options(mode=mode), measure=Measure(prompts=(found.prompt,)))
    (measured,) = pipeline.measure([request])
    assert isinstance(measured, Measurement), measured
    (explanation,) = measured.explanations
    assert explanation.similarity == pytest.approx(found.similarity, abs=1e-5)
    assert ", ".join(phrase.text for phrase in explanation.phrases) == found.prompt
    assert explanation.left_out == ()


def test_what_belongs_to_the_picture_contributes_and_what_does_not_does_harm(pipeline: Pipeline) -> None:
    request = MeasureRequest(CAT, Options(), measure=Measure(prompts=("a cat, whiskers, a spaceship",)))
    (measured,) = pipeline.measure([request])
    assert isinstance(measured, Measurement)
    cat, _, spaceship = measured.explanations[0].phrases
    assert cat.contribution > 0 > spaceship.contribution


def test_phrases_past_what_is_read_are_left_out_of_the_measure(pipeline: Pipeline) -> None:
    long = ", ".join(f"thing number {number}" for number in range(2000))
    request = MeasureRequest(CAT, Options(), measure=Measure(prompts=(long,)))
    (measured,) = pipeline.measure([request])
    assert isinstance(measured, Measurement)
    explanation = measured.explanations[0]
    assert 10 < len(explanation.phrases) < 75
    assert len(explanation.phrases) + len(explanation.left_out) == 2000


def test_nearest_phrases_are_by_group_and_none_is_blocked(pipeline: Pipeline) -> None:
    def groups(*blocked: str) -> dict[str, list[tuple[str, float]]]:
        options = Options(blocked=blocked)
        (measured,) = pipeline.measure([MeasureRequest(CAT, options, measure=Measure(top=4))])
        assert isinstance(measured, Measurement)
        return {group.name: list(group.nearest) for group in measured.groups}

    found = groups()
    assert len(found) > 3
    for nearest in found.values():
        assert 0 < len(nearest) <= 4
        assert [value for _, value in nearest] == sorted((value for _, value in nearest), reverse=True)
    first = {nearest[0][0] for nearest in found.values()}
    kept = groups(*(text.upper() for text in first))
    assert not first & {text for nearest in kept.values() for text, _ in nearest}


def test_one_that_fails_fails_alone(pipeline: Pipeline) -> None:
    wanted = Measure(prompts=("a cat",))
    requests = [
        MeasureRequest(CAT, Options(), measure=wanted),
        MeasureRequest(b"", Options(), measure=wanted),
        MeasureRequest(CUP, Options(), measure=Measure(prompts=(" , ",))),
        MeasureRequest(CUP, Options(), measure=wanted),
    ]
    cat, empty, wordless, cup = pipeline.measure(requests)
    assert isinstance(cat, Measurement)
    assert isinstance(empty, EmptyImageError)
    assert isinstance(wordless, PromptError)
    assert isinstance(cup, Measurement)
    assert cat.explanations[0].similarity > cup.explanations[0].similarity


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("style_only", [False, True])
def test_no_phrase_has_a_blocked_word(pipeline: Pipeline, mode: Mode, style_only: bool) -> None:
    if mode is Mode.CAPTION and style_only:
        return
    before = answer(pipeline, CAT, mode, style_only=style_only)
    blocked = tuple(phrase.text.title() for phrase in before.phrases)
    options = Options(mode=mode, style_only=style_only, blocked=blocked)
    (after,) = pipeline.run([Request(CAT, options)])
    assert isinstance(after, Interrogation)
    assert not {phrase.text for phrase in before.phrases} & {phrase.text for phrase in after.phrases}


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode not in (Mode.CAPTION, Mode.NEGATIVE)])
@pytest.mark.parametrize("subject", ["a robot", "two boats,  at night", "fur " * 75, "\N{HIRAGANA LETTER A}" * 300])
def test_another_subject_stands_in_the_style_of_the_image(pipeline: Pipeline, mode: Mode, subject: str) -> None:
    (found,) = pipeline.run([Request(CAT, Options(mode=mode, subject=subject))])
    assert isinstance(found, Interrogation), found
    assert found.subject
    assert " ".join(subject.split()).startswith(found.subject)
    assert found.prompt.startswith(found.subject)
    assert pipeline.engine.text.count_tokens(found.prompt) <= pipeline.engine.token_limit
    assert not words(", ".join(phrase.text for phrase in found.phrases)) & {"cat", "feline", "kitten", "pet"}
    assert words(found.caption) & {"cat", "feline", "tabby", "kitten"}
    style = answer(pipeline, CAT, Mode.FAST, style_only=True)
    if mode is Mode.FAST and subject == "a robot":
        assert {phrase.text for phrase in found.phrases} & {phrase.text for phrase in style.phrases}


@pytest.mark.parametrize(
    "options",
    [
        Options(mode=Mode.CAPTION, subject="a robot"),
        Options(mode=Mode.NEGATIVE, subject="a robot"),
        Options(style_only=True, subject="a robot"),
        Options(subject="r" * 301),
        Options(subject=" , ; "),
    ],
)
def test_a_subject_without_meaning_is_refused(pipeline: Pipeline, options: Options) -> None:
    (refused,) = pipeline.run([Request(CAT, options)])
    assert isinstance(refused, UnsupportedOptionError)


@pytest.mark.parametrize("mode", [Mode.CLASSIC, Mode.FAST, Mode.TURBO, Mode.BEST])
def test_phrases_that_are_brought_along_are_used_where_they_suit(pipeline: Pipeline, mode: Mode) -> None:
    extra = ("feline calm", "a rocket engine", "a nude feline")
    (found,) = pipeline.run([Request(CAT, Options(mode=mode, extra=extra))])
    assert isinstance(found, Interrogation)
    own = {phrase.text for phrase in found.phrases if phrase.group == "own"}
    assert own == {"feline calm"} or (mode is Mode.BEST and not own)  # which finds a closer prompt without it


def test_where_everything_is_blocked_the_options_are_to_blame(pipeline: Pipeline) -> None:
    blocked = tuple(_negatives(pipeline))
    (refused,) = pipeline.run([Request(CAT, Options(mode=Mode.NEGATIVE, blocked=blocked))])
    assert isinstance(refused, UnsupportedOptionError)


def _negatives(pipeline: Pipeline) -> set[str]:
    """Every phrase that a negative prompt of this picture may have."""
    blocked: set[str] = set()
    while True:
        options = Options(mode=Mode.NEGATIVE, blocked=tuple(blocked))
        (found,) = pipeline.run([Request(CAT, options)])
        if not isinstance(found, Interrogation):
            return blocked
        blocked |= {phrase.text for phrase in found.phrases}


def test_images_that_are_measured_together_share_the_time(pipeline: Pipeline) -> None:
    wanted = Measure(prompts=("a cat, " * 20,), top=3)
    found = pipeline.measure([MeasureRequest(image, Options(), measure=wanted) for image in (CAT, CUP, BLANK)])
    assert len({one.seconds for one in found if isinstance(one, Measurement)}) == 1
