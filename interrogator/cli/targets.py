"""Whether the files to be written may be: an image that is to be read must never be replaced by its own answer."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from interrogator.cli.display import shown
from interrogator.cli.inputs import STDIN

DRAWN_BY = "interrogate analyze"
"""What a chart of ours says of itself (its PNG's `Software`)."""

SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))


class TargetError(Exception):
    """A file that is to be written must not be."""


def check_targets(names: Sequence[str], images: Iterable[str]) -> None:
    """Raises `TargetError` where a name is a folder's or an image's of `images`, or where two are of one file."""
    for name in names:
        if name.endswith(SEPARATORS) or os.path.isdir(name):  # noqa: PTH112  False for names that no file can have
            raise TargetError(f"“{shown(name)}” is a folder: --csv and --txt name the file to write")
    if len(set(map(os.path.realpath, names))) < len(names):
        raise TargetError("--csv and --txt need two different files")
    replaced = {_identity(name): name for name in names}
    for image in images:
        identity = _identity(image)
        if identity is not None and identity in replaced:
            raise TargetError(f"“{shown(replaced[identity])}” is an image that is to be read, and would be overwritten")


def check_plot(name: str, images: Iterable[str]) -> None:
    """Raises `TargetError` where a chart would replace anything but an earlier chart: a photograph has such a name."""
    if name.endswith(SEPARATORS) or os.path.isdir(name):  # noqa: PTH112  as above
        raise TargetError(f"“{shown(name)}” is a folder: --plot names the file to draw")
    if not Path(name).parent.is_dir():
        raise TargetError(f"there is no folder “{shown(str(Path(name).parent))}” to draw “{shown(Path(name).name)}” in")
    if _identity(name) is None:
        return
    if _identity(name) in map(_identity, images):
        raise TargetError(f"“{shown(name)}” is an image that is to be read, and would be overwritten")
    if not _is_chart(Path(name)):
        raise TargetError(f"“{shown(name)}” exists and is no chart of an earlier run: name another file for --plot")


def _is_chart(file: Path) -> bool:
    """Whether it says so near its beginning, where a PNG's texts are; an empty file may be replaced too."""
    try:
        with file.open("rb") as opened:
            head = opened.read(512)
    except OSError:
        return False
    return not head or (head.startswith(b"\x89PNG") and b"Software\0" + DRAWN_BY.encode() in head)


def _identity(name: str) -> tuple[int, int] | None:
    """Device and number of a regular file, whatever its names; None for all that writing would not empty."""
    try:
        found = os.fstat(sys.stdin.fileno()) if name == STDIN and sys.stdin else Path(name).stat()
    except (OSError, ValueError):  # no such file, no such name, or an input that is no file: nothing to be lost
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
