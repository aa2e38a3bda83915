"""Similarities, or what phrases add to one, as bars. Drawn without a display, and alike whatever matplotlib is set to
by its user."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
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

LONGEST = 60
ABOVE, BELOW = "#4c72b0", "#c44e52"
WIDTH, INCHES_A_BAR, INCHES_A_GROUP, INCHES_OF_TITLE = 9.0, 0.26, 0.75, 0.5


_drawing = Lock()  # matplotlib's settings are the whole process's


def draw(groups: Sequence[Group], file: Path | BinaryIO, *, title: str, software: str = "Interrogator") -> None:
    """Write a PNG: the bars of each group that has any, on one scale, those below 0 in another colour. `software` is
    what the file says of who made it. Texts are cut to `LONGEST`; what would steer a terminal is for the caller to
    take out. Thread-safe. OSError where the file cannot be written."""
    groups = [group for group in groups if group.nearest]
    bars = [len(group.nearest) for group in groups]
    with _drawing, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["font.family"] = FONT
        height = sum(bars) * INCHES_A_BAR + len(groups) * INCHES_A_GROUP + INCHES_OF_TITLE
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(drawable(title), fontsize=10, parse_math=False)
        if groups:
            charts = figure.subplots(len(groups), squeeze=False, height_ratios=bars)[:, 0]
            for axes, group in zip(charts, groups, strict=True):
                axes.set_xlim(*_scale(groups))
                _draw(axes, group)
        figure.savefig(file, format="png", dpi=110, metadata={"Software": software})


def _scale(groups: Sequence[Group]) -> tuple[float, float]:
    """From the least similarity to the greatest, 0 between them, and room for the figures."""
    values = [0.0, *(value for group in groups for _, value in group.nearest)]
    room = 0.12 * (max(values) - min(values) or 1.0)
    return min(values) - room * (min(values) < 0), max(values) + room


def _draw(axes: Axes, group: Group) -> None:
    places = range(len(group.nearest))
    values = [value for _, value in group.nearest]
    colours = [ABOVE if value >= 0 else BELOW for value in values]
    bars = axes.barh(places, values, color=colours, height=0.7)
    axes.bar_label(bars, fmt="%.3f", padding=3, fontsize=8)
    axes.set_yticks(places)
    names = axes.set_yticklabels([drawable(text) for text, _ in group.nearest], fontsize=8)
    for name in names:
        name.set_parse_math(False)  # a dollar is a dollar
    axes.set_ylim(len(group.nearest) - 0.5, -0.5)  # the first on top
    axes.set_title(drawable(group.name), fontsize=9, loc="left", parse_math=False)
    axes.tick_params(axis="x", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def drawable(text: str) -> str:
    """The text as the font can show it: short, on one line, a square for each letter that it does not have."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
    known = _letters()
    return "".join(letter if ord(letter) in known else UNKNOWN for letter in line)


@cache
def _letters() -> frozenset[int]:
    """Those of the font."""
    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())
