"""Going on with a table that an earlier run of `interrogate --csv` began."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from interrogator.cli.display import shown
from interrogator.cli.inputs import STDIN
from interrogator.cli.output import HEADER, explained, table_writer
from interrogator.cli.targets import TargetError

_Asked = tuple[str, str]
"""An image's path and the settings."""


@dataclass(frozen=True, slots=True)
class _Row:
    """The fields of a row, and the very text of the file that they are from."""

    fields: Sequence[str]
    text: str

    @property
    def failed(self) -> bool:
        return bool(self.fields[HEADER.index("error")])

    @property
    def asked(self) -> _Asked:
        path, settings = (self.fields[HEADER.index(key)] for key in ("path", "settings"))
        return os.path.abspath(path), settings  # noqa: PTH100  pathlib would resolve links

    @property
    def sha256(self) -> str:
        return self.fields[HEADER.index("sha256")]


def pick_up(name: str, images: Sequence[str], settings: str) -> list[str]:
    """The images that the table has no answer for, with the same settings and the same content of the file.

    The table is left so that rows may be added: a row that was cut off while it was written is removed, and so are
    those of the images that will be tried again: failures, and answers to what the file held before. Nothing is written
    where nothing has to be removed. Raises `TargetError` where the file is no such table, and `OutputError` where it
    cannot be read or replaced.
    """
    with explained():
        content = _content(name)
    if not content:
        return list(images)
    rows, torn = _rows(content, name)
    answered = {row.asked: row.sha256 for row in rows if not row.failed}
    left = [
        image for image in images if image == STDIN or not _is_answered(image, answered.get(_asking(image, settings)))
    ]
    again = {_asking(image, settings) for image in left}
    dash = _asking(STDIN, settings)  # its answers are of other images
    kept = [row for row in rows if row.asked not in again or (row.asked == dash and not row.failed)]
    if torn or len(kept) < len(rows):
        with explained():
            _replace(name, kept)
    return left


def _content(name: str) -> bytes:
    """The bytes of the file; none where there is no file yet."""
    try:
        mode = Path(name).stat().st_mode
    except FileNotFoundError:
        return b""
    if not stat.S_ISREG(mode):
        raise TargetError(f"“{shown(name)}” is not a regular file: --skip-done could not read what it holds")
    return Path(name).read_bytes()


def _rows(content: bytes, name: str) -> tuple[list[_Row], bool]:
    """The whole rows below the header, and whether the last one was cut off."""
    text = content.decode("utf-8", errors="surrogateescape")  # a cut may go through a letter
    lines = re.findall(r"[^\n]*\n|[^\n]+\Z", text)
    reader = csv.reader(lines, strict=True)
    rows: list[_Row] = []
    torn = not text.endswith("\n")
    begin = 0
    try:
        for fields in reader:
            rows.append(_Row(fields, "".join(lines[begin : reader.line_num])))
            begin = reader.line_num
    except csv.Error:
        if reader.line_num < len(lines):
            raise _no_table(name) from None
        torn = True  # the file ends within quotes
    else:
        if torn:
            rows.pop()
    sound = all(len(row.fields) == len(HEADER) for row in rows)
    if not (sound and tuple(rows[0].fields) == HEADER if rows else _header().startswith(text)):
        raise _no_table(name)
    return rows[1:], torn


def _header() -> str:
    line = io.StringIO(newline="")
    table_writer(line).writerow(HEADER)
    return line.getvalue()


def _no_table(name: str) -> TargetError:
    return TargetError(
        f"“{shown(name)}” is not a table that this version of interrogate wrote, so --skip-done cannot go on with it: "
        "name another file, or leave --skip-done out and it is replaced"
    )


def _is_answered(image: str, sha256: str | None) -> bool:
    """Whether the file still holds what was answered; reading is quick beside asking again."""
    if sha256 is None:
        return False
    try:
        with Path(image).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except (OSError, ValueError):  # asking will say why
        return False


def _asking(image: str, settings: str) -> _Asked:
    """What the table's row of this image would say: names that are no Unicode are written escaped."""
    written = image.encode("utf-8", "backslashreplace").decode()
    return os.path.abspath(written), settings  # noqa: PTH100


def _replace(name: str, rows: Sequence[_Row]) -> None:
    """Written beside its place and moved there: an interruption leaves either the old table or the new one."""
    place = Path(name).resolve()
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".interrogate-") as folder:
        part = Path(folder) / place.name
        text = _header() + "".join(row.text for row in rows)
        part.write_bytes(text.encode("utf-8", errors="surrogateescape"))
        shutil.copymode(place, part)
        part.replace(place)
