"""What a person at a terminal sees while images are worked on: one progress bar, on stderr only."""

from __future__ import annotations

import contextlib
import sys
import unicodedata
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tqdm import tqdm

from interrogator.types import Progress

if TYPE_CHECKING:
    from interrogator.engines.clip.fetching import Fetching

STEERING = frozenset({"Cc", "Zl", "Zp"})  # the Unicode categories that move a cursor or start a command
ORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What may show the letters around it in another order (UAX 9)."""


def shown(name: str) -> str:
    """The name as it may be written to a terminal: without what would steer it, or deceive who reads."""
    return "".join(map(_harmless, name))


def _harmless(letter: str) -> str:
    if unicodedata.category(letter) in STEERING or letter in ORDERING:
        return letter.encode("unicode_escape").decode()
    return letter


class _Bar:
    """A bar on stderr until the block ends. Invisible where that is no terminal."""

    def __init__(self, unit: str, total: int | None = None, *, scaled: bool = False, layout: str | None = None) -> None:
        self._bar: tqdm[None] = tqdm(
            total=total,
            unit=unit,
            unit_scale=scaled,
            bar_format=layout,
            disable=None,
            leave=False,
            dynamic_ncols=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()


class DownloadBar(_Bar):
    """A bar in bytes."""

    def __init__(self) -> None:
        super().__init__("B", scaled=True)

    def report(self, progress: Fetching) -> None:
        """Show how many bytes are there, and which file is at hand."""
        self._bar.total = progress.total or None
        self._bar.set_description_str(shown(progress.file), refresh=False)
        self._bar.update(progress.done - self._bar.n)


class LoadingLine(_Bar):
    """One line on how far loading is."""

    def __init__(self) -> None:
        super().__init__("", layout="{desc}")

    def report(self, progress: Progress) -> None:
        """Show the stage and how far it is; nothing after `close`."""
        if not self._bar.disable:
            self._bar.set_description_str(_told(progress))

    def close(self) -> None:
        """Take the line away."""
        self._bar.close()


class Display(_Bar):
    """A bar with one step an image, and the stage at hand beside it."""

    def __init__(self, total: int) -> None:
        super().__init__("image", total)

    def report(self, progress: Progress) -> None:
        """Show the stage and how far it is."""
        text = _told(progress)
        if progress.similarity is not None:
            text += f", similarity {progress.similarity:.3f}"
        self._bar.set_postfix_str(text)

    def advance(self) -> None:
        """One image is done."""
        self._bar.set_postfix_str("", refresh=False)
        self._bar.update()

    def complain(self, sentence: str) -> None:
        """A line on stderr."""
        with self.aside():
            sys.stderr.write(f"interrogate: {sentence}\n")

    def remark(self, sentence: str) -> None:
        """A line on stderr that is no complaint."""
        with self.aside():
            sys.stderr.write(f"note: {sentence}\n")

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Within, lines may be written to the terminal without being drawn over."""
        with self._bar.external_write_mode():
            yield


def _told(progress: Progress) -> str:
    return f"{progress.stage} {progress.done}/{progress.total}" if progress.total else str(progress.stage)
