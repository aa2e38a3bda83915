"""When two phrases say the same: by their words, whatever the endings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interrogator.wording import repeat_each_other, repeats, share_word, stems

texts = st.text(alphabet="abdeginrs ,.-é", max_size=40)


@pytest.mark.parametrize(
    ("phrase", "said"),
    [("soft fur", "fur that is soft"), ("carved stones", "a carving in stone"), ("Wet Nose", "the wet nose of a dog")],
)
def test_a_phrase_whose_words_are_all_said_repeats(phrase: str, said: str) -> None:
    assert repeats(phrase, said)


@pytest.mark.parametrize(("phrase", "said"), [("soft fur", "soft"), ("a glass", "a class"), ("of the", "of the sea")])
def test_a_phrase_with_a_word_of_its_own_or_none_that_matters_does_not(phrase: str, said: str) -> None:
    assert not repeats(phrase, said)


def test_words_may_be_said_by_several_texts_together() -> None:
    assert repeats("soft fur", "soft light", "brown fur")


def test_little_words_are_not_shared() -> None:
    assert not share_word("rim of the cup", "view of the sea")
    assert share_word("wide view", "views from below")


@given(texts, texts)
def test_both_relations_ask_no_order_of_the_two(one: str, other: str) -> None:
    assert share_word(one, other) == share_word(other, one)
    assert repeat_each_other(one, other) == repeat_each_other(other, one)


@given(texts, texts)
def test_what_repeats_shares_a_word(one: str, other: str) -> None:
    assert share_word(one, other) or not repeat_each_other(one, other)


@given(texts)
def test_a_text_repeats_itself_where_it_says_anything(text: str) -> None:
    assert repeats(text, text) == bool(stems(text))
