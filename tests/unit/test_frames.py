"""Animations and documents of several pages: each picture of them can be asked for, and none costs without bound."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from interrogator.errors import ImageTooLargeError, InterrogatorError, MissingFrameError, UnreadableImageError
from interrogator.images import Limits, open_image

pillow_heif.register_heif_opener()  # to write such files: the code under test registers for itself
WITH_FRAMES = ("GIF", "PNG", "WEBP", "AVIF", "TIFF", "HEIF")
FORMATS = (*WITH_FRAMES, "JPEG", "BMP")
COLOURS = ("red", "lime", "blue", "yellow", "magenta")
PNG_START = 8


def animation(kind: str, frames: Sequence[Image.Image], **options: object) -> bytes:
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], **options)
    return buffer.getvalue()


def colours(kind: str, **options: object) -> bytes:
    return animation(kind, [Image.new("RGB", (64, 64), colour) for colour in COLOURS], **options)


def moving_square(count: int = 5, size: int = 96) -> list[Image.Image]:
    """On a background that stays: what a writer stores of a later frame is the part that has changed."""
    ramp = np.tile(np.linspace(40, 120, size, dtype=np.uint8), (size, 1))
    background = np.stack([ramp, ramp.T, np.full_like(ramp, 90)], axis=2)
    frames = []
    for place in range(count):
        picture = background.copy()
        picture[8:40, 8 + 12 * place : 40 + 12 * place] = (240, 240, 20)
        frames.append(Image.fromarray(picture))
    return frames


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=int) - np.asarray(other.convert("RGB"), dtype=int)).mean())


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def gif_of(count: int, side: int) -> bytes:
    """A GIF that repeats its whole frame."""
    frame = Image.new("L", (side, side), 128)
    buffer = io.BytesIO()
    frame.save(buffer, "GIF")
    data = buffer.getvalue()
    start = data.index(b",\0\0\0\0")  # the image descriptor
    return data[:start] + data[start:-1] * count + b";"


@pytest.mark.parametrize("kind", WITH_FRAMES)
def test_each_frame_of_every_format_that_has_some_is_found(kind: str) -> None:
    data = colours(kind)
    for number, colour in enumerate(COLOURS, 1):
        loaded = open_image(data, frame=number)
        assert (loaded.frame, loaded.frames) == (number, len(COLOURS))
        assert difference(loaded.image, Image.new("RGB", (64, 64), colour)) < 4
    assert open_image(data).frame == 1


@pytest.mark.parametrize("kind", WITH_FRAMES)
def test_a_frame_is_what_is_shown_then_not_the_part_that_is_stored(kind: str) -> None:
    frames = moving_square()
    data = animation(kind, frames)
    for number, frame in enumerate(frames, 1):
        assert difference(open_image(data, frame=number).image, frame) < (12 if kind == "GIF" else 4), number


@pytest.mark.parametrize("disposal", [0, 1])
def test_what_a_frame_leaves_behind_is_as_it_says(disposal: int) -> None:
    """PNG: all of it, or nothing."""
    frames = moving_square()
    data = animation("PNG", frames, disposal=disposal, blend=0)
    for number, frame in enumerate(frames, 1):
        assert difference(open_image(data, frame=number).image, frame) == 0


@pytest.mark.parametrize("kind", WITH_FRAMES)
def test_a_frame_that_is_not_there_is_a_sentence_with_those_that_are(kind: str) -> None:
    with pytest.raises(MissingFrameError, match=r"^That file has 5 frames; choose 1 to 5\.$"):
        open_image(colours(kind), frame=6)


@pytest.mark.parametrize("kind", FORMATS)
def test_of_a_file_with_one_picture_there_is_one_frame(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, kind)
    assert open_image(buffer.getvalue()).frames == 1
    with pytest.raises(MissingFrameError, match="one frame only"):
        open_image(buffer.getvalue(), frame=2)


def test_the_further_pictures_of_a_jpeg_are_no_frames() -> None:
    """Previews, depth maps and the other eye's view."""
    data = animation("MPO", [Image.new("RGB", (64, 64), colour) for colour in COLOURS])
    assert (open_image(data).frames, open_image(data).image.getpixel((9, 9))[0] > 240) == (1, True)


@pytest.mark.parametrize("kind", ["TIFF", "HEIF"])
def test_pages_have_sizes_of_their_own(kind: str) -> None:
    sizes = [(64, 64), (128, 64), (64, 192)]
    data = animation(kind, [Image.new("RGB", size, "teal") for size in sizes])
    opened = [open_image(data, frame=number) for number in (1, 2, 3)]
    assert [(one.width, one.height) for one in opened] == [one.image.size for one in opened] == sizes


def test_frame_1_of_a_heic_is_the_one_that_it_names_as_its_own() -> None:
    data = colours("HEIF", primary_index=2)
    shown = [open_image(data, frame=number).image for number in range(1, 6)]
    for image, colour in zip(shown, ("blue", "red", "lime", "yellow", "magenta"), strict=True):
        assert difference(image, Image.new("RGB", (64, 64), colour)) < 4


def test_a_page_that_is_too_large_is_refused_and_the_others_are_read() -> None:
    data = animation("TIFF", [Image.new("1", (64, 64)), Image.new("1", (9000, 9000))], compression="group4")
    assert open_image(data).frames == 2
    with pytest.raises(ImageTooLargeError, match="9000 × 9000 pixels"):  # noqa: RUF001
        open_image(data, frame=2)


def test_a_number_of_frames_that_is_a_lie_is_not_repeated() -> None:
    data = colours("PNG")
    place = data.index(b"acTL") - 4
    lie = png_chunk(b"acTL", struct.pack(">II", 2_000_000_000, 0))
    assert open_image(data[:place] + lie + data[place + len(lie) :]).frames == 5


def test_a_still_picture_before_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in COLOURS[1:]]
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG", save_all=True, append_images=frames, default_image=True)
    shown = [open_image(buffer.getvalue(), frame=number) for number in range(1, 6)]
    assert [one.frames for one in shown] == [5] * 5
    assert [difference(one.image, Image.new("RGB", (64, 64), c)) for one, c in zip(shown, COLOURS, strict=True)] == [
        0
    ] * 5


def test_damage_in_a_later_frame_does_not_cost_the_first() -> None:
    whole = gif_of(5, 64)
    data = whole[: len(whole) * 3 // 5]
    assert difference(open_image(data).image, Image.new("L", (64, 64), 128)) == 0
    with pytest.raises(InterrogatorError):
        open_image(data, frame=5)


def test_a_frame_beyond_the_limit_is_refused_unseen() -> None:
    with pytest.raises(ImageTooLargeError, match="first 1,000 frames"):
        open_image(b"not read", frame=1001)
    assert open_image(gif_of(1200, 1), Limits(frame=3), frame=3).frames == 1200


@pytest.mark.parametrize("kind", FORMATS)
def test_reading_that_takes_too_long_is_ended(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, kind)
    with pytest.raises(ImageTooLargeError, match="Please send a simpler copy"):
        open_image(buffer.getvalue(), Limits(seconds=0))


def test_the_way_to_a_late_frame_is_ended_and_the_first_is_read_all_the_same() -> None:
    data = gif_of(900, 1000)
    limits = Limits(seconds=0.3)
    with pytest.raises(ImageTooLargeError, match="Please choose an earlier frame"):
        open_image(data, limits, frame=900)
    assert open_image(data).frames == 900


def test_a_header_of_a_million_parts_is_ended() -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"tEXt", b"a\0b") * 1_000_000
    with pytest.raises((ImageTooLargeError, UnreadableImageError)) as refused:
        open_image(data, Limits(seconds=0.2))
    assert "too long" in str(refused.value)


def tiled_tiff(side: int) -> bytes:
    """8 × 8 pixels in one tile that is larger by far, and compresses well."""  # noqa: RUF002
    body = zlib.compress(bytes(min(side * side, 1_000_000)))
    tags = [
        (256, 8),
        (257, 8),
        (258, 8),
        (259, 8),
        (262, 1),
        (277, 1),
        (322, side),
        (323, side),
        (324, 0),
        (325, len(body)),
    ]
    begin = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, begin if tag == 324 else value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + body


def test_a_tile_that_is_larger_than_any_picture_is_refused_before_it_is_decoded() -> None:
    assert open_image(tiled_tiff(64)).image.size == (8, 8)
    with pytest.raises(ImageTooLargeError, match="64 megapixels"):
        open_image(tiled_tiff(20_000))
