"""From the words of the command line to image files and their bytes."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interrogator.cli.display import shown
from interrogator.errors import ImageTooLargeError, InterrogatorError

if TYPE_CHECKING:
    from interrogator.images import LoadedImage

STDIN = "-"
IMAGE_SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".avif", ".avifs", ".heic", ".heics", ".heif", ".heifs", ".hif"}
)
"""What is taken from a folder. A file that is named on the command line is tried whatever its name."""


class FileError(InterrogatorError):
    """The file is missing, or the system does not let us read it."""

    kind = "unreadable_file"


@dataclass(frozen=True, slots=True)
class Found:
    """`images` are paths, in the order asked for and by name within a folder; `problems` are sentences on folders."""

    images: tuple[str, ...]
    problems: tuple[str, ...]


def find_images(words: Iterable[str]) -> Found:
    """Files as they are named, folders with all regular files below that have an image's name and are not hidden."""
    images: list[str] = []
    problems: list[str] = []
    for word in words:
        if not _is_folder(word):
            images.append(word)
            continue
        inside = list(_images_below(word, problems))
        images.extend(inside)
        if not inside:
            problems.append(f"{shown(word)}: there are no images in this folder")
    return Found(tuple(images), tuple(problems))


def read_image(path: str) -> bytes:
    """The bytes of the file, or of standard input where it is `-`.

    Raises `FileError`, and `ImageTooLargeError` where reading on would be pointless.
    """
    from interrogator.images import Limits  # noqa: PLC0415  Pillow is not needed to refuse a command line

    limit = Limits().bytes
    try:
        if not path:
            raise FileNotFoundError
        image = _read_stdin(limit + 1) if path == STDIN else _read_file(path, limit + 1)
    except FileNotFoundError:
        raise FileError("There is no such file.") from None
    except OSError as error:
        raise FileError(f"The file cannot be read: {error.strerror or error}.") from error
    except ValueError as error:  # a null byte in the name
        raise FileError("That is not the name of a file.") from error
    if len(image) > limit:
        raise ImageTooLargeError(f"That file is over {limit / 1e6:.0f} MB. Please choose a smaller copy.")
    return image


def open_picture(content: bytes, frame: int = 1) -> LoadedImage:
    """The image of these bytes, `frame` of a file with several. Raises an InterrogatorError where it cannot be read."""
    from interrogator.images import open_image  # noqa: PLC0415  as above

    return open_image(content, frame=frame)


def _read_file(path: str, most: int) -> bytes:
    with Path(path).open("rb") as file:
        _expect_file(file.fileno())
        return file.read(most)


def _read_stdin(most: int) -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise FileError("No image comes in from standard input. Send one there: interrogate - < photo.jpg")
    return sys.stdin.buffer.read(most)


def _expect_file(descriptor: int) -> None:
    """Pipes are welcome (`interrogate <(curl ...)`), endless devices are not."""
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise OSError(None, "it is not a regular file")


def _is_folder(word: str) -> bool:
    try:
        return word not in ("", STDIN) and Path(word).is_dir()
    except OSError:  # a name that no file can have; reading it will say so
        return False


def _images_below(folder: str, problems: list[str]) -> Iterator[str]:
    def cannot_list(error: OSError) -> None:
        problems.append(f"{shown(error.filename)}: this folder cannot be read: {error.strerror}")

    for place, folders, names in os.walk(folder, onerror=cannot_list):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES:
                path = Path(place, name)
                if _may_be_read(path):
                    yield str(path)


def _may_be_read(path: Path) -> bool:
    """Whether this is no pipe or device: nobody named it, and to read it could take for ever."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:  # reading it will say why
        return True
