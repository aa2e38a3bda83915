"""Text in columns, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from interrogator.cli.display import shown

if TYPE_CHECKING:
    from interrogator.types import Contribution, Embedded


def aligned(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A line a row, ended by a line break, in columns two spaces apart; those of `right` stand to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def contributions(phrases: Sequence[Contribution], title: str = "phrase") -> str:
    """What the similarity loses without each phrase, in the order of the prompt."""
    rows = [(f"{phrase.contribution:+.4f}", shown(phrase.text)) for phrase in phrases]
    return aligned([("contribution", title), *rows], right=[0])


def embedded_lines(embedded: Embedded) -> str:
    """What the file says of how its picture was made: lines under a heading, and an empty one after them."""
    settings = ", ".join(f"{name}: {value}" for name, value in embedded.settings)
    lines = [f"Embedded in the file ({shown(embedded.generator)}):"]
    lines += [f"  {shown(line)}" for line in embedded.prompt.splitlines()]
    if embedded.negative:
        lines.append(f"  negative: {shown(' '.join(embedded.negative.split()))}")
    if settings:
        lines.append(f"  {shown(settings)}")
    return "".join(f"{line}\n" for line in [*lines, ""])


def bytes_text(size: int) -> str:
    """A size as people write it."""
    if size < 1_000_000:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:.0f} MB" if size < 1_000_000_000 else f"{size / 1e9:.1f} GB"
