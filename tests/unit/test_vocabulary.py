"""Our lists of phrases: complete, clean, and read with care."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interrogator.errors import VocabularyError
from interrogator.vocabulary import Label, load_vocabulary, parse_phrases
from interrogator.wording import stems

VOCABULARY = load_vocabulary()
CLAIMS = re.compile(
    r"\b(photo\w*|painting|drawing|illustration|render\w*|3d|anime|cartoon|in the style of|\w*ism)\b",
    re.IGNORECASE,
)
"""Words that claim a medium, an artist or a movement, which the lite engine cannot know."""


def test_there_are_phrases_enough_of_every_group() -> None:
    assert len(VOCABULARY.labels) >= 600
    groups = {label.group for label in VOCABULARY.labels}
    assert groups == {"theme", "setting", "detail", "texture", "mood", "atmosphere", "framing"}
    assert len([label for label in VOCABULARY.labels if label.style]) >= 200
    assert len(VOCABULARY.negatives) >= 40


def test_no_phrase_claims_a_medium_an_artist_or_a_movement() -> None:
    assert [label.text for label in VOCABULARY.labels if CLAIMS.search(label.text)] == []
    assert [label.text for label in VOCABULARY.labels if re.search(r"\bby (?!the )", label.text)] == []  # by ARTIST


def test_no_phrase_is_there_twice_or_has_a_comma() -> None:
    texts = [label.text.casefold() for label in VOCABULARY.labels]
    assert len(set(texts)) == len(texts)
    assert [text for text in texts if "," in text] == []


def test_every_phrase_is_for_a_kind_and_every_kind_has_phrases() -> None:
    kinds = {kind.group for kind in VOCABULARY.kinds}
    assert all(VOCABULARY.suits[label] for label in VOCABULARY.labels)
    assert frozenset().union(*VOCABULARY.suits.values()) == kinds


def test_style_phrases_name_no_subject() -> None:
    nouns = {word for kind in VOCABULARY.kinds if len(words := stems(kind.text)) == 1 for word in words}
    assert len(nouns) > 300
    assert [label.text for label in VOCABULARY.labels if label.style and stems(label.text) & nouns] == []


def test_no_example_speaks_for_two_kinds_and_none_speaks_alone() -> None:
    examples = [kind.text.casefold() for kind in VOCABULARY.kinds]
    assert len(set(examples)) == len(examples)
    counts = Counter(kind.group for kind in VOCABULARY.kinds)
    assert [kind for kind, count in counts.items() if count < 2] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("night sky", "sunny day"), ("black and white", "vibrant colors"), ("summery", "wintry"), ("low key", "bright")],
)
def test_contradictions_are_known_whichever_comes_first(one: str, other: str) -> None:
    assert VOCABULARY.contradict(one, other)
    assert VOCABULARY.contradict(other, one)


@pytest.mark.parametrize(("one", "other"), [("soft fur", "wet nose"), ("brightness", "knight armor")])
def test_harmless_pairs_and_parts_of_words_are_no_contradiction(one: str, other: str) -> None:
    assert not VOCABULARY.contradict(one, other)


def test_a_list_is_cleaned() -> None:
    data = "\ufeff# ours\n soft  fur \r\n\nSoft Fur\nwet\x00nose # a dog's\n\x07\nzero\u200bwidth\n".encode()
    assert parse_phrases(data, "test") == ("soft fur", "wet nose", "zero width")


def test_a_list_that_is_not_utf_8_is_named() -> None:
    with pytest.raises(VocabularyError, match=r"mood\.txt is not UTF-8"):
        parse_phrases("café".encode("latin-1"), "mood.txt")


@given(st.binary(max_size=200))
def test_whatever_the_bytes_phrases_are_clean(data: bytes) -> None:
    try:
        phrases = parse_phrases(data, "any")
    except VocabularyError:
        return
    assert len({phrase.casefold() for phrase in phrases}) == len(phrases)
    assert all(phrase == " ".join(phrase.split()) and "#" not in phrase for phrase in phrases)
    assert all(phrase.isprintable() or phrase for phrase in phrases)


def test_labels_are_values() -> None:
    assert Label("soft fur", "texture", style=True) == Label("soft fur", "texture", style=True)
