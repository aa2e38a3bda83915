"""From a distribution over ImageNet classes to a subject: a class, else a broader one, else a guess, else nothing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

import torch

Trust = Literal["", "unsure", "never", "worn"]
"""Of a class's own name: usable; wrong too often unless very probable; never right enough; something a person wears."""


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


class Subjects:
    """Names what a distribution shows."""

    def __init__(self, classes: tuple[ClassRow, ...]) -> None:
        self._classes = classes
        members: dict[str, list[int]] = {}
        for index, row in enumerate(classes):
            for node in row.broader:
                members.setdefault(node, []).append(index)
        self._members = dict(sorted(members.items(), key=lambda item: (len(item[1]), item[0])))  # narrowest first

    def name(self, probabilities: torch.Tensor) -> str:
        """The subject with its article, or ""."""
        best = int(probabilities.argmax())
        top = float(probabilities[best])
        row = self._classes[best]
        if top >= {"": 0.5, "unsure": 0.8, "worn": 0.6, "never": 2.0}[row.trust]:
            return row.name
        for node, members in self._members.items():
            if float(probabilities[members].sum()) >= 0.55:
                return node
        return ""
