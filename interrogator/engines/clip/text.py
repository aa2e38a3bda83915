"""The text towers of an engine behind one `SharedTextTower` that gets by with the memory there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import torch

from interrogator.engines import Continue, Report, SharedTextTower
from interrogator.engines.clip.memory import BatchSize, Part, Residency, free_memory, is_out_of_memory, retrying
from interrogator.types import Progress

Check = Callable[[Sequence[torch.Tensor]], None]
"""Raises where embeddings are not what they should be."""

_EMBED_TEXTS = 8192
"""Texts embedded between two looks at memory: when it runs out, no more are done again."""
_LEAST_ROWS = 32


class RowsTower(SharedTextTower, Protocol):
    """A text tower that computes about `rows` tokens at once and keeps something between calls."""

    rows: int

    @property
    def token_limit(self) -> int:
        """Tokens of a prompt that fit."""

    def forget(self) -> None:
        """Free what is kept between calls."""


class GuardedText:
    """`SharedTextTower` of a tower: while it computes, `parts` are on the device, and when memory runs out the tower's
    rows are halved and, later, restored. Whatever it computes is shown to `check`, which may raise."""

    def __init__(self, tower: RowsTower, residency: Residency, parts: Sequence[Part], check: Check) -> None:
        self.tower = tower
        self.token_limit = tower.token_limit
        self.batch = BatchSize(tower.rows, _LEAST_ROWS)
        self._residency = residency
        self._parts = tuple(parts)
        self._check = check
        self._affords_copies = True

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        """(n, d) float32 on the CPU, rows L2-normalised. Reports as the tower does."""
        pieces = []
        for start in range(0, max(1, len(texts)), _EMBED_TEXTS):
            piece = texts[start : start + _EMBED_TEXTS]
            pieces.append(self._embed(piece, _part_of(report, start, len(piece), len(texts)) if report else None))
        return torch.cat(pieces)

    def continuations(self, prefix: str, phrases: Sequence[str]) -> torch.Tensor:
        """As `TextTower.continuations`."""
        return self._run(lambda: [self.tower.continuations(prefix, phrases)])[0]

    def continue_all(self, asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
        """As `SharedTextTower.continue_all`."""
        return self._run(lambda: self.tower.continue_all(asks))

    @property
    def continue_roughly(self) -> Continue | None:
        """As `SharedTextTower.continue_roughly`: on a CPU alone. Elsewhere a tower that waits on the CPU for its turn
        would seem to have it."""
        roughly = self.tower.continue_roughly if self._affords_copies and self._residency.device.type == "cpu" else None
        return roughly and (lambda asks: self._roughly(roughly, asks))

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """As `SharedTextTower.lengths`."""
        return self.tower.lengths(prefix, phrases)

    def count_tokens(self, text: str) -> int:
        """As `TextTower.count_tokens`."""
        return self.tower.count_tokens(text)

    def _embed(self, texts: Sequence[str], report: Report | None) -> torch.Tensor:
        return self._run(lambda: [self.tower.embed(texts, report)])[0]

    def _roughly(self, roughly: Continue, asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
        """Where the memory does not suffice for the copies of weights, which do not shrink with the batch: never again,
        and exactly now."""
        try:
            with self._residency.using(*self._parts):
                self.tower.rows = self.batch.size
                embedded = roughly(asks)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            self._check(embedded)
            return embedded
        self._affords_copies = False
        self.tower.forget()
        free_memory()
        return self.continue_all(asks)

    def _run(self, compute: Callable[[], list[torch.Tensor]]) -> list[torch.Tensor]:
        def attempt() -> list[torch.Tensor]:
            self.tower.rows = self.batch.size
            return compute()

        with self._residency.using(*self._parts):
            embedded = retrying(self.batch, attempt, self.tower.forget)
        self._check(embedded)
        return embedded


def _part_of(report: Report, start: int, count: int, total: int) -> Report:
    """Progress within `count` of `total` texts as that of all of them."""

    def tell(part: Progress) -> None:
        report(replace(part, done=start + count * part.done // max(1, part.total), total=total))

    return tell
