"""Faces are found where they are and nowhere else."""

from __future__ import annotations

import engine_pictures as pictures
import pytest
from PIL import Image

from interrogator.engines.lite.faces import FaceFinder

FIND = FaceFinder()


def test_a_portrait_has_one_face_whatever_its_size() -> None:
    portrait = pictures.portrait()
    for picture in (portrait, portrait.resize((256, 256)), portrait.resize((1500, 1500))):
        assert FIND(picture).count == 1


def test_two_portraits_side_by_side_have_two_faces() -> None:
    bust = pictures.portrait().crop((100, 0, 356, 256))
    pair = Image.new("RGB", (512, 256))
    pair.paste(bust, (0, 0))
    pair.paste(bust, (256, 0))
    assert FIND(pair).count == 2


def test_a_crop_of_the_face_has_a_larger_face() -> None:
    crop = pictures.portrait().crop((130, 10, 330, 230))
    assert FIND(crop).largest > 2 * FIND(pictures.portrait()).largest


@pytest.mark.parametrize(
    "picture",
    [pictures.cat(), pictures.coffee(), pictures.rocket(), pictures.noise(5), pictures.plain((9, 9, 9), (20, 20))],
)
def test_what_has_no_face_has_none(picture: Image.Image) -> None:
    assert FIND(picture).count == 0
