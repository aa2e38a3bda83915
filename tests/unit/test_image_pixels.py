"""Every pixel is what a person sees: orientation, transparency, palettes, deep and print colours, in each format."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from interrogator.images import open_image

pillow_heif.register_heif_opener()  # to write such files: the code under test registers for itself
LOSSY = {"JPEG": 6.0, "WEBP": 6.0, "AVIF": 6.0, "HEIF": 6.0}
ORIENTED = ("JPEG", "TIFF", "PNG", "WEBP", "AVIF", "HEIF")
# How the stored picture of each orientation comes to be from the one that is seen.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
Pixels = NDArray[np.uint8]


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    """Another colour in each corner."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 30, 30)
    pixels[: height // 2, width // 2 :] = (30, 200, 60)
    pixels[height // 2 :, : width // 2] = (40, 60, 210)
    pixels[height // 2 :, width // 2 :] = (230, 220, 50)
    return Image.fromarray(pixels)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data: bytes) -> NDArray[np.int64]:
    return np.asarray(open_image(data).image, dtype=np.int64)


def assert_seen(data: bytes, expected: Image.Image | Pixels, tolerance: float = 0.0) -> None:
    """The mean difference, so that an edge in a lossy format counts little and a wrong quarter much."""
    wanted = np.asarray(expected, dtype=np.int64)
    found = read(data)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).mean() <= tolerance


def on_white(pixels: Pixels, alpha: NDArray[np.float64]) -> Pixels:
    seen = pixels * alpha[..., None] + 255 * (1 - alpha[..., None])
    return seen.round().astype(np.uint8)


def fading(side: int = 64) -> tuple[Image.Image, Pixels]:
    """From nothing on the left to the full colour on the right; and how it looks on white."""
    pixels = np.asarray(quarters(side, side))
    alpha = np.tile(np.linspace(0, 255, side).round(), (side, 1))
    whole = np.dstack([pixels, alpha.astype(np.uint8)])
    return Image.fromarray(whole, "RGBA"), on_white(pixels, alpha / 255)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ORIENTED)
def test_every_corner_is_where_it_was_before_the_camera_was_turned(kind: str, orientation: int) -> None:
    seen = quarters()
    turned = STORED[orientation]
    stored = seen.transpose(turned) if turned is not None else seen
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_seen(saved(stored, kind, exif=exif.tobytes(), quality=95), seen, LOSSY.get(kind, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_what_is_half_transparent_is_mixed_with_white(kind: str) -> None:
    image, seen = fading()
    assert_seen(saved(image, kind, quality=95), seen, LOSSY.get(kind, 0.6))


def test_colours_that_are_multiplied_with_their_transparency_are_mixed_just_as_well() -> None:
    image, seen = fading()
    assert_seen(plain_tiff(np.asarray(image)), seen, 0.6)
    assert_seen(plain_tiff(np.asarray(image.convert("RGBa")), premultiplied=True), seen, 2.0)


def test_gray_with_transparency_is_mixed_with_white() -> None:
    gray = np.full((8, 8), 40, np.uint8)
    alpha = np.tile(np.linspace(0, 255, 8).round().astype(np.uint8), (8, 1))
    seen = on_white(np.dstack([gray] * 3), alpha / 255)
    assert_seen(saved(Image.fromarray(np.dstack([gray, alpha]), "LA"), "PNG"), seen, 0.6)


def test_a_palette_with_degrees_of_transparency_is_mixed_with_white() -> None:
    image = Image.fromarray(np.tile(np.arange(4, dtype=np.uint8), (4, 1)), "P")
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 10, 20, 30])
    seen = on_white(np.asarray(image.convert("RGB")), np.tile([0, 64 / 255, 128 / 255, 1.0], (4, 1)))
    assert_seen(saved(image, "PNG", transparency=bytes([0, 64, 128, 255])), seen, 0.6)


def test_one_colour_of_a_gif_that_is_transparent_is_white() -> None:
    image = Image.fromarray(np.tile(np.arange(3, dtype=np.uint8), (4, 1)), "P")
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    seen = np.asarray(image.convert("RGB")).copy()
    seen[:, 1] = 255
    assert_seen(saved(image, "GIF", transparency=1), seen)


def test_one_colour_of_a_png_without_palette_that_is_transparent_is_white() -> None:
    seen = np.asarray(quarters()).copy()
    image = Image.fromarray(seen)
    seen[:32, :48] = 255
    assert_seen(saved(image, "PNG", transparency=(220, 30, 30)), seen)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_the_colours_of_a_palette_are_those_seen(kind: str) -> None:
    image = quarters().quantize(4)
    assert_seen(saved(image, kind), image.convert("RGB"))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_black_and_white_are_not_exchanged(kind: str) -> None:
    image = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (4, 8))).convert("1")
    assert_seen(saved(image, kind), image.convert("RGB"))


def test_a_fax_whose_white_is_zero_is_not_inverted() -> None:
    image = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (4, 8))).convert("1")
    assert_seen(saved(image, "TIFF", compression="group4"), image.convert("RGB"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "AVIF", "HEIF", "GIF"])
def test_gray_is_gray(kind: str) -> None:
    ramp = Image.fromarray(np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1)))
    assert_seen(saved(ramp, kind), ramp.convert("RGB"), LOSSY.get(kind, 0))


def deep_png(samples: NDArray[np.uint16], colour_type: int) -> bytes:
    """16 bits a sample, which Pillow writes of gray alone. `samples` is (height, width, channels)."""
    height, width, _ = samples.shape

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def plain_tiff(samples: NDArray[np.uint8] | NDArray[np.uint16], *, premultiplied: bool = False) -> bytes:
    """Uncompressed and little-endian. `samples` is (height, width, 3), or 4 with transparency."""
    height, width, channels = samples.shape
    bits = 8 * samples.itemsize
    body = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    extra = [(338, 1 if premultiplied else 2)] if channels == 4 else []
    tags = [(256, width), (257, height), (258, 0), (259, 1), (262, 2), (273, 0), (277, channels), (278, height)]
    tags += [(279, len(body)), *extra]
    depths = 8 + 2 + 12 * len(tags) + 4
    begin = depths + 2 * channels
    entries = b""
    for tag, value in tags:
        if tag == 258:
            entries += struct.pack("<HHII", tag, 3, channels, depths)
        else:
            entries += struct.pack("<HHII", tag, 4, 1, begin if tag == 273 else value)
    start = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    return start + struct.pack(f"<{channels}H", *[bits] * channels) + body


def deep(pixels: Pixels) -> NDArray[np.uint16]:
    return pixels.astype(np.uint16) * 257


def test_deep_colours_are_the_same_ones() -> None:
    pixels = np.asarray(quarters())
    assert_seen(deep_png(deep(pixels), 2), pixels, 1)
    assert_seen(plain_tiff(deep(pixels)), pixels, 1)


def test_deep_transparency_is_mixed_with_white() -> None:
    image, seen = fading()
    assert_seen(deep_png(deep(np.asarray(image)), 6), seen, 1)
    assert_seen(plain_tiff(deep(np.asarray(image))), seen, 1)
    gray = np.full((8, 8, 2), 40, np.uint8)
    gray[:, :4, 1] = 0
    gray[:, 4:, 1] = 255
    expected = np.full((8, 8, 3), 255, np.uint8)
    expected[:, 4:] = 40
    assert_seen(deep_png(deep(gray), 4), expected, 1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_deep_gray_is_scaled_as_a_whole_however_large(kind: str) -> None:
    """More rows than are scaled at a time, with the brightest in the last one."""
    rows = np.linspace(0, 65535, 700, dtype=np.uint16)
    image = Image.fromarray(np.tile(rows[:, None], (1, 1500)))
    expected = (rows / 257).round().astype(np.uint8)
    found = read(saved(image, kind))[:, 700]
    assert np.abs(found - expected[:, None]).max() <= 1


def test_numbers_of_any_range_are_scaled_as_a_whole() -> None:
    rows = np.linspace(-5.0, 70_000.0, 700, dtype=np.float32)
    rows[3] = np.nan
    image = Image.fromarray(np.tile(rows[:, None], (1, 1500)))
    found = read(saved(image, "TIFF"))[:, 700, 0]
    assert (found[0], found[-1]) == (0, 255)
    assert np.abs(found[10:] - np.linspace(0, 255, 700).round()[10:]).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_print_colours_are_those_seen(kind: str) -> None:
    image = quarters().convert("CMYK")
    assert_seen(saved(image, kind, quality=95), image.convert("RGB"), LOSSY.get(kind, 0))
