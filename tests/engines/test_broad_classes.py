"""The broad classes: what the committed head knows, and how it joins with the ImageNet classes and faces."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import engine_pictures as pictures
import pytest
import torch
from PIL import Image
from safetensors import safe_open

import interrogator
from interrogator.engines import Engine
from interrogator.engines.lite import broad as module
from interrogator.engines.lite.broad import BROAD, INDEX, KEYS, BroadHead, broad_of, load_broad_head
from interrogator.engines.lite.classes import load_classes
from interrogator.engines.lite.classifier import Classifier, load_classifier
from interrogator.engines.lite.faces import Faces
from interrogator.engines.lite.subject import Subjects

CLASSES = load_classes()
SUBJECTS = Subjects(CLASSES)
NOBODY = Faces()
EVEN = torch.full((1000,), 1e-3)


@pytest.fixture(scope="module")
def head() -> BroadHead:
    return load_broad_head(CLASSES)


@pytest.fixture(scope="module")
def likeliest(head: BroadHead) -> Callable[[Image.Image], str]:
    """The key of the likeliest broad class of an image."""
    classifier: Classifier = load_classifier()

    def of(image: Image.Image) -> str:
        sight = classifier.look(image)
        return KEYS[int(head(sight.features, sight.probabilities).argmax())]

    return of


def broad(**shares: float) -> torch.Tensor:
    """A distribution over the broad classes: shares by key, the rest even over all."""
    distribution = torch.full((len(BROAD),), (1 - sum(shares.values())) / len(BROAD))
    for key, share in shares.items():
        distribution[INDEX[key]] += share
    return distribution


def classes(**shares: float) -> torch.Tensor:
    """The same over the ImageNet classes, by name without article."""
    distribution = torch.full((1000,), (1 - sum(shares.values())) / 1000)
    for name, share in shares.items():
        row = next(i for i, row in enumerate(CLASSES) if row.name.split(" ", 1)[-1] == name.replace("_", " "))
        distribution[row] += share
    return distribution


def test_the_committed_weights_are_small_and_those_of_the_classes() -> None:
    path = Path(interrogator.__file__).parent / "data/broad_classes.safetensors"
    assert path.stat().st_size <= 300_000
    with safe_open(path, framework="pt") as stored:
        assert stored.metadata()["classes"].split() == list(KEYS)
        assert stored.get_tensor("weight").shape == (len(BROAD), 2560)


def test_weights_of_other_classes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS", (*KEYS, "castle"))
    with pytest.raises(ValueError, match="train_lite_head"):
        load_broad_head(CLASSES)


def test_the_labels_that_it_was_trained_on_are_the_classes() -> None:
    from benchmarks.train_lite_head import read_labels

    labelled = read_labels()
    assert {key for item in labelled for key in item.classes} == set(KEYS)
    assert len({item.digest for item in labelled}) == len(labelled) > 1500
    assert len({item.source for item in labelled}) >= 10


def test_every_member_is_a_broader_class_of_the_table() -> None:
    known = {name for row in CLASSES for name in row.broader}
    assert {member for entry in BROAD for member in entry.members} <= known
    assert len(set(KEYS)) == len(KEYS)


def test_a_class_belongs_to_the_broad_class_that_a_person_would_choose() -> None:
    of = dict(zip((row.name for row in CLASSES), broad_of(CLASSES), strict=True))
    chosen = {"a goldfish": "underwater", "a tiger": "animal", "a hammer": "tool", "a castle": "building",
              "a pizza": "food", "a soccer ball": "toy", "an acoustic guitar": "instrument"}  # fmt: skip
    assert {name: KEYS[of[name] or 0] for name in chosen} == chosen


def test_the_head_gives_a_distribution(head: BroadHead) -> None:
    answer = head(torch.rand(2560, generator=torch.Generator().manual_seed(0)), EVEN)
    assert answer.shape == (len(BROAD),)
    assert math.isclose(float(answer.sum()), 1, abs_tol=1e-5)
    assert float(answer.min()) >= 0


def test_what_the_classes_agree_on_speaks_for_a_broad_class(head: BroadHead) -> None:
    features = torch.full((2560,), 0.4)
    tools = classes(hammer=0.3, screwdriver=0.3, power_drill=0.3)
    assert head(features, tools)[INDEX["tool"]] > head(features, EVEN)[INDEX["tool"]]


def test_known_pictures_are_of_their_broad_class(likeliest: Callable[[Image.Image], str]) -> None:
    assert likeliest(pictures.portrait()) == "person"
    assert likeliest(pictures.cat()) == "animal"
    assert likeliest(pictures.plain((90, 120, 200))) == likeliest(pictures.noise(1)) == "nothing"


def test_people_need_no_face() -> None:
    assert SUBJECTS.name(EVEN, NOBODY, broad(person=0.8)) == "a person"
    assert SUBJECTS.name(EVEN, NOBODY, broad(people=0.6, person=0.2)) == "a group of people"
    assert SUBJECTS.name(classes(kimono=0.7), NOBODY, broad(person=0.7)) == "a person in a kimono"
    assert SUBJECTS.name(classes(acoustic_guitar=0.7), NOBODY, broad(person=0.7)) == "a person with an acoustic guitar"


def test_a_face_where_nothing_else_looks_like_a_person_is_none() -> None:
    galaxy = broad(space=0.99)
    assert SUBJECTS.name(EVEN, Faces(1, 0.5), galaxy) == "outer space"
    assert SUBJECTS.name(EVEN, Faces(1, 0.5), broad(person=0.3, space=0.6)) == "a portrait of a person"


def test_a_scene_that_no_class_names_is_named() -> None:
    assert SUBJECTS.name(EVEN, NOBODY, broad(trees=0.7)) == "trees"
    assert SUBJECTS.name(EVEN, NOBODY, broad(street=0.7)) == "a city street"
    assert SUBJECTS.name(EVEN, NOBODY, broad(mountains=0.25, landscape=0.25, water=0.2)) == "a landscape"


def test_a_kind_of_thing_that_no_class_supports_is_not_named() -> None:
    assert SUBJECTS.name(EVEN, NOBODY, broad(tool=0.6)) == ""
    assert SUBJECTS.name(classes(hammer=0.1, screwdriver=0.1), NOBODY, broad(tool=0.6)) == "a tool or utensil"


def test_a_name_that_the_broad_classes_rule_out_is_not_used() -> None:
    assert SUBJECTS.name(classes(shower_curtain=0.8), NOBODY, broad(street=0.95)) == "a city street"
    assert SUBJECTS.name(classes(tabby_cat=0.95), NOBODY, broad(street=0.95)) == "a tabby cat"


def test_doubt_among_the_broad_classes_changes_nothing() -> None:
    for shares in (classes(golden_retriever=0.9), classes(abacus=0.35), EVEN):
        assert SUBJECTS.name(shares, NOBODY, broad()) == SUBJECTS.name(shares, NOBODY)


def test_an_image_lies_near_its_broad_class(engine: Engine) -> None:
    person, building = engine.text.embed(["a person", "a building"])
    image = engine.embed_images([pictures.portrait()])[0]
    assert float(image @ person) > float(image @ building)
