"""Broad classes that ImageNet lacks or scatters over many of its own: people, scenes, plants, kinds of things.

A linear head on the networks' features, trained by `benchmarks/train_lite_head.py` on 2,282 labelled images of
fifteen sources, is joined with the mass that the ImageNet classes of the same kind hold: scenes and people are mostly
the head's to say, things the classes'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files

import torch
from safetensors import safe_open
from torch.nn.functional import normalize

from interrogator.engines.lite.classes import ClassRow

_LENGTH = 10.0  # of a feature vector after standardising: the head was trained at this scale
_FLOOR = 0.02  # mass that any broad class is granted, so that no class is ruled out by the classes alone
_THING, _SCENE = 1.0, 0.2  # how much the mass of the ImageNet classes counts beside the head


@dataclass(frozen=True, slots=True)
class BroadClass:
    """A broad class: its key in the labels, how it is named, and which ImageNet classes belong to it.

    A class belongs to the first broad class that has one of its broader classes in `members`, or its index in `rows`.
    """

    key: str
    name: str
    members: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    thing: bool = False  # a kind of thing, which ImageNet knows, rather than a scene or people
    wide: bool = False  # so wide that a single mistake is easy


BROAD = (
    BroadClass("person", "a person", ("a person",)),
    BroadClass("people", "a group of people"),
    BroadClass("bird", "a bird", ("a bird",), thing=True),
    BroadClass("insect", "an insect", ("an insect", "an arachnid"), thing=True),
    BroadClass("underwater", "an underwater scene", ("a fish", "an underwater scene", "a marine mammal")),
    BroadClass("animal", "an animal", ("an animal",), thing=True),
    BroadClass("food", "food", ("food", "a drink", "fruit and vegetables"), thing=True),
    BroadClass("vehicle", "a vehicle", ("a vehicle", "an aircraft"), thing=True),
    BroadClass("instrument", "a musical instrument", ("a musical instrument",), thing=True),
    BroadClass("clothing", "clothing", ("clothing", "a bag", "armor", "sunglasses"), thing=True),
    BroadClass("tool", "a tool or utensil", ("a tool or utensil",), thing=True),
    BroadClass("electronics", "an electronic device", ("an electronic device", "a camera"), thing=True),
    BroadClass("furniture", "a piece of furniture", ("a piece of furniture",), thing=True),
    BroadClass("interior", "an interior", ("a room", "an interior")),
    BroadClass("street", "a city street", ("a city street",)),
    BroadClass("building", "a building", ("architecture", "a building", "a monument")),
    BroadClass("mountains", "a mountain landscape", ("a mountain landscape",)),
    BroadClass("water", "a landscape by the water", ("a landscape by the water",)),
    BroadClass("landscape", "a landscape", ("a landscape",)),
    BroadClass("flower", "a flower", ("a flower",)),
    BroadClass("plant", "a plant", ("a plant",)),
    BroadClass("trees", "trees"),
    BroadClass("sky", "clouds in the sky"),
    BroadClass("space", "outer space", wide=True),
    BroadClass("toy", "a toy or ball", ("a toy or ball",), thing=True),
    BroadClass("page", "a printed page", rows=(549, 692, 916, 917, 918, 921, 922), wide=True),
    BroadClass("texture", "a texture", wide=True),
    BroadClass("nothing", ""),  # plain areas, gradients, noise
)
KEYS = tuple(broad.key for broad in BROAD)
INDEX = {key: index for index, key in enumerate(KEYS)}


def broad_of(classes: Sequence[ClassRow]) -> tuple[int | None, ...]:
    """For each class of the table the index of its broad class, or None."""
    return tuple(
        next((i for i, b in enumerate(BROAD) if row in b.rows or set(b.members) & set(entry.broader)), None)
        for row, entry in enumerate(classes)
    )


@dataclass(frozen=True, slots=True)
class BroadHead:
    """Features and class probabilities in, a distribution over `BROAD` out; see `load_broad_head`."""

    mean: torch.Tensor  # (2560,)
    scale: torch.Tensor  # (2560,)
    weight: torch.Tensor  # (classes of BROAD, 2560)
    bias: torch.Tensor  # (classes of BROAD,)
    membership: torch.Tensor  # (1000, classes of BROAD): 1 where a class belongs to a broad one
    trust: torch.Tensor  # (classes of BROAD,): what the mass of its classes counts

    def __call__(self, features: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
        """(classes of BROAD,) float32, summing to 1, of features (2560,) and probabilities (1000,) of one image."""
        logits = standardised(features, self.mean, self.scale) @ self.weight.T + self.bias
        mass = probabilities @ self.membership
        return (logits.log_softmax(-1) + self.trust * (mass + _FLOOR).log()).softmax(-1)


def standardised(features: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Features (..., 2560) as the head reads them."""
    return normalize((features - mean) / scale, dim=-1) * _LENGTH


def load_broad_head(classes: Sequence[ClassRow]) -> BroadHead:
    """The head of `data/broad_classes.safetensors`. Raises `ValueError` where it was trained for other classes."""
    with (
        as_file(files("interrogator").joinpath("data/broad_classes.safetensors")) as path,
        safe_open(path, framework="pt") as stored,
    ):
        trained_for = (stored.metadata() or {}).get("classes")
        tensors = {name: stored.get_tensor(name).float() for name in ("mean", "scale", "weight", "bias")}
    if trained_for != " ".join(KEYS):
        raise ValueError("The head of broad classes was trained for other classes: run benchmarks.train_lite_head.")
    membership = torch.zeros(len(classes), len(BROAD))
    for row, index in enumerate(broad_of(classes)):
        if index is not None:
            membership[row, index] = 1.0
    trust = torch.tensor([_THING if broad.thing else _SCENE for broad in BROAD])
    return BroadHead(**tensors, membership=membership, trust=trust)
