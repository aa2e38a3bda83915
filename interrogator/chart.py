"""Similarities, or what phrases add to one, as bars. Drawn without a display, and alike whatever matplotlib is set to
by its user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from interrogator.types import Group

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that it is there and looks the same everywhere."""

UNKNOWN = "\u25a1"
"""A square in place of a letter that the font does not have."""

ABOVE, BELOW = "#4c72b0", "#c44e52"
INCHES_A_BAR, INCHES_A_GROUP, INCHES_OF_TITLE = 0.26, 0.75, 0.5


@dataclass(frozen=True, slots=True)
class Layout:
    """`width` in inches, in which letters are always of one size; charts stand in `columns`; phrases are cut to
    `longest` characters."""

    width: float = 9.0
    longest: int = 60
    columns: int = 1


WIDE = Layout()


_drawing = Lock()  # matplotlib's settings are the whole process's


def draw(
    groups: Sequence[Group],
    file: Path | BinaryIO,
    *,
    title: str,
    software: str = "Interrogator",
    layout: Layout = WIDE,
) -> None:
    """Write a PNG: the bars of each group that has any, on one scale, those below 0 in another colour.

    `software` is what the file says of who made it. What would steer a terminal is for the caller to take out of the
    texts. Thread-safe. OSError where the file cannot be written.
    """
    groups = [group for group in groups if group.nearest]
    rows = [groups[start : start + layout.columns] for start in range(0, len(groups), layout.columns)]
    bars = [max(len(group.nearest) for group in row) for row in rows]
    with _drawing, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["font.family"] = FONT
        height = sum(bars) * INCHES_A_BAR + len(rows) * INCHES_A_GROUP + INCHES_OF_TITLE
        figure = Figure(figsize=(layout.width, height), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(drawable(title), fontsize=10, parse_math=False)
        if rows:
            charts = figure.subplots(len(rows), layout.columns, squeeze=False, height_ratios=bars).flat
            for axes, group in zip_longest(charts, groups):
                if group is None:
                    axes.set_axis_off()
                    continue
                axes.set_xlim(*_scale(groups))
                _draw(axes, group, layout.longest)
        figure.savefig(file, format="png", dpi=110, metadata={"Software": software})


def _scale(groups: Sequence[Group]) -> tuple[float, float]:
    """From the least similarity to the greatest, 0 between them, and room for the figures."""
    values = [0.0, *(value for group in groups for _, value in group.nearest)]
    room = 0.12 * (max(values) - min(values) or 1.0)
    return min(values) - 2 * room * (min(values) < 0), max(values) + room


def _draw(axes: Axes, group: Group, longest: int) -> None:
    places = range(len(group.nearest))
    values = [value for _, value in group.nearest]
    colours = [ABOVE if value >= 0 else BELOW for value in values]
    bars = axes.barh(places, values, color=colours, height=0.7)
    axes.bar_label(bars, fmt="%.3f", padding=3, fontsize=8)
    axes.set_yticks(places)
    names = axes.set_yticklabels([drawable(text, longest) for text, _ in group.nearest], fontsize=8)
    for name in names:
        name.set_parse_math(False)  # a dollar is a dollar
    axes.set_ylim(len(group.nearest) - 0.5, -0.5)  # the first on top
    axes.set_title(drawable(group.name), fontsize=9, loc="left", parse_math=False)
    axes.tick_params(axis="x", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def drawable(text: str, longest: int = WIDE.longest) -> str:
    """The text as the font can show it: short, on one line, a square for each letter that it does not have."""
    line = " ".join(text.split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    known = _letters()
    return "".join(letter if ord(letter) in known else UNKNOWN for letter in line)


@cache
def _letters() -> frozenset[int]:
    """Those of the font."""
    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())
