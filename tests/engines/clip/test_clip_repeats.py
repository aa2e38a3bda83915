"""The stutter of captioners, taken out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interrogator.engines.clip.repeats import without_repeats


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("a a cat", "a cat"),
        ("a cat cat cat cat", "a cat"),
        ("a painting in the style of in the style of monet", "a painting in the style of monet"),
        ("a dog on a beach on a beach on a", "a dog on a beach"),
        ("a cat, a cat, a cat", "a cat"),
        ("a cat, a cat, sitting", "a cat, sitting"),
        ("Red red car", "Red car"),
        ("a a man with a hat hat", "a man with a hat"),
        ("  a   cat\nsleeping ", "a cat sleeping"),
        ("", ""),
    ],
)
def test_what_is_said_again_at_once_is_said_once(said: str, meant: str) -> None:
    assert without_repeats(said) == meant


@pytest.mark.parametrize(
    "caption",
    [
        "a man with a hat and a woman with a hat",
        "a cat and a dog and a bird",
        "a street full of tuk tuk taxis",
        "a beach in bora bora",
        "two cats, one black and one white",
        "a cat on the left, a dog on the right, a cat in the middle",
        "a close up of a person's face with a beard and a beard trimmer",
    ],
)
def test_what_makes_sense_is_left_alone(caption: str) -> None:
    assert without_repeats(caption) == caption


def test_words_that_come_in_pairs_are_not_said_three_times() -> None:
    assert without_repeats("a tuk tuk tuk tuk in a street") == "a tuk tuk in a street"


@given(st.lists(st.sampled_from(["a", "cat", "dog,", "red", "tuk", "on"]), max_size=16).map(" ".join))
def test_nothing_is_added_and_no_word_is_lost_altogether(caption: str) -> None:
    words = without_repeats(caption).split()
    bare = {word.strip(",") for word in caption.split()}
    assert {word.strip(",") for word in words} == bare
    assert len(words) <= len(caption.split())


@given(st.lists(st.sampled_from(["a", "cat", "dog", "red", "on"]), max_size=16).map(" ".join))
def test_no_word_follows_itself(caption: str) -> None:
    words = without_repeats(caption).split()
    assert all(word != following for word, following in itertools.pairwise(words))
