"""An analysis as bars, in a file."""

from __future__ import annotations

from pathlib import Path

from interrogator.chart import draw
from interrogator.cli.analysis import Analysis
from interrogator.cli.display import shown
from interrogator.cli.targets import DRAWN_BY
from interrogator.types import Group


def plot(analysis: Analysis, file: Path, *, title: str) -> None:
    """Write the bars as a PNG: a chart for each group. OSError where the file cannot be written."""
    groups = [
        Group(group.name, tuple((shown(text), similarity) for text, similarity in group.nearest))
        for group in analysis.groups
    ]
    draw(groups, file, title=shown(f"{title} ({analysis.engine})"), software=DRAWN_BY)
