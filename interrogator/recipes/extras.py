"""Phrases that an asker brings along, beside those of the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from interrogator.tags import is_unsafe
from interrogator.types import OWN, Options
from interrogator.vocabulary import Label
from interrogator.wording import repeats, small, word_finder

T = TypeVar("T")


def extra_labels(options: Options, said: str) -> list[Label]:
    """Those of the options that may be used: no blocked word, no unsafe one unless that is
    allowed, and none that only repeats what is said. Whether they are
    of style is not known; who brings them along decides that."""
    has_blocked = word_finder(small(options.blocked))
    texts = {text.casefold(): text for text in reversed([" ".join(text.split()) for text in options.extra])}
    return [
        Label(text, OWN, style=True)
        for text in reversed(texts.values())
        if text
        and not has_blocked(text.casefold())
        and not repeats(text, said)
        and (options.unsafe or not is_unsafe(text))
    ]


def merged(ranked: Sequence[T], extra: Sequence[T], similarity: dict[T, float]) -> list[T]:
    """The ranked ones in their order, each of the extra ones before the first that is less similar."""
    result = list(ranked)
    for one in sorted(extra, key=lambda one: -similarity[one]):
        place = next((i for i, other in enumerate(result) if similarity[other] < similarity[one]), len(result))
        result.insert(place, one)
    return result
