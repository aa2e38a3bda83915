"""Cues of the pixels: each said of pictures made to have it, and of none made to lack it."""

from __future__ import annotations

import colorsys

import engine_pictures as pictures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from interrogator.engines.lite.cues import read_cues

OPPOSITES = [("warm", "cool"), ("low-key", "high-key"), ("low contrast", "high contrast"), ("vibrant", "muted")]
PHOTOGRAPHS = [pictures.cat(), pictures.portrait(), pictures.coffee(), pictures.rocket()]


def said(picture: Image.Image) -> set[str]:
    return {cue.text for cue in read_cues(picture)}


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_a_gray_photograph_is_black_and_white_and_has_no_colour(photograph: Image.Image) -> None:
    cues = said(photograph.convert("L").convert("RGB"))
    assert "black and white" in cues
    assert not {cue for cue in cues if "tones" in cue or "colors" in cue}


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_a_photograph_in_colour_is_neither_gray_nor_toned_nor_flat(photograph: Image.Image) -> None:
    assert not {"black and white", "sepia tones", "monochrome palette", "flat colors"} & said(photograph)


@pytest.mark.parametrize("photograph", [pictures.cat(), pictures.portrait(), pictures.coffee()])
def test_a_toned_photograph_is_sepia(photograph: Image.Image) -> None:
    toned = ImageOps.colorize(photograph.convert("L"), black=(30, 18, 8), white=(250, 225, 185))
    assert "sepia tones" in said(toned)


@given(hue=st.integers(200, 245), lightness=st.integers(160, 220))
def test_a_picture_in_blue_has_blue_tones(hue: int, lightness: int) -> None:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue / 360, 0.8, lightness / 255))
    picture = pictures.disc((red, green, blue), (red // 2, green // 2, blue // 2))
    assert "blue tones" in said(picture)
    assert "warm colors" not in said(picture)


@given(backdrop=st.integers(245, 255), colour=st.tuples(*[st.integers(0, 200)] * 3))
def test_an_object_on_white_has_a_white_background_and_is_not_high_key(
    backdrop: int, colour: tuple[int, int, int]
) -> None:
    cues = said(pictures.disc((backdrop,) * 3, colour))
    assert "plain white background" in cues
    assert "high-key lighting" not in cues


def test_the_backdrop_is_named_by_what_it_is() -> None:
    assert "plain black background" in said(pictures.disc((0, 0, 0), (200, 180, 20)))
    assert "plain background" in said(pictures.disc((60, 90, 160), (200, 180, 20)))
    assert not {cue for cue in said(pictures.portrait()) if "background" in cue}


@pytest.mark.parametrize(
    ("size", "expected"),
    [((900, 300), {"panoramic format"}), ((300, 900), {"tall vertical format"}), ((600, 400), set())],
)
def test_the_frame_is_named_where_it_is_unusual(size: tuple[int, int], expected: set[str]) -> None:
    cues = said(pictures.noise(3, size))
    assert cues & {"panoramic format", "tall vertical format"} == expected


def test_a_dark_picture_with_a_light_is_low_key_and_a_bright_one_high_key() -> None:
    dark = Image.eval(pictures.coffee(), lambda level: level // 4)
    dark.paste(pictures.coffee().crop((0, 0, 150, 150)).point(lambda level: min(255, level + 90)), (200, 100))
    bright = Image.eval(pictures.cat(), lambda level: 170 + level // 3)
    assert "low-key lighting" in said(dark)
    assert "high-key lighting" in said(bright)
    assert not {"low-key lighting", "high-key lighting"} & said(pictures.portrait())


def test_contrast_is_told_from_its_absence() -> None:
    faint = Image.eval(pictures.portrait(), lambda level: 110 + level // 6)
    assert "low contrast" in said(faint)
    assert "low contrast" not in said(pictures.portrait())


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_a_picture_beside_its_mirror_image_is_symmetrical(photograph: Image.Image) -> None:
    doubled = Image.new("RGB", (photograph.width * 2, photograph.height))
    doubled.paste(photograph, (0, 0))
    doubled.paste(ImageOps.mirror(photograph), (photograph.width, 0))
    assert "symmetrical composition" in said(doubled)
    assert "symmetrical composition" not in said(photograph)


def test_areas_of_one_colour_are_flat() -> None:
    poster = Image.new("RGB", (240, 240), (230, 60, 40))
    poster.paste((250, 210, 60), (60, 60, 150, 240))
    poster.paste((30, 60, 120), (120, 0, 240, 150))
    assert "flat colors" in said(poster)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 60), height=st.integers(1, 60), low=st.integers(0, 255), seed=st.integers(0, 1000))
def test_no_picture_has_contradictory_cues(width: int, height: int, low: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(low, 256, (height, width, 3), dtype=np.uint8)
    cues = said(Image.fromarray(pixels))
    for one, other in [
        ("warm", "cool"),
        ("low-key", "high-key"),
        ("low contrast", "high contrast"),
        ("vibrant", "muted"),
    ]:
        assert not (any(one in cue for cue in cues) and any(other in cue for cue in cues))
    assert all("," not in cue for cue in cues)
