"""From a distribution over ImageNet classes, one over broad classes, and the faces found to a subject: a class, else a
broader one, else a guess, else nothing.

The thresholds were chosen on 1,600 labelled photographs and generated pictures of twelve sources, each judged by a head
of broad classes that was trained without it (`benchmarks/train_lite_head.py`): .68 named rightly, .12 wrongly, .20 not
at all, mean of the sources; without the broad classes it was .43, .11, .46.
"""

from __future__ import annotations

import torch

from interrogator.engines.lite.broad import BROAD, INDEX, broad_of
from interrogator.engines.lite.classes import ClassRow, Trust, load_classes
from interrogator.engines.lite.faces import Faces

__all__ = ["ClassRow", "Subjects", "load_classes"]

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
_BESIDE_PERSON = 0.5  # probability of a thing that is named beside a person
_PORTRAIT = 0.3  # share of the short side that the face of a portrait has
_VAGUE = "an outdoor scene"  # true of much, and says little: named only where nothing better is known

_BROAD, _BROAD_WIDE = 0.42, 0.55  # probability from which a broad class is named
_AGREED = 0.1  # mass of the ImageNet classes from which they do not speak against a kind of thing
_TOGETHER = 0.48  # probability of kindred broad classes together from which what they share is named
_KINDRED = (
    ("a landscape", ("mountains", "water", "landscape", "sky", "trees")),
    ("an animal", ("animal", "bird", "insect")),
    ("a plant", ("flower", "plant", "trees")),
    ("a building", ("building", "street")),
)
_SCENES = ("mountains", "water", "landscape", "trees", "sky", "building", "street")
_SCENE = 0.2  # probability from which a scene that is known to be outdoors is named
_OPINION = 0.3  # probability of the likeliest broad class from which it can speak against a name
_CONCEDED = 0.2  # probability of a name's broad classes from which it does not
_BEYOND_DOUBT = 0.85  # probability of a class that is named whatever the broad classes say, people aside
_PEOPLE, _NO_PEOPLE = 0.45, 0.02  # probability from which there are people without a face; below which a face is none


class Subjects:
    """Names what a distribution (1000,), one over `BROAD` and faces show; every answer has its article, or is "" where
    nothing is sure enough. Sex and age are never named. Without a distribution over `BROAD` the classes decide alone.
    """

    def __init__(self, classes: tuple[ClassRow, ...]) -> None:
        self._classes = classes
        members: dict[str, list[int]] = {}
        for index, row in enumerate(classes):
            for broader in row.broader:
                members.setdefault(broader, []).append(index)
        self._members = dict(sorted(members.items(), key=lambda item: (len(item[1]), item[0])))  # narrowest first
        self._worn = [index for index, row in enumerate(classes) if row.trust == "worn"]
        self._broad_of = broad_of(classes)

    def name(self, probabilities: torch.Tensor, faces: Faces, broad: torch.Tensor | None = None) -> str:
        """The caption. People come first, but for faces that the cascade sees where there are none."""
        broad = _no_opinion() if broad is None else broad
        if self.shows_people(probabilities, faces, broad):
            return self._people(probabilities, faces, broad)
        by_class, indices = self._by_class(probabilities)
        if by_class and by_class != _VAGUE and self._tenable(indices, probabilities, broad):
            return by_class
        by_kind = self._by_kind(probabilities, broad)
        if by_kind:
            return by_kind
        best = int(probabilities.argmax())
        if float(probabilities[best]) >= _POSSIBLY and not self._classes[best].trust and not by_class:
            return f"possibly {self._classes[best].name}" if self._tenable([best], probabilities, broad) else ""
        return self._outdoors(broad) if by_class == _VAGUE else ""

    def shows_people(self, probabilities: torch.Tensor, faces: Faces, broad: torch.Tensor) -> bool:
        """Whether there are people: faces that are not an animal's, or people without a face that can be seen."""
        people = _people_share(broad)
        animal = float(probabilities[self._members["an animal"]].sum()) >= _BROADER
        if faces.count:
            return not animal and not (people < _NO_PEOPLE and float(broad.max()) >= _OPINION)
        best = int(probabilities.argmax())
        other_thing = float(probabilities[best]) >= _BEYOND_DOUBT and not self._goes_with_people(best)
        return people >= _PEOPLE and not animal and not other_thing

    def _goes_with_people(self, index: int) -> bool:
        row = self._classes[index]
        return row.trust == "worn" or bool({"clothing", "a musical instrument", "a person"} & set(row.broader))

    def _by_class(self, probabilities: torch.Tensor) -> tuple[str, list[int]]:
        """What the classes say by themselves, and which classes say it."""
        best = int(probabilities.argmax())
        row, top = self._classes[best], float(probabilities[best])
        if top >= (_SURE if row.broader and not row.trust else _NAMED[row.trust]):
            return row.name, [best]
        worn = probabilities[self._worn]
        if float(worn.sum()) >= _DRESSED and float(worn.max()) < _ONE_GARMENT:
            return "a person", []
        broader = self._broader(probabilities)
        if broader:
            return broader, self._members[broader]
        blossoms = float(probabilities[list(_BLOSSOMS)].sum())
        if blossoms >= _BLOSSOM and blossoms + float(probabilities[list(_NEAR_BLOSSOMS)].sum()) >= _FLOWER:
            return "a flower", [_BLOSSOMS[0]]
        return "", []

    def _broader(self, probabilities: torch.Tensor) -> str:
        """The narrowest broader class that holds enough mass; of outdoor scenes the kind that most of it is, if any."""
        mass = {name: float(probabilities[members].sum()) for name, members in self._members.items()}
        for name, members in self._members.items():
            if mass[name] >= (_BROADER if len(members) < _WIDE else _WIDE_MASS):
                kinds = [kind for kind in _OUTDOORS if mass[kind] >= _WITHIN * mass[name]]
                return kinds[0] if name == _VAGUE and kinds else name
        return ""

    def _tenable(self, indices: list[int], probabilities: torch.Tensor, broad: torch.Tensor) -> bool:
        """Whether the broad classes leave room for a name that these classes speak for."""
        kinds = {kind for kind in (self._broad_of[index] for index in indices) if kind is not None}
        if not kinds or float(broad.max()) < _OPINION or float(broad[list(kinds)].sum()) >= _CONCEDED:
            return True
        return len(indices) == 1 and float(probabilities[indices[0]]) >= _BEYOND_DOUBT

    def _by_kind(self, probabilities: torch.Tensor, broad: torch.Tensor) -> str:
        """The broad class that is likely enough, else what several kindred ones share."""
        best = int(broad.argmax())
        kind = BROAD[best]
        rows = [row for row, index in enumerate(self._broad_of) if index == best]
        agreed = not (kind.thing or kind.rows) or float(probabilities[rows].sum()) >= _AGREED
        if agreed and float(broad[best]) >= (_BROAD_WIDE if kind.wide else _BROAD):
            return kind.name
        together = (name for name, keys in _KINDRED if float(broad[[INDEX[key] for key in keys]].sum()) >= _TOGETHER)
        return next(together, "")

    def _outdoors(self, broad: torch.Tensor) -> str:
        """What an outdoor scene most likely is, as it is known to be one."""
        likeliest = max(_SCENES, key=lambda key: float(broad[INDEX[key]]))
        return BROAD[INDEX[likeliest]].name if float(broad[INDEX[likeliest]]) >= _SCENE else _VAGUE

    def _people(self, probabilities: torch.Tensor, faces: Faces, broad: torch.Tensor) -> str:
        if faces.count > 1:
            return "two people" if faces.count == 2 else "a group of people"
        best = int(probabilities.argmax())
        row = self._classes[best]
        if float(probabilities[best]) >= _BESIDE_PERSON:
            if row.trust == "worn":
                return f"a person in {row.name}"
            if "a musical instrument" in row.broader:
                return f"a person with {row.name}"
        if faces.largest >= _PORTRAIT:
            return "a portrait of a person"
        return (
            "a group of people" if broad[INDEX["people"]] > broad[INDEX["person"]] and not faces.count else "a person"
        )


def _no_opinion() -> torch.Tensor:
    return torch.full((len(BROAD),), 1 / len(BROAD))


def _people_share(broad: torch.Tensor) -> float:
    return float(broad[INDEX["person"]] + broad[INDEX["people"]])
