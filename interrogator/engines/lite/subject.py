"""From a distribution over ImageNet classes and the faces found to a subject: a class, else a broader one, else a
guess, else nothing.

The thresholds were chosen on 259 photographs of GCompris, Tux Paint, LXQt and Palapeli, labelled by hand: .75 named
rightly, .04 wrongly, .22 not at all; of 106 drawings 2 were named wrongly and 103 not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

import torch

from interrogator.engines.lite.faces import Faces

Trust = Literal["", "unsure", "never", "worn"]
"""Of a class's own name: usable; often wrong unless very probable; wrong even then; a thing that a person wears."""

_NAMED: dict[Trust, float] = {"": 0.4, "unsure": 0.75, "worn": 0.6, "never": 2.0}  # 2: no probability is enough
_SURE = 0.6  # probability from which a class is named rather than its broader class
_BROADER = 0.45  # mass of a broader class from which it is named
_WIDE, _WIDE_MASS = 100, 0.6  # classes from which a broader class collects mass by chance, and what it must hold
_BLOSSOMS = (985, 986, 946, 989, 984, 738)  # daisy, orchid, cardoon, rose hip, rapeseed, potted plant
_NEAR_BLOSSOMS = (584, 885, 723, 883, 309)  # hair clip, velvet, pinwheel, vase, bee: what other flowers are taken for
_FLOWER, _BLOSSOM = 0.3, 0.06  # mass of both, and of the first alone, from which the picture shows a flower
_OUTDOORS = ("a mountain landscape", "a landscape by the water", "a landscape", "a building")
_POSSIBLY = 0.32
_DRESSED, _ONE_GARMENT = 0.5, 0.3  # mass of worn things from which somebody wears them, if none alone has this much
_WITHIN = 0.5  # share of an outdoor scene's mass from which a kind of it is named
_BESIDE_FACE = 0.5  # probability of a thing that is named beside a face
_PORTRAIT = 0.3  # share of the short side that the face of a portrait has


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
    """Names what a distribution (1000,) and faces show; every answer has its article, or is "" where nothing is sure
    enough. Sex and age are never named."""

    def __init__(self, classes: tuple[ClassRow, ...]) -> None:
        self._classes = classes
        members: dict[str, list[int]] = {}
        for index, row in enumerate(classes):
            for broader in row.broader:
                members.setdefault(broader, []).append(index)
        self._members = dict(sorted(members.items(), key=lambda item: (len(item[1]), item[0])))  # narrowest first
        self._worn = [index for index, row in enumerate(classes) if row.trust == "worn"]

    def name(self, probabilities: torch.Tensor, faces: Faces) -> str:
        """The caption. Faces come first, but for those that the cascade sees on animals."""
        if self.shows_people(probabilities, faces):
            return self._people(probabilities, faces)
        best = int(probabilities.argmax())
        row, top = self._classes[best], float(probabilities[best])
        if top >= (_SURE if row.broader and not row.trust else _NAMED[row.trust]):
            return row.name
        worn = probabilities[self._worn]
        if float(worn.sum()) >= _DRESSED and float(worn.max()) < _ONE_GARMENT:
            return "a person"
        broader = self._broader(probabilities)
        if broader:
            return broader
        blossoms = float(probabilities[list(_BLOSSOMS)].sum())
        if blossoms >= _BLOSSOM and blossoms + float(probabilities[list(_NEAR_BLOSSOMS)].sum()) >= _FLOWER:
            return "a flower"
        return f"possibly {row.name}" if top >= _POSSIBLY and row.trust == "" else ""

    def _broader(self, probabilities: torch.Tensor) -> str:
        """The narrowest broader class that holds enough mass; of outdoor scenes the kind that most of it is, if any."""
        mass = {name: float(probabilities[members].sum()) for name, members in self._members.items()}
        for name, members in self._members.items():
            if mass[name] >= (_BROADER if len(members) < _WIDE else _WIDE_MASS):
                kinds = [kind for kind in _OUTDOORS if mass[kind] >= _WITHIN * mass[name]]
                return kinds[0] if name == "an outdoor scene" and kinds else name
        return ""

    def shows_people(self, probabilities: torch.Tensor, faces: Faces) -> bool:
        """Whether faces were found that are not an animal's."""
        return faces.count > 0 and float(probabilities[self._members["an animal"]].sum()) < _BROADER

    def _people(self, probabilities: torch.Tensor, faces: Faces) -> str:
        if faces.count > 1:
            return "two people" if faces.count == 2 else "a group of people"
        best = int(probabilities.argmax())
        row = self._classes[best]
        if float(probabilities[best]) >= _BESIDE_FACE:
            if row.trust == "worn":
                return f"a person in {row.name}"
            if "a musical instrument" in row.broader:
                return f"a person with {row.name}"
        return "a portrait of a person" if faces.largest >= _PORTRAIT else "a person"
