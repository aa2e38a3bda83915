"""Bytes to an RGB image. The only place that opens untrusted files: whatever the bytes, the outcome is an image or a
typed error with a sentence for the person who sent them."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from interrogator.errors import (
    EmptyImageError,
    ImageTooLargeError,
    InterrogatorError,
    MissingFrameError,
    UnreadableImageError,
)
from interrogator.file_kinds import SUPPORTED, WANTED, is_heic, kind_of
from interrogator.frames import count_frames, go_to_frame
from interrogator.hidden_bytes import hidden_bytes
from interrogator.limits import MAX_FILE_BYTES, MAX_FRAME
from interrogator.timed_file import OutOfTimeError, TimedFile

HOSTILE_FILE_ERRORS = (
    OSError,  # truncated data, decoder failures, unidentified files
    SyntaxError,  # Pillow's own signal for a broken header
    ValueError,  # impossible sizes, text chunks over their limit, bad encodings
    struct.error,  # headers that end early
    EOFError,  # frames and strips that are not there
    zlib.error,  # damaged PNG and TIFF streams
    IndexError,  # tables shorter than they claim
    KeyError,  # unknown modes, tags and compressions
    TypeError,  # tags of another type than their specification
    AttributeError,  # tags that are missing where a plugin relies on them
    OverflowError,  # offsets beyond a C integer
    ZeroDivisionError,  # zero in resolutions and strip heights
    RuntimeError,  # libavif and libwebp wrappers; NotImplementedError and RecursionError are among them
    AssertionError,  # Pillow asserts some header fields
    MemoryError,  # a header that asks for more than the machine has
)
"""What Pillow's plugins are known to raise on damaged or hostile files: it documents OSError only."""

_OWN_FORMATS = tuple(name for name in SUPPORTED if name != "HEIF")
"""What Pillow opens itself."""

_MIRRORED_OR_TURNED: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNED_SIDEWAYS = frozenset({5, 6, 7, 8})
_STRIP_PIXELS = 1_000_000
COUNT_SECONDS = 2.0  # some ten thousand frames


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read. `bytes` of the file, `pixels` of one frame (checked before anything is decoded, and with
    them the memory: some 20 bytes each), the last `frame` that may be asked for, the `seconds` of reading and decoding,
    and the longest `side` in pixels of the image that is handed on: models look at a few hundred."""

    bytes: int = MAX_FILE_BYTES
    pixels: int = 64_000_000
    frame: int = MAX_FRAME
    seconds: float = 10.0
    side: int = 1536


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """`image` is RGB, upright, at most `Limits.side` on its longest side; `width` and `height` are the pixels of the
    original as a person sees it. It is `frame` of the `frames` of the file, as far as these are undamaged and soon
    counted. `hidden` is what `interrogator.hidden_bytes` found in its pixels."""

    image: Image.Image
    width: int
    height: int
    frame: int = 1
    frames: int = 1
    hidden: bytes = b""


def open_image(data: bytes, limits: Limits | None = None, *, frame: int = 1) -> LoadedImage:
    """A frame of a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC file, upright and in RGB, transparency on white.

    `frame` is counted from 1: the pictures of an animation as they are shown, the pages of a TIFF, the images of a HEIC
    beginning with the one that it names as its own.
    A file that ends early is refused, not read in part: half an image would get a confident wrong prompt.
    Raises EmptyImageError, ImageTooLargeError, MissingFrameError or UnreadableImageError, and nothing else, whatever
    the bytes.
    Not for several threads at once: it silences Pillow's warnings on damaged metadata, which is a global setting.
    """
    limits = limits or Limits()
    if not data:
        raise EmptyImageError("That file is empty (0 bytes). It may not have finished uploading: please send it again.")
    if len(data) > limits.bytes:
        raise ImageTooLargeError(
            f"That file has {len(data) / 1e6:.0f} MB and I read up to {limits.bytes / 1e6:.0f} MB. "
            "Please send a smaller copy."
        )
    if frame > limits.frame:
        raise ImageTooLargeError(f"I look at the first {limits.frame:,} frames of a file. Please choose one of those.")
    with _strict_about_bombs_only():
        try:
            return _decode(data, limits, frame)
        except OutOfTimeError as error:
            raise _too_slow(frame) from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_many_pixels(limits) from error
        except UnidentifiedImageError as error:
            raise UnreadableImageError(_why_unidentified(data)) from error
        except HOSTILE_FILE_ERRORS as error:
            raise _damaged(data, error) from error


def embedded_blocks(data: bytes) -> tuple[bytes, bytes]:
    """The EXIF block and the XMP packet of a file, empty where there is none or the file is damaged; no pixel is
    decoded. Not for several threads at once, as `open_image`."""
    refusals = (OutOfTimeError, Image.DecompressionBombError, Image.DecompressionBombWarning, *HOSTILE_FILE_ERRORS)
    with _strict_about_bombs_only():
        try:
            with Image.open(TimedFile(data, Limits().seconds), formats=_formats(data)) as image:
                blocks = image.info.get("exif"), image.info.get("xmp")
        except refusals:
            return b"", b""
    exif, xmp = (block if isinstance(block, bytes) else b"" for block in blocks)
    return exif, xmp


@contextmanager
def _strict_about_bombs_only() -> Iterator[None]:
    """Warnings on damaged metadata are silent, those on too many pixels are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _formats(data: bytes) -> tuple[str, ...]:
    """Pillow's names of what the file may be."""
    if is_heic(data):
        _learn_heic()
        return ("HEIF",)
    return _OWN_FORMATS


@cache
def _learn_heic() -> None:
    """Adds HEIC to Pillow's formats, in this whole process: once, and when the first such file comes."""
    from pillow_heif import register_heif_opener  # noqa: PLC0415  most processes never need it

    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _decode(data: bytes, limits: Limits, frame: int) -> LoadedImage:
    file = TimedFile(data, limits.seconds)
    with Image.open(file, formats=_formats(data)) as image:
        _check_pixels(image, limits)
        if frame > 1:
            if frame > (frames := count_frames(image, data)):
                raise _no_such_frame(frames, limits.frame)
            go_to_frame(image, frame, file)
            _check_pixels(image, limits)
        width, height = image.size
        if image.format == "JPEG":
            image.draft(None, (limits.side, limits.side))  # decodes at 1/2, 1/4 or 1/8: 40 megapixels in a moment
        image.load()
        if image.format == "HEIF":  # its header may announce another size than its picture has
            _check_pixels(image, limits)
            width, height = image.size
        hidden = hidden_bytes(image)
        orientation = _orientation(image)
        picture = _shrink(_eight_bits(image), limits.side)
        if orientation in _MIRRORED_OR_TURNED:
            picture = picture.transpose(_MIRRORED_OR_TURNED[orientation])
        if orientation in _TURNED_SIDEWAYS:
            width, height = height, width
        return LoadedImage(_on_white(picture), width, height, frame, max(frame, _frames(image, data, file)), hidden)


def _frames(image: Image.Image, data: bytes, file: TimedFile) -> int:
    """How many there are; 1 where what follows the picture is damaged or takes long to count, which is no reason to
    refuse that."""
    file.hurry(COUNT_SECONDS)
    try:
        return count_frames(image, data)
    except (OutOfTimeError, *HOSTILE_FILE_ERRORS):
        return 1


def _check_pixels(image: Image.Image, limits: Limits) -> None:
    """Those of the picture, and of the tiles that it says to be made of: each is decoded whole, however small the
    picture is."""
    if image.width * image.height > limits.pixels:
        raise _too_many_pixels(limits, image.size)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        sides = [image.tag_v2.get(tag, 1) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
        if not all(isinstance(side, int) for side in sides) or sides[0] * sides[1] > limits.pixels:
            raise _too_many_pixels(limits)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation; upright where the metadata is damaged, which says nothing of the pixels.

    Read after decoding, since Pillow applies and removes that of TIFF files itself.
    """
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except HOSTILE_FILE_ERRORS:
        return 1
    return value if isinstance(value, int) else 1


def _of_lab(image: Image.Image) -> Image.Image:
    """The colours of a printer's file in RGB, which Pillow by itself does not convert. Raises ValueError."""
    from PIL import ImageCms  # noqa: PLC0415  most processes never need it

    try:
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")
    except ImageCms.PyCMSError as error:
        raise ValueError("its colours cannot be converted") from error
    assert converted is not None  # only where it is converted in place
    return converted


def _eight_bits(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where there is transparency, with 8 bits a channel."""
    if image.mode.startswith(("I", "F")):
        return _scaled_to_eight_bits(image)
    if image.mode == "LAB":
        return _of_lab(image)
    transparent = image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _scaled_to_eight_bits(image: Image.Image) -> Image.Image:
    """Grayscale of 16 or 32 bits, by its range: Pillow's own conversion clips at 255, which turns it white. In strips,
    which take little memory beside the image."""
    low, high = _range_of(image)
    scaled = np.empty((image.height, image.width), np.uint8)
    for top, values in _strips(image):
        scaled[top : top + len(values)] = ((values - low) * (255.0 / (high - low or 1.0))).round()
    return Image.fromarray(scaled).convert("RGB")


def _range_of(image: Image.Image) -> tuple[float, float]:
    """What is black and what is white: the whole range of the kind of numbers that these are likely to be."""
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    bounds = [(float(values.min()), float(values.max())) for _, values in _strips(image)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    if low >= 0 and 255 < high <= 65535:
        return 0.0, 65535.0
    if image.mode == "F" and low >= 0 and high <= 1:
        return 0.0, 1.0
    return (0.0, 255.0) if low >= 0 and high <= 255 else (low, high)


def _strips(image: Image.Image) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Some rows at a time, with the number of the first; 0 for what is not finite."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        values = np.asarray(strip, dtype=np.float32)
        yield top, np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) if image.mode == "F" else values


def _shrink(image: Image.Image, side: int) -> Image.Image:
    """At most `side` on the longest side, at least one pixel on the other."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    return paper.convert("RGB")


def _too_many_pixels(limits: Limits, size: tuple[int, int] | None = None) -> ImageTooLargeError:
    measured = f"is {size[0]} × {size[1]} pixels" if size else "has more pixels than I can count"  # noqa: RUF001
    return ImageTooLargeError(
        f"That picture {measured}; I read up to {limits.pixels / 1e6:.0f} megapixels. Please send a smaller copy."
    )


def _no_such_frame(frames: int, last: int) -> MissingFrameError:
    if frames == 1:
        return MissingFrameError("That file has one frame only. Leave the frame out, or choose 1.")
    return MissingFrameError(f"That file has {frames:,} frames; choose 1 to {min(frames, last):,}.")


def _too_slow(frame: int) -> ImageTooLargeError:
    advice = "Please choose an earlier frame." if frame > 1 else "Please send a simpler copy."
    return ImageTooLargeError(f"That picture takes too long to read. {advice}")


def _why_unidentified(data: bytes) -> str:
    kind = kind_of(data)
    if kind is None:
        return f"That file is not a picture that I can read. {WANTED}"
    if kind.readable:
        return f"That file begins like {kind.name}, but the rest of it is damaged. Please send it again."
    return f"That is {kind.name}, not a picture that I can read. {WANTED}"


def _damaged(data: bytes, error: Exception) -> InterrogatorError:
    if isinstance(error, MemoryError):
        return ImageTooLargeError("That picture needs more memory than I have. Please send a smaller copy.")
    kind = kind_of(data)
    name = kind.name if kind else "a picture"
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return UnreadableImageError(f"That file is {name} that ends early: a part is missing. Please send it again.")
    return UnreadableImageError(f"That file is {name}, but it is damaged and cannot be read. Please send it again.")
