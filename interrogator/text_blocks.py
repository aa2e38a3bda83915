"""Many texts at once, some at a time: so that memory is bounded, and whoever waits hears of it and can end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from interrogator.types import Progress, Stage

if TYPE_CHECKING:
    from interrogator.engines import Report

T = TypeVar("T")

TEXTS = 2048
"""Texts of a block: turned into ids in a tenth of a second, and enough to fill batches."""


class Tally:
    """Counts the texts embedded, of a known total, and reports them as `Stage.LABELS`. What `report` raises, `add`
    raises."""

    def __init__(self, report: Report | None, total: int) -> None:
        self._report = report
        self._total = total
        self._done = 0

    def add(self, count: int) -> None:
        """So many more."""
        self._done += count
        if self._report:
            self._report(Progress(Stage.LABELS, self._done, self._total))


def in_blocks(texts: Sequence[str], embed: Callable[[Sequence[str]], Tensor]) -> Tensor:
    """The rows that `embed` gives for the texts, asked for `TEXTS` at a time: (n, d) float32.

    Blocks follow the alphabet, so that texts that begin alike, or are alike, come together.
    """
    if len(texts) <= TEXTS:
        return embed(texts)
    order = sorted(range(len(texts)), key=texts.__getitem__)
    result = torch.empty(0)
    for start in range(0, len(order), TEXTS):
        places = order[start : start + TEXTS]
        rows = embed([texts[place] for place in places])
        if start == 0:
            result = torch.empty(len(texts), rows.shape[1])
        result[places] = rows
    return result


def portions(items: Sequence[T], size: Callable[[T], int], most: int) -> Iterator[Sequence[T]]:
    """The items in order, as many at a time as have a size of at most `most` together (or one)."""
    start, held = 0, 0
    for place, item in enumerate(items):
        held += size(item)
        if held > most and place > start:
            yield items[start:place]
            start, held = place, size(item)
    if start < len(items):
        yield items[start:]
