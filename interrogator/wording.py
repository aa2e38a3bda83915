"""When two phrases say the same in the same words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001
_LITTLE_WORDS = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "its", "of", "on", "or", "over", "the", "their"}
    | {"through", "to", "under", "up", "with"}
)
_ENDINGS = (
    ("ies", "y"),
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("ing", ""),
    ("ed", ""),
    ("s", ""),
)


def stems(text: str) -> frozenset[str]:
    """The words that carry meaning, lower case, without the commonest endings: cruder than a stemmer of a language,
    since it need only match plurals and participles of one writer's words."""
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()) if word not in _LITTLE_WORDS)


def repeats(phrase: str, *others: str) -> bool:
    """Whether every meaningful word of the phrase is already in the other texts."""
    words = stems(phrase)
    return bool(words) and words <= stems(" ".join(others))


def repeat_each_other(one: str, other: str) -> bool:
    """Whether one of the two says nothing that the other does not."""
    return repeats(one, other) or repeats(other, one)


def share_word(one: str, other: str) -> bool:
    """Whether a word that carries meaning is in both."""
    return not stems(one).isdisjoint(stems(other))


def small(words: Iterable[str]) -> frozenset[str]:
    """Words, or groups of words, as `word_finder` takes them: in small letters, without those that are empty."""
    return frozenset(" ".join(word.casefold().split()) for word in words) - {""}


def word_finder(words: Collection[str]) -> Callable[[str], bool]:
    """Tells whether a text has one of the words, or groups of words, as a whole; both in small letters."""
    if not words:
        return lambda _text: False
    alternatives = "|".join(map(re.escape, sorted(words)))
    pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")
    return lambda text: pattern.search(text) is not None


def _stem(word: str) -> str:
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "us", "is")):
            word = word.removesuffix(ending) + replacement
            break
    return word.removesuffix("e")
