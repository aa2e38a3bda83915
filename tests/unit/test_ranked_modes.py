"""What every mode promises, on a small random CLIP with real labels."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import accumulate
from time import sleep

import msgspec
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ranked_kit import (
    CAPTIONS,
    LAZY,
    PROFILE,
    RoughText,
    Small,
    compose,
    engine,
    mined,
    part,
    recipe,
    scene,
    table,
    task,
    vocabulary,
)
from torch.nn.functional import normalize

from interrogator.errors import UnsupportedOptionError
from interrogator.mined import MinedVocabulary, Tag
from interrogator.profiles import ClipProfile
from interrogator.recipes import Prompt, Task
from interrogator.recipes.ranked import Ranked
from interrogator.request import silent
from interrogator.search import joined
from interrogator.types import Mode, Options, Progress, Stage
from interrogator.wording import repeats

SEARCHED = (Mode.TURBO, Mode.BEST, Mode.NEGATIVE)
WORDS = re.compile(r"\w+")
ROUNDING = 1e-5
SEEDS = range(4 if os.environ.get("THOROUGH") else 2)


@cache
def tags_by_text() -> dict[str, Tag]:
    return {label.text: tag for label, tag in zip(mined().labels, mined().tags, strict=True)}


def similarity(text: str, seed: int = 0, caption: str = CAPTIONS[0]) -> float:
    return float(engine().text.embed([text])[0] @ scene(seed, caption).image)


def fits(prompt: Prompt) -> bool:
    return engine().text.count_tokens(prompt.text) <= engine().token_limit


def assert_best_is_never_below_turbo_nor_turbo_below_the_others(
    ranked: Ranked, seed: int, style_only: bool, rounding: float = ROUNDING
) -> None:
    modes = [Mode.BEST, Mode.TURBO, Mode.CLASSIC, Mode.FAST, *([] if style_only else [Mode.CAPTION])]
    tasks = [task(seed, mode, style_only=style_only) for mode in modes]
    best, turbo, *others = (compose(ranked, one)[0].similarity for one in tasks)
    assert best >= turbo - rounding
    assert all(turbo >= other - rounding for other in others)


@pytest.mark.parametrize("profile", [PROFILE, LAZY], ids=["small pool", "large pool"])
@pytest.mark.parametrize("style_only", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_best_is_never_below_turbo_nor_turbo_below_the_others(
    seed: int, style_only: bool, profile: ClipProfile
) -> None:
    assert_best_is_never_below_turbo_nor_turbo_below_the_others(recipe(seed, profile), seed, style_only)


@pytest.mark.parametrize("profile", [PROFILE, LAZY], ids=["small pool", "large pool"])
@pytest.mark.parametrize("style_only", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_nor_where_the_numbers_of_a_search_are_not_those_of_the_texts(
    seed: int, style_only: bool, profile: ClipProfile
) -> None:
    labels, rough = vocabulary(seed), Small(RoughText(), engine().token_limit)
    ranked = Ranked(rough, labels, table(labels, rough), profile)
    assert_best_is_never_below_turbo_nor_turbo_below_the_others(ranked, seed, style_only)


@pytest.mark.parametrize("seed", SEEDS)
def test_nor_in_half_precision(seed: int) -> None:
    labels, half = vocabulary(seed), engine(0, torch.bfloat16)
    ranked = Ranked(half, labels, table(labels, half, torch.float16), LAZY)
    assert_best_is_never_below_turbo_nor_turbo_below_the_others(ranked, seed, style_only=False, rounding=2e-3)


@pytest.mark.parametrize("seed", range(3))
def test_best_goes_on_from_a_prompt_of_a_large_pool_and_finds_a_better_one(seed: int) -> None:
    turbo, best = compose(recipe(seed, LAZY), task(seed, Mode.TURBO), task(seed, Mode.BEST))
    assert best.similarity > turbo.similarity


def test_turbo_looks_at_each_phrase_once_more() -> None:
    lazily = msgspec.structs.replace(LAZY, turbo_rounds=0)
    seeds = range(6)
    before = [compose(recipe(seed, lazily), task(seed, Mode.TURBO))[0].similarity for seed in seeds]
    after = [compose(recipe(seed, LAZY), task(seed, Mode.TURBO))[0].similarity for seed in seeds]
    assert all(a >= b - ROUNDING for a, b in zip(after, before, strict=True))
    assert sum(a > b + ROUNDING for a, b in zip(after, before, strict=True)) >= 3


@pytest.mark.parametrize("mode", list(Mode))
def test_the_similarity_told_is_that_of_the_text(mode: Mode) -> None:
    (prompt,) = compose(recipe(0), task(0, mode))
    assert prompt.similarity == pytest.approx(similarity(prompt.text), abs=ROUNDING)
    for phrase in prompt.phrases:
        assert phrase.similarity == pytest.approx(similarity(phrase.text), abs=ROUNDING)


@pytest.mark.parametrize("seed", range(4))
def test_each_phrase_of_a_negative_prompt_lowers_the_similarity(seed: int) -> None:
    (negative,) = compose(recipe(seed), task(seed, Mode.NEGATIVE))
    steps = [similarity(text, seed) for text in accumulate((one.text for one in negative.phrases), joined)]
    assert steps == sorted(steps, reverse=True)
    assert len(set(steps)) == len(steps) > 1
    assert negative.caption == ""
    assert {one.group for one in negative.phrases} <= {"flavor", "negative"}


NEARLY = [step * 2e-6 for step in range(-40, 41)]
"""How much nearer an image may be to one of two labels, when labels in half precision do not tell which it is."""


def between(image: torch.Tensor, one: str, other: str) -> list[torch.Tensor]:
    """The image turned so that it is as near to the one as to the other, and a little to either side of that."""
    rows = engine().text.embed([one, other])
    apart = normalize(rows[0] - rows[1], dim=-1)
    return [normalize(image - (image @ apart) * apart + little * apart, dim=-1) for little in NEARLY]


def test_a_negative_prompt_begins_with_what_is_least_similar_of_all() -> None:
    labels = vocabulary()
    ranked = Ranked(engine(), labels, table(labels, engine(), torch.float16), PROFILE)
    asked = task(0, Mode.NEGATIVE, max_phrases=1)
    flavors = [label.text for label in labels.labels if label.group == "flavor"]
    texts = [*flavors, *(label.text for label in labels.negatives)]
    rows = engine().text.embed(texts)
    first, second = (flavors[place] for place in (rows[: len(flavors)] @ asked.scene.image).argsort()[:2].tolist())
    for image in between(asked.scene.image, first, second):
        (negative,) = compose(ranked, replace(asked, scene=replace(asked.scene, image=image)))
        own = dict(zip(texts, (rows @ image).tolist(), strict=True))
        assert own[negative.text] == pytest.approx(min(own.values()), abs=5e-7)


def test_without_a_caption_turbo_begins_with_what_is_most_similar_of_all() -> None:
    labels = part(vocabulary(), lambda label: label.group == "flavor")
    ranked = Ranked(engine(), labels, table(labels, engine(), torch.float16), PROFILE)
    asked = task(0, Mode.TURBO, "", max_phrases=1)
    texts = [label.text for label in labels.labels]
    rows = engine().text.embed(texts)
    first, second = (texts[place] for place in (rows @ asked.scene.image).argsort(descending=True)[:2].tolist())
    for image in between(asked.scene.image, first, second):
        (found,) = compose(ranked, replace(asked, scene=replace(asked.scene, image=image)))
        own = dict(zip(texts, (rows @ image).tolist(), strict=True))
        assert own[found.text] == pytest.approx(max(own.values()), abs=5e-7)


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.CAPTION])
def test_style_only_names_no_subject(mode: Mode) -> None:
    for seed in range(3):
        (prompt,) = compose(recipe(seed), task(seed, mode, style_only=True, artists=False))
        told = [one for one in prompt.phrases if one.group != "negative"]
        assert {tags_by_text()[one.text] for one in told} <= {Tag.STYLE}
        assert prompt.caption == ""
        assert joined(*(one.text for one in prompt.phrases)).replace(",", "") == prompt.text.replace(",", "")


def test_style_only_may_name_artists_where_they_are_allowed() -> None:
    groups = [Counter(one.group for one in compose(recipe(0), task(0, Mode.CLASSIC, style_only=True))[0].phrases)]
    assert groups == [{"medium": 1, "artist": 1, "movement": 1, "flavor": 3}]


def test_style_only_ranks_by_what_the_image_is_beside_its_subject() -> None:
    chosen = task(0, Mode.FAST, style_only=True, max_phrases=1)
    subject = engine().text.embed([CAPTIONS[0]])[0]
    rest = chosen.scene.image - (chosen.scene.image @ subject) * subject
    style = [label.text for label in vocabulary().labels if tags_by_text()[label.text] in (Tag.STYLE, Tag.ARTIST)]
    nearest = style[int((engine().text.embed(style) @ rest).argmax())]
    assert compose(recipe(0), chosen)[0].text == nearest


@pytest.mark.parametrize("seconds", [0.0, None])
@pytest.mark.parametrize("mode", list(Mode))
def test_past_its_time_a_search_gives_what_it_has_no_worse_than_the_caption(mode: Mode, seconds: float | None) -> None:
    (prompt,) = compose(recipe(0), task(0, mode, seconds=seconds))
    assert prompt.stopped_early == (seconds == 0.0 and mode in SEARCHED)
    assert prompt.text
    if mode in (Mode.TURBO, Mode.BEST):
        assert prompt.similarity >= similarity(CAPTIONS[0]) - ROUNDING


@pytest.mark.parametrize("mode", SEARCHED)
def test_a_search_that_is_out_of_time_gives_the_best_it_has_found(mode: Mode) -> None:
    """Time passes in its third step."""
    told: list[float] = []

    def slow(progress: Progress) -> None:
        if progress.stage is Stage.SEARCH and progress.similarity is not None:
            told.append(progress.similarity)
            if len(told) == 3:
                sleep(1.0)

    whole, hurried = (
        compose(recipe(0), replace(task(0, mode, seconds=seconds), report=report))[0]
        for seconds, report in ((None, silent), (1.0, slow))
    )
    sign = -1 if mode is Mode.NEGATIVE else 1
    assert (whole.stopped_early, hurried.stopped_early) == (False, True)
    assert len(told) <= 3
    assert hurried.similarity == pytest.approx(similarity(hurried.text), abs=ROUNDING)
    assert sign * hurried.similarity >= sign * told[-1] - ROUNDING
    assert sign * whole.similarity >= sign * hurried.similarity - ROUNDING
    assert len(told) < 3 or sign * told[-1] > sign * told[0], "it was stopped before it had found anything"


words = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
captions = st.one_of(st.just(""), st.sampled_from(CAPTIONS), st.lists(words, max_size=6).map(" ".join))
anything_asked = st.builds(
    Options,
    mode=st.sampled_from(Mode),
    style_only=st.booleans(),
    artists=st.booleans(),
    unsafe=st.booleans(),
    blocked=st.lists(st.sampled_from(["a", "painting", "ART", "inspired by", "", "(", "no"]), max_size=2).map(tuple),
    max_phrases=st.none() | st.integers(-1, 12),
    min_phrases=st.none() | st.integers(-1, 12),
    seconds=st.sampled_from([None, 0.0]),
).filter(lambda options: not (options.style_only and options.mode is Mode.CAPTION))


@settings(max_examples=60, deadline=None)
@given(options=anything_asked, caption=captions)
@example(options=Options(mode=Mode.CLASSIC, max_phrases=0), caption="")
@example(options=Options(mode=Mode.TURBO), caption="a cat, ;,")
@example(options=Options(mode=Mode.TURBO), caption=("cat, " * 60).strip())
def test_prompts_fit_and_say_nothing_twice_nor_what_is_not_allowed(options: Options, caption: str) -> None:
    seen = scene(0, " ".join(caption.split()))
    (prompt,) = compose(recipe(0), Task(scene=seen, options=options, report=silent))
    texts = [phrase.text for phrase in prompt.phrases]
    bound = PROFILE.max_phrases if options.max_phrases is None else max(options.max_phrases, 0)
    assert prompt.text
    assert fits(prompt)
    assert len(texts) <= max(bound, not prompt.caption)
    assert len({text.casefold() for text in texts}) == len(texts)
    assert not any(repeats(text, prompt.caption) for text in texts)
    assert prompt.text.startswith(prompt.caption)
    assert not prompt.caption.endswith((",", ";", " "))
    assert all(text in prompt.text for text in texts)
    tags = {tags_by_text().get(text) for text in texts}
    assert options.artists or Tag.ARTIST not in tags
    assert options.unsafe or Tag.UNSAFE not in tags
    for text in texts:
        said = WORDS.findall(text.casefold())
        assert not any(word.casefold() in said for word in options.blocked if word.isalpha())
        assert "inspired by" not in options.blocked or "inspired by" not in text


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.NEGATIVE])
def test_a_very_long_caption_is_shortened_between_two_words(mode: Mode) -> None:
    caption = ("a cat and a dog " * 200).strip()
    assert len(caption) > 3000
    (prompt,) = compose(recipe(0), task(0, mode, caption))
    assert caption.startswith(f"{prompt.caption} ")
    assert prompt.text.startswith(prompt.caption)
    assert engine().text.count_tokens(prompt.caption) == engine().token_limit
    assert fits(prompt)


@pytest.mark.parametrize("caption", ["a cat on a sofa,", "a cat ; ,", "cat , " * 60, "cats and dogs, " * 40])
def test_no_comma_follows_another_where_a_caption_ends_in_one_or_is_cut_at_one(caption: str) -> None:
    (prompt,) = compose(recipe(0), task(0, Mode.FAST, caption, max_phrases=1))
    assert prompt.caption
    assert not prompt.caption.endswith((",", ";", " "))
    assert prompt.text == joined(prompt.caption, *(phrase.text for phrase in prompt.phrases))
    assert prompt.phrases or len(caption) > 100


def test_a_long_caption_without_spaces_is_cut() -> None:
    (prompt,) = compose(recipe(0), task(0, Mode.TURBO, "一只猫在红色的沙发上" * 30))
    assert prompt.caption
    assert prompt.text.startswith(prompt.caption)
    assert fits(prompt)


@pytest.mark.parametrize("mode", list(Mode))
def test_more_labels_may_be_asked_for_than_there_are(mode: Mode) -> None:
    profile = msgspec.structs.replace(PROFILE, pool=2048, max_phrases=32)
    labels = part(vocabulary(), lambda label: label == vocabulary().labels[60])
    (prompt,) = compose(recipe(0, profile, labels), task(0, mode))
    assert prompt.text


@pytest.mark.parametrize("mode", list(Mode))
def test_where_nothing_is_left_to_add_the_caption_is_the_prompt(mode: Mode) -> None:
    empty = recipe(labels=MinedVocabulary((), (), ()))
    (prompt,) = empty.compose([task(0, mode)])
    if mode is Mode.NEGATIVE:
        assert isinstance(prompt, UnsupportedOptionError)
    else:
        assert isinstance(prompt, Prompt)
        assert (prompt.text, prompt.phrases) == (CAPTIONS[0], ())


@pytest.mark.parametrize("mode", list(Mode))
def test_where_there_is_nothing_to_say_at_all_a_sentence_tells_why(mode: Mode) -> None:
    every = tuple({word for label in (*mined().labels, *mined().negatives) for word in WORDS.findall(label.text)})
    labels = replace(vocabulary(), negatives=())
    (outcome,) = recipe(labels=labels).compose([task(0, mode, "", blocked=every)])
    assert isinstance(outcome, UnsupportedOptionError)
    assert "leave out fewer phrases" in str(outcome)


@pytest.mark.parametrize("mode", list(Mode))
def test_without_a_caption_labels_alone_make_the_prompt(mode: Mode) -> None:
    (prompt,) = compose(recipe(0), task(0, mode, ""))
    assert prompt.caption == ""
    assert prompt.phrases
    assert len(prompt.phrases) == 1 or mode is not Mode.CAPTION


def test_a_mask_of_blocked_words_knows_whole_words_alone() -> None:
    labels = part(vocabulary(), lambda label: label.group == "medium")
    word = WORDS.findall(labels.labels[0].text)[-1]
    for blocked, there in (((word.upper(),), False), ((word[:-1],), True)):
        (prompt,) = compose(recipe(labels=labels), task(0, Mode.FAST, "", blocked=blocked, max_phrases=32))
        assert (labels.labels[0].text in [one.text for one in prompt.phrases]) == there


def test_an_image_that_is_its_caption_has_a_style_too() -> None:
    """Nothing is left of it beside the subject."""
    asked = task(0, Mode.FAST, style_only=True)
    image = asked.scene.subject
    assert isinstance(image, torch.Tensor)
    (prompt,) = compose(recipe(0), replace(asked, scene=replace(asked.scene, image=image)))
    assert prompt.phrases
