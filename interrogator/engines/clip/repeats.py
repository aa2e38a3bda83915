"""Captions without the stutter of captioners: "a a cat", "in the style of in the style of"."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST = 8  # words of a phrase that is looked for twice
_DOUBLE = frozenset(
    (
        "aye",
        "baden",
        "bora",
        "boo",
        "bye",
        "can",
        "cha",
        "chi",
        "choo",
        "chop",
        "chow",
        "dik",
        "duran",
        "ha",
        "ho",
        "hula",
        "hush",
        "knock",
        "mahi",
        "no",
        "pago",
        "pom",
        "pong",
        "so",
        "tam",
        "that",
        "tsk",
        "tuk",
        "walla",
        "wee",
        "yo",
        "ylang",
        "yum",
    )
)
"""Words that people do say twice ("tuk tuk", "bora bora"): twice is kept, more is not."""


def without_repeats(caption: str) -> str:
    """The caption with every word or phrase that immediately repeats itself said once; a comma between the repetitions
    counts as nothing. What is cut off at the end of the last repetition goes with it. Spaces become single."""
    words = caption.split()
    while (found := _first_repetition(words)) is not None:
        keep, end = found
        words[keep - 1 : end] = [_ending_of(words, keep, end)]
    return " ".join(words)


def _first_repetition(words: Sequence[str]) -> tuple[int, int] | None:
    """The places after what is kept of the first repetition, and after its end; None where there is none."""
    keys = [word.strip(",;").lower() for word in words]
    for place in range(len(keys)):
        found = _repetition(keys, place)
        if found is not None:
            length, end = found
            return place + length * (2 if length == 1 and keys[place] in _DOUBLE else 1), end
    return None


def _ending_of(words: Sequence[str], keep: int, end: int) -> str:
    """The last word that is kept, with the punctuation of the last that is not."""
    bare, last = words[keep - 1].rstrip(",;"), words[end - 1]
    return bare + last[len(last.rstrip(",;")) :]


def _repetition(keys: Sequence[str], place: int) -> tuple[int, int] | None:
    """Length of the shortest phrase that begins at `place` and immediately repeats itself, and the place after its
    last repetition; None where there is none to remove."""
    for length in range(1, _LONGEST + 1):
        phrase = keys[place : place + length]
        end = place + length
        while list(keys[end : end + length]) == list(phrase) and len(phrase) == length:
            end += length
        times = (end - place) // length
        rest = len(keys) - end
        if times > 1 and 0 < rest < length and list(keys[end:]) == list(phrase[:rest]):
            end = len(keys)  # the last repetition was cut off by the limit of words
        if times > (2 if length == 1 and phrase[0] in _DOUBLE else 1) and any(phrase):
            return length, end
    return None
