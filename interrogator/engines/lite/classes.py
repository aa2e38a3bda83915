"""The table of ImageNet classes: how a person names each, and what it is more broadly."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

Trust = Literal["", "unsure", "never", "worn"]
"""Of a class's own name: usable; often wrong unless very probable; wrong even then; a thing that a person wears."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A line of the class table: how a person names the class, and the broader classes, narrowest first."""

    name: str
    broader: tuple[str, ...]
    trust: Trust


def load_classes() -> tuple[ClassRow, ...]:
    """The 1,000 rows of `data/imagenet_classes.tsv`, in the order of the networks' outputs."""
    text = files("interrogator").joinpath("data/imagenet_classes.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(
        ClassRow(name, tuple(broader.split(" > ")) if broader else (), cast("Trust", trust))
        for _, name, broader, trust in rows
    )
