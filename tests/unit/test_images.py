"""Bytes to an image: what people send is read as they see it, whatever else is refused with a sentence."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import zlib

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from interrogator.errors import EmptyImageError, ImageTooLargeError, InterrogatorError, UnreadableImageError
from interrogator.images import Limits, LoadedImage, open_image

pillow_heif.register_heif_opener()  # to write such files: the code under test registers for itself
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
REFUSALS = (EmptyImageError, ImageTooLargeError, UnreadableImageError)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scene(mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Red on the left, blue on the right, with some noise so that it does not compress to nothing."""
    noise = np.random.default_rng(1).integers(0, 20, (size[1], size[0], 3), dtype=np.uint8)
    noise[:, : size[0] // 2, 0] += 220
    noise[:, size[0] // 2 :, 2] += 220
    return Image.fromarray(noise).convert(mode)


def outcome(data: bytes) -> LoadedImage | InterrogatorError:
    try:
        return open_image(data)
    except InterrogatorError as error:
        return error


def bomb(width: int, height: int) -> bytes:
    """A PNG that announces its size and carries next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_promised_format_is_read(kind: str) -> None:
    loaded = open_image(saved(scene(), kind))
    assert (loaded.image.mode, loaded.width, loaded.height) == ("RGB", 40, 20)
    red, _, blue = loaded.image.getpixel((5, 10))
    assert red > blue + 100


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr"])
def test_every_common_mode_is_read(mode: str) -> None:
    source = scene("L").convert(mode) if mode != "I;16" else Image.fromarray(np.zeros((20, 40), np.uint16))
    kind = "JPEG" if mode == "YCbCr" else "PNG" if mode in {"1", "L", "P", "LA", "RGBA", "I;16"} else "TIFF"
    assert open_image(saved(source, kind)).image.mode == "RGB"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG", "WEBP", "AVIF", "HEIF"])
def test_pictures_stand_as_the_camera_meant_them(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    loaded = open_image(saved(scene(), kind, exif=exif.tobytes()))  # in AVIF and HEIC it becomes a property
    upright = orientation in {1, 2, 3, 4}
    assert (loaded.width, loaded.height) == ((40, 20) if upright else (20, 40))
    assert loaded.image.size == (loaded.width, loaded.height)
    first = loaded.image.getpixel((2, 2))
    assert (first[0] > first[2]) == (orientation in {1, 4, 5, 6})  # red is where the top left corner should be


def test_transparency_becomes_white() -> None:
    assert open_image(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 0)))).image.getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([0, 0, 0])
    assert open_image(saved(palette, transparency=0)).image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "HEIF", "TIFF"])
def test_transparency_becomes_white_in_every_format_that_has_it(kind: str) -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert min(open_image(saved(clear, kind)).image.getpixel((32, 32))) >= 250


def test_heic_of_more_than_8_bits_is_read() -> None:
    deep = pillow_heif.from_bytes("RGB;16", (64, 64), np.full((64, 64, 3), 32768, np.uint16).tobytes())
    buffer = io.BytesIO()
    deep.save(buffer)
    assert all(abs(value - 128) <= 2 for value in open_image(buffer.getvalue()).image.getpixel((32, 32)))


def test_a_container_brand_is_opened_by_what_is_in_it() -> None:
    for kind, brand in (("HEIF", b"heic"), ("AVIF", b"avif")):
        data = saved(scene(), kind)
        assert data[8:12] == brand
        renamed = data[:8] + b"mif1" + data[12:16] + brand + data[20:]
        assert open_image(renamed).width == 40


def test_nothing_of_heic_is_loaded_before_such_a_file_comes() -> None:
    code = """
import io, sys
from PIL import Image
from interrogator.images import open_image
buffer = io.BytesIO()
Image.new("RGB", (4, 4)).save(buffer, "PNG")
open_image(buffer.getvalue())
assert "pillow_heif" not in sys.modules
print(open_image(sys.stdin.buffer.read()).width)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input=saved(scene(), "HEIF"), capture_output=True, check=True, timeout=120
    )
    assert done.stdout.strip() == b"40"


def test_a_heic_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    data = saved(Image.new("RGB", (64, 64)), "HEIF")
    huge = data.replace(struct.pack(">II", 64, 64), struct.pack(">II", 20_000, 20_000))
    assert huge != data
    assert isinstance(outcome(huge), ImageTooLargeError)


def test_grayscale_of_16_bits_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(1, 256)
    read = np.asarray(open_image(saved(Image.fromarray(ramp))).image)[0, :, 0]
    assert np.abs(read.astype(int) - np.arange(256)).max() <= 1


def test_print_colours_are_not_inverted() -> None:
    red, green, blue = open_image(saved(scene("CMYK"), "JPEG")).image.getpixel((5, 10))
    assert red > 150 > max(green, blue)


def test_the_colours_of_lab_are_those_that_are_seen() -> None:
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    printed = ImageCms.profileToProfile(scene(), rgb, lab, outputMode="LAB")
    assert printed is not None
    loaded = open_image(saved(printed, "TIFF"))
    assert np.abs(np.asarray(loaded.image).astype(int) - np.asarray(scene()).astype(int)).mean() < 10


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_the_first_frame_of_an_animation_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    red, _, blue = open_image(saved(frames[0], kind, save_all=True, append_images=frames[1:])).image.getpixel((9, 9))
    assert red > 240
    assert blue < 15


def test_one_pixel_is_an_image_and_so_is_a_line() -> None:
    assert open_image(saved(Image.new("RGB", (1, 1), "green"))).image.size == (1, 1)
    line = open_image(saved(Image.new("L", (9000, 1))))
    assert (line.width, line.image.size) == (9000, (1536, 1))


def test_a_large_picture_is_handed_on_small_and_remembers_its_size() -> None:
    loaded = open_image(saved(Image.new("RGB", (6000, 3000)), "JPEG"))
    assert (loaded.width, loaded.height, loaded.image.size) == (6000, 3000, (1536, 768))


@pytest.mark.parametrize("size", [(8001, 8001), (20_000, 20_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(ImageTooLargeError, match="64 megapixels"):
        open_image(bomb(*size))


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(ImageTooLargeError, match="MB"):
        open_image(b"x" * 2_000_000, Limits(bytes=1_000_000))


def test_an_empty_file_says_so() -> None:
    with pytest.raises(EmptyImageError, match="0 bytes"):
        open_image(b"")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "a video"),
        (b"\x1aE\xdf\xa3\x00\x00", "a video"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript file"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, name: str) -> None:
    with pytest.raises(UnreadableImageError, match=f"That is {name}.*PNG, JPEG, WebP"):
        open_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "HEIF"])
def test_a_file_cut_short_is_refused_with_a_sentence(kind: str) -> None:
    data = saved(scene(size=(200, 200)), kind)
    with pytest.raises(UnreadableImageError, match="send it again"):
        open_image(data[: len(data) // 2])


@given(st.binary(max_size=300))
def test_any_bytes_give_an_image_or_a_typed_error(data: bytes) -> None:
    assert isinstance(outcome(data), (LoadedImage, *REFUSALS))


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_give_an_image_or_a_typed_error(kind: str) -> None:
    whole = saved(scene(size=(24, 24)), kind)
    for seed in range(120):
        chance = random.Random(f"{kind}{seed}")
        data = bytearray(whole[: chance.choice([len(whole), chance.randrange(1, len(whole))])])
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(min(len(data), chance.choice([40, len(whole)])))] = chance.randrange(256)
        assert isinstance(outcome(bytes(data)), (LoadedImage, *REFUSALS)), (kind, seed)
