"""The class table, and what is said of a distribution over it."""

from __future__ import annotations

import re

import pytest
import torch

from interrogator.engines.lite.faces import Faces
from interrogator.engines.lite.subject import Subjects, load_classes

CLASSES = load_classes()
SUBJECTS = Subjects(CLASSES)
NOBODY = Faces()


def index_of(name: str) -> int:
    return next(index for index, row in enumerate(CLASSES) if row.name == name)


def spread(**shares: float) -> torch.Tensor:
    """A distribution: shares by name (underscores for spaces, without article), the rest even over all classes."""
    probabilities = torch.full((1000,), (1 - sum(shares.values())) / 1000)
    for name, share in shares.items():
        row = next(i for i, row in enumerate(CLASSES) if row.name.split(" ", 1)[-1] == name.replace("_", " "))
        probabilities[row] += share
    return probabilities


def test_there_are_a_thousand_classes_each_named() -> None:
    assert len(CLASSES) == 1000
    assert all(row.name == row.name.strip() and row.name for row in CLASSES)
    assert {row.trust for row in CLASSES} == {"", "unsure", "never", "worn"}


def test_an_article_fits_its_word() -> None:
    phrases = {name for row in CLASSES for name in (row.name, *row.broader)}
    wrong = [p for p in phrases if re.match(r"a [aeio]|an [^aeiouAEIOUhFf]", p)]
    assert wrong == []


def test_broader_classes_widen_and_hold_more_than_one() -> None:
    sizes: dict[str, int] = {}
    for row in CLASSES:
        assert len(set(row.broader)) == len(row.broader)
        for broader in row.broader:
            sizes[broader] = sizes.get(broader, 0) + 1
    assert min(sizes.values()) >= 2
    for row in CLASSES:
        assert [sizes[broader] for broader in row.broader] == sorted(sizes[broader] for broader in row.broader)


@pytest.mark.parametrize(
    ("index", "broader"),
    [(207, "a dog"), (281, "a cat"), (291, "a big cat"), (497, "a building"), (817, "a car"), (970, "a landscape"),
     (978, "a coast"), (949, "a fruit"), (402, "a guitar"), (323, "an insect"), (1, "a fish")],
)  # fmt: skip
def test_known_classes_have_their_place(index: int, broader: str) -> None:
    assert broader in CLASSES[index].broader


def test_the_table_is_in_the_order_of_imagenet() -> None:
    from interrogator.engines.torchvision_ops import declare_missing_operators

    declare_missing_operators()
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    lemmas = [info.index_to_description(i).lower() for i in range(1000)]
    shared = [bool(set(re.findall(r"[a-z]{3,}", row.name.lower())) & set(re.findall(r"[a-z]{3,}", lemma)))
              for row, lemma in zip(CLASSES, lemmas, strict=True)]  # fmt: skip
    assert sum(shared) > 800


def test_a_sure_class_is_named() -> None:
    assert SUBJECTS.name(spread(golden_retriever=0.9), NOBODY) == "a golden retriever"


def test_breeds_that_share_the_mass_are_a_dog() -> None:
    shares = spread(golden_retriever=0.3, Labrador_retriever=0.3, cocker_spaniel=0.2)
    assert SUBJECTS.name(shares, NOBODY) == "a dog"


def test_nothing_is_said_of_an_even_distribution_or_of_names_that_are_never_right() -> None:
    assert SUBJECTS.name(torch.full((1000,), 1e-3), NOBODY) == ""
    assert SUBJECTS.name(spread(web_page=0.95), NOBODY) == ""


def test_an_unsupported_guess_is_marked() -> None:
    assert SUBJECTS.name(spread(abacus=0.35), NOBODY) == "possibly an abacus"


def test_scenes_by_the_water_add_up() -> None:
    assert "water" in SUBJECTS.name(spread(lakeshore=0.35, sandy_beach=0.15, dock_with_boats=0.15), NOBODY)


@pytest.mark.parametrize(
    ("faces", "caption"),
    [(Faces(1, 0.1), "a person"), (Faces(1, 0.5), "a portrait of a person"), (Faces(2, 0.2), "two people"),
     (Faces(5, 0.2), "a group of people")],
)  # fmt: skip
def test_faces_are_people(faces: Faces, caption: str) -> None:
    assert SUBJECTS.name(torch.full((1000,), 1e-3), faces) == caption


def test_a_face_beside_a_sure_thing_is_named_with_it() -> None:
    assert SUBJECTS.name(spread(acoustic_guitar=0.8), Faces(1, 0.2)) == "a person with an acoustic guitar"
    assert SUBJECTS.name(spread(kimono=0.8), Faces(1, 0.2)) == "a person in a kimono"


def test_a_face_on_an_animal_is_none() -> None:
    assert SUBJECTS.name(spread(gorilla=0.9), Faces(1, 0.5)) == "a gorilla"
