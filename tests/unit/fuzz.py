"""Damaged image files without end: `make fuzz`, and fewer of them in the tests.

Whatever the bytes: an image or a typed error, parameters or none, in bounded memory and time. Which files are made
depends on the seed alone, so that a failure can be had again: its number is printed.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pillow_heif
import psutil
from generated_files import (
    DRAW_THINGS,
    GRAPH,
    INFOTEXT,
    commented,
    draw_things_xmp,
    png,
    saved,
    unicode_comment,
)
from PIL import Image

from interrogator.errors import (
    EmptyImageError,
    ImageTooLargeError,
    InterrogatorError,
    MissingFrameError,
    UnreadableImageError,
)
from interrogator.images import Limits, open_image
from interrogator.metadata import read_parameters

FILES = 20_000
SEED = 1
MAX_GROWTH = 200_000_000
"""Bytes that the process may grow by: an image of the limit below, decoded and converted, and what parsers hold."""
MAX_SECONDS = 10.0
"""For one file; a machine that does other work is slow."""
LIMITS = Limits(pixels=4_000_000)
EXPECTED = (EmptyImageError, ImageTooLargeError, MissingFrameError, UnreadableImageError)
_INTERESTING = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_HEAD = 400  # where headers and tables are


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. `images` were read all the same; `growth` in bytes, `slowest` in seconds."""

    files: int
    images: int
    parameters: int
    growth: int
    slowest: float


class FuzzError(Exception):
    """A file that made something else of it than an image or a typed error."""


def whole_files() -> list[bytes]:
    """One of every format, and of every place for parameters."""
    pillow_heif.register_heif_opener()  # to write such files
    xmp = draw_things_xmp(DRAW_THINGS)
    plain = [saved(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")]
    compressed = [saved("TIFF", compression=name) for name in ("tiff_lzw", "jpeg", "tiff_deflate", "packbits")]
    carrying = [commented(kind, unicode_comment(INFOTEXT)) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF")]
    texts = [
        {"parameters": INFOTEXT},
        {"prompt": json.dumps(GRAPH)},
        {"Software": "NovelAI", "Comment": json.dumps({"prompt": "a", "uc": "b", "v4_prompt": {"caption": {}}})},
        {"invokeai_metadata": json.dumps({"positive_prompt": "a", "model": {"name": "m"}})},
        {"XML:com.adobe.xmp": xmp},
    ]
    written = [png(one, compressed=packed, international=packed) for one in texts for packed in (False, True)]
    bomb = png({"parameters": "a" * 30_000_000}, compressed=True)
    moving = [animation(kind) for kind in ("GIF", "PNG", "WEBP", "AVIF", "TIFF", "HEIF")]
    return [*plain, *moving, *compressed, *carrying, *written, saved("JPEG", xmp=xmp.encode()), large_file(), bomb]


def animation(kind: str) -> bytes:
    """Three pictures."""
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (24, 16), colour) for colour in ("teal", "olive", "navy")]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def large_file() -> bytes:
    """Few bytes that make many pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (1900, 1900), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def mutated(files: Sequence[bytes], seed: str) -> bytes:
    """One of them with some bytes changed, cut, repeated, or put in from another."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 2, 4, 8, 32))):
        at = chance.randrange(min(len(data), chance.choice((_HEAD, len(data)))) or 1)
        length = chance.randrange(1, 65)
        match chance.randrange(8):
            case 0 | 1 | 2:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                data[at : at + 1] = bytes([chance.choice(_INTERESTING)])
            case 4:  # a length or an offset
                size = chance.choice((2, 4))
                data[at : at + size] = bytes([chance.choice(_INTERESTING)]) * size
            case 5:
                del data[at : at + length]
            case 6:
                data[at:at] = data[at : at + length] * chance.choice((1, 2, 50))
            case _:
                other = chance.choice(files)
                begin = chance.randrange(len(other))
                data[at : at + length] = other[begin : begin + length]
    return bytes(data)


def try_file(data: bytes) -> tuple[bool, bool]:
    """Whether it was an image, and whether it carried parameters. Raises whatever is not expected."""
    carries = read_parameters(data) is not None
    frames = frames_of(data)
    if frames > 1:  # the way to the last leads over the others
        frames_of(data, frames)
    return frames > 0, carries


def frames_of(data: bytes, frame: int = 1) -> int:
    """How many pictures the file has; 0 where this one cannot be read. Raises whatever is not expected."""
    try:
        return open_image(data, LIMITS, frame=frame).frames
    except InterrogatorError as error:
        if not isinstance(error, EXPECTED) or not str(error).strip():
            raise FuzzError(f"{type(error).__name__} is not an answer to a file") from error
        return 0


def fuzz(files: int, seed: int = SEED) -> Outcome:
    """Tries so many files. Raises FuzzError, which names the file, at the first that is not answered as it should."""
    sources = whole_files()
    for source in sources:  # whole, so that what is loaded once is not taken for growth
        try_file(source)
    before = psutil.Process().memory_info().rss  # not the peak, which writing the sources may have set
    images = parameters = 0
    slowest = 0.0
    for number in range(files):
        name = f"{seed}-{number}"
        started = time.perf_counter()
        try:
            is_image, carries = try_file(mutated(sources, name))
        except Exception as error:
            raise FuzzError(f"file {name}: {type(error).__name__}: {error}") from error
        slowest = max(slowest, time.perf_counter() - started)
        if slowest > MAX_SECONDS or peak_bytes() - before > MAX_GROWTH:
            raise FuzzError(f"file {name}: {slowest:.1f} s, {(peak_bytes() - before) / 1e6:.0f} MB more than before")
        images, parameters = images + is_image, parameters + carries
    return Outcome(files, images, parameters, peak_bytes() - before, slowest)


def peak_bytes() -> int:
    """The most memory that this program had at any time, whoever took it: decoders are not Python. Where the system
    tells it of the program alone, for `ru_maxrss` begins with that of the process which started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Prints what came of it as JSON; ends with FuzzError where a file was not answered as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    outcome = fuzz(arguments.files, arguments.seed)
    found = {
        "files": outcome.files,
        "images": outcome.images,
        "parameters": outcome.parameters,
        "growth_mb": round(outcome.growth / 1e6, 1),
        "slowest_s": round(outcome.slowest, 3),
    }
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
