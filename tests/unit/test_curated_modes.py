"""Prompts of every mode on a toy engine: what must hold whatever the engine and the vocabulary."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_kit import ANIMAL, PLACE, SUITS, WARM, scene, toy_kit, with_rule

from interrogator.errors import UnsupportedOptionError
from interrogator.recipes import check
from interrogator.recipes.curated.modes import compose
from interrogator.recipes.curated.ranking import study, study_for_negative
from interrogator.request import silent
from interrogator.types import Mode, Options
from interrogator.vocabulary import Label, Rule
from interrogator.wording import share_word

KIT = toy_kit()
few = settings(max_examples=40, deadline=None)
PROMPTS = [Mode.CAPTION, Mode.CLASSIC, Mode.FAST, Mode.TURBO, Mode.BEST]
shown = st.lists(st.sampled_from(["zebra", "lake", "port", "quiz", "moss", "stripes"]), min_size=1, max_size=3)
captions = st.sampled_from(["", "a zebra", "a lake"])


def prompt(mode, picture, kit=KIT, *, style_only=False):
    return compose(kit, picture, Options(mode=mode, style_only=style_only), silent)


def test_the_target_is_the_image_itself_where_no_feedback_is_asked_for() -> None:
    kit = toy_kit(feedback=0.0, cue_feedback=0.0)
    zebra = scene(kit, "zebra", caption="a zebra", cues=(WARM,))
    assert torch.allclose(study(kit, zebra).target, zebra.image)


def test_feedback_brings_phrases_of_the_kind_and_cues_nearer_and_no_others() -> None:
    zebra = scene(KIT, "zebra", caption="a zebra", cues=(WARM,))
    studied = study(KIT, zebra)
    assert studied.kind == "animal"
    nearer = KIT.table.similarities(studied.target) > KIT.table.similarities(zebra.image)
    suited = [label for label, near in zip(KIT.table.labels, nearer.tolist(), strict=True) if near]
    assert sum(SUITS[label] >= ANIMAL for label in suited) >= 6
    assert studied.score("", [WARM.text])[0] > float(KIT.engine.text.embed([WARM.text])[0] @ zebra.image)


def test_a_picture_of_no_certain_kind_is_compared_with_itself_and_its_cues() -> None:
    odd = scene(KIT, "qqqq vvvv")
    assert study(KIT, odd).kind is None
    assert torch.allclose(study(KIT, odd).target, odd.image)


@few
@given(shown, captions)
def test_the_target_has_length_one(words, caption) -> None:
    picture = scene(KIT, " ".join(words), caption=caption, cues=(WARM,))
    for studied in (study(KIT, picture), study_for_negative(KIT, picture)):
        assert float(studied.target.norm()) == pytest.approx(1, abs=1e-5)


@few
@given(shown, captions, st.booleans())
def test_best_is_never_less_similar_than_any_other(words, caption, cued) -> None:
    picture = scene(KIT, " ".join(words), caption=caption, cues=(WARM,) if cued else ())
    best = prompt(Mode.BEST, picture).similarity
    assert all(best >= prompt(mode, picture).similarity - 1e-5 for mode in PROMPTS)


@few
@given(shown, captions, st.sampled_from(PROMPTS), st.booleans())
def test_prompts_fit_are_not_empty_and_no_two_phrases_share_a_word(words, caption, mode, style_only) -> None:
    if mode is Mode.CAPTION and style_only:
        return
    found = prompt(mode, scene(KIT, " ".join(words), caption=caption, cues=(WARM,)), style_only=style_only)
    assert found.text
    assert KIT.fits(found.text)
    assert not any(share_word(one.text, other.text) for one, other in combinations(found.phrases, 2))


@few
@given(shown, captions, st.sampled_from([Mode.CLASSIC, Mode.FAST, Mode.TURBO, Mode.BEST]))
def test_style_only_says_nothing_but_style(words, caption, mode) -> None:
    found = prompt(mode, scene(KIT, " ".join(words), caption=caption), style_only=True)
    style = {label.text for label in SUITS if label.style} | {"shapes and colors"}
    assert set(found.text.split(", ")) <= style


def test_phrases_are_those_of_the_kind_alone() -> None:
    for mode in (Mode.CLASSIC, Mode.FAST, Mode.TURBO, Mode.BEST):
        texts = {phrase.text for phrase in prompt(mode, scene(KIT, "zebra", caption="a zebra")).phrases}
        assert texts
        assert texts <= {label.text for label, kinds in SUITS.items() if kinds >= ANIMAL}
    assert {label.text for label, kinds in SUITS.items() if kinds == PLACE}.isdisjoint(texts)


def test_classic_has_a_phrase_a_group_and_all_cues_in_reading_order() -> None:
    groups = [p.group for p in prompt(Mode.CLASSIC, scene(KIT, "zebra", caption="a zebra", cues=(WARM,))).phrases]
    assert groups == ["theme", "detail", "texture", "mood", "palette"]


def test_best_is_said_in_the_same_order() -> None:
    order = ["theme", "detail", "texture", "mood", "palette"]
    kit = toy_kit(feedback=3.0)
    kit = replace(kit, engine=_orderless(kit.engine))
    groups = [p.group for p in prompt(Mode.BEST, scene(kit, "zebra", caption="a zebra", cues=(WARM,)), kit).phrases]
    assert len(groups) >= 3
    assert groups == sorted(groups, key=order.index)


def test_contradictions_with_the_caption_or_a_cue_are_left_out() -> None:
    kit = with_rule(KIT, Rule(re.compile("calm|lively"), re.compile("warm")))
    found = prompt(Mode.FAST, scene(kit, "zebra", caption="a zebra", cues=(WARM,)), kit)
    assert "warm colors" in found.text
    assert not {"calm", "lively"} & set(found.text.split(", "))


@pytest.mark.parametrize("mode", [*PROMPTS])
def test_of_a_picture_of_which_nothing_is_known_only_what_is_true_of_any_is_said(mode: Mode) -> None:
    assert prompt(mode, scene(KIT, "qqqq vvvv")).text == "shapes and colors"


@pytest.mark.parametrize("mode", [*PROMPTS])
def test_of_a_picture_without_a_subject_its_cues_are_said(mode: Mode) -> None:
    assert prompt(mode, scene(KIT, "qqqq vvvv", cues=(WARM,))).text == "warm colors"


def test_an_engine_without_room_for_a_word_is_an_error_a_person_understands() -> None:
    kit = toy_kit()
    kit.engine.token_limit = 0
    with pytest.raises(UnsupportedOptionError, match="Nothing is left"):
        prompt(Mode.FAST, scene(kit, "zebra", caption="a zebra"), kit)


def test_a_caption_that_is_too_long_keeps_its_beginning() -> None:
    found = prompt(Mode.CAPTION, scene(KIT, "zebra", caption=" ".join(["zebra", *["and", "another", "one"]] * 9)))
    assert found.text.startswith("zebra and another")
    assert KIT.fits(found.text)


def test_a_caption_has_no_style_only() -> None:
    with pytest.raises(UnsupportedOptionError, match="only the subject"):
        check(Options(mode=Mode.CAPTION, style_only=True))


@few
@given(shown, captions, st.booleans())
def test_each_phrase_of_a_negative_prompt_lowers_the_similarity(words, caption, cued) -> None:
    picture = scene(KIT, " ".join(words), caption=caption, cues=(WARM,) if cued else ())
    found = prompt(Mode.NEGATIVE, picture)
    texts = found.text.split(", ")
    falling = study_for_negative(KIT, picture).score("", [", ".join(texts[: n + 1]) for n in range(len(texts))])
    assert all(later < earlier for earlier, later in pairwise(falling))
    assert found.similarity == pytest.approx(falling[-1], abs=1e-5)


def test_a_negative_prompt_begins_with_what_the_cues_exclude() -> None:
    picture = scene(KIT, "zebra", caption="a zebra", cues=(WARM,))
    assert prompt(Mode.NEGATIVE, picture).phrases[0].text == "icy blue"
    assert "icy blue" not in prompt(Mode.NEGATIVE, scene(KIT, "zebra", caption="a zebra")).text


def test_a_negative_prompt_takes_first_what_lowers_most() -> None:
    picture = scene(KIT, "qqqq vvvv")
    first, *_ = prompt(Mode.NEGATIVE, picture).phrases
    texts = [label.text for label in KIT.vocabulary.negatives]
    scores = dict(zip(texts, study_for_negative(KIT, picture).score("", texts), strict=True))
    assert first.text == min(scores, key=scores.__getitem__)


def test_flaws_of_bodies_are_no_matter_of_style_nor_of_another_kind() -> None:
    flaws = {Label("fused hoof", "flaws", style=False): ANIMAL}
    kit = replace(KIT, vocabulary=replace(KIT.vocabulary, negatives=(), flaws=flaws))
    zebra, lake = scene(kit, "zebra", caption="a zebra"), scene(kit, "lake", caption="a lake")
    assert prompt(Mode.NEGATIVE, zebra, kit).text == "fused hoof"
    for picture, style_only in ((zebra, True), (lake, False)):
        with pytest.raises(UnsupportedOptionError):
            prompt(Mode.NEGATIVE, picture, kit, style_only=style_only)


def _orderless(engine):
    """The same engine with texts as bags of phrases, like lite's."""
    embed = engine.text.embed

    def continuations(prefix, phrases):
        before = [part for part in prefix.split(", ") if part]
        sums = [embed([*before, *phrase.split(", ")]).sum(0) for phrase in phrases]
        return torch.nn.functional.normalize(torch.stack(sums), dim=-1)

    engine.text.continuations = continuations
    return engine
