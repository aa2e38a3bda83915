"""A caption cut to what the engine reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_ENDS = " ,;"


def shortened(caption: str, fits: Callable[[str], bool]) -> str:
    """The caption without the last words that are too many; a first word that is too long by itself (as in a script
    without spaces) is cut. It does not end in a comma: one follows."""
    caption = " ".join(caption.split()).rstrip(_ENDS)
    if fits(caption):
        return caption
    words = caption.split(" ")
    kept = _most(words, " ", fits)
    return (" ".join(words[:kept]) if kept else caption[: _most(words[0], "", fits)]).rstrip(_ENDS)


def _most(pieces: Sequence[str], glue: str, fits: Callable[[str], bool]) -> int:
    """How many of the first pieces fit together, by bisection."""
    low, high = 0, len(pieces)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(glue.join(pieces[:middle])):
            low = middle
        else:
            high = middle - 1
    return low
