"""What a folder is searched for is what can be opened, and nothing that can be opened is passed over."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features
from pillow_heif import register_heif_opener

from interrogator.cli.inputs import IMAGE_SUFFIXES, find_images, read_image
from interrogator.file_kinds import SUPPORTED
from interrogator.images import open_image

Image.init()
register_heif_opener()  # as `interrogator.images` does before the first file of that kind
SUFFIXES = {suffix for suffix, name in Image.registered_extensions().items() if name in SUPPORTED}

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def test_every_ending_of_an_openable_format_is_looked_for() -> None:
    assert SUFFIXES <= IMAGE_SUFFIXES


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_a_file_of_every_such_ending_is_found_and_opened(suffix: str, tmp_path: Path) -> None:
    name = {".dib": "BMP", ".mpo": "MPO"}.get(suffix) or Image.registered_extensions().get(suffix)
    if name is None or name not in Image.SAVE:
        pytest.skip("this Pillow cannot write it")
    Image.new("RGB", (8, 6), "teal").save(tmp_path / f"a{suffix}", name)
    (path,) = find_images([str(tmp_path)]).images
    opened = open_image(read_image(path))
    assert (opened.width, opened.height, opened.image.mode) == (8, 6, "RGB")


def deep_grey() -> Image.Image:
    return Image.fromarray((np.arange(48, dtype=np.uint16) * 1365).reshape(6, 8))


@pytest.mark.parametrize(
    ("picture", "name"),
    [
        pytest.param(Image.new("RGBA", (8, 6), (0, 128, 128, 64)), "a.webp", id="a transparent WebP"),
        pytest.param(Image.new("RGBA", (8, 6), (0, 128, 128, 64)), "a.png", id="a transparent PNG"),
        pytest.param(Image.new("RGBA", (8, 6), (0, 128, 128, 64)), "a.avif", id="a transparent AVIF", marks=needs_avif),
        pytest.param(Image.new("LA", (8, 6), (99, 64)), "a.png", id="grey and transparent"),
        pytest.param(Image.new("P", (8, 6)), "a.gif", id="a palette"),
        pytest.param(Image.new("CMYK", (8, 6)), "a.tiff", id="four inks"),
        pytest.param(Image.new("1", (8, 6)), "a.tiff", id="black and white"),
        pytest.param(deep_grey(), "a.png", id="16 bits a pixel"),
        pytest.param(deep_grey(), "a.tiff", id="16 bits a pixel, TIFF"),
    ],
)
def test_every_kind_of_pixel_is_opened(picture: Image.Image, name: str, tmp_path: Path) -> None:
    picture.save(tmp_path / name)
    (path,) = find_images([str(tmp_path)]).images
    opened = open_image(read_image(path))
    assert (opened.image.mode, opened.image.size) == ("RGB", (8, 6))


def test_deep_grey_keeps_its_range() -> None:
    buffer = io.BytesIO()
    deep_grey().save(buffer, "PNG")
    low, high = open_image(buffer.getvalue()).image.convert("L").getextrema()
    assert (low, high) == (0, round(47 * 1365 / 257))
