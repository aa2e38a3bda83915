"""Prompts of a history as a file for other programs: text, a table, or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.entries import Viewer
from bot.text import one_line

if TYPE_CHECKING:
    from bot.entries import Cursor, Entry, Wanted
    from bot.history import History

MOST_PROMPTS = 10_000
PAGE = 500  # rows read in one transaction: others need not wait
COLUMNS = (
    "asked",
    "image",
    "profile",
    "engine",
    "mode",
    "style_only",
    "subject",
    "similarity",
    "starred",
    "caption",
    "prompt",
)
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the begin of a formula, in full width too; a prompt may come from a stranger's file."""


class Format(StrEnum):
    """What the file is."""

    TXT = "txt"
    CSV = "csv"
    JSON = "json"


async def prompts_of(history: History, user_id: int, wanted: Wanted) -> list[Entry]:
    """The user's own answers that are wanted, newest first, at most `MOST_PROMPTS`."""
    found: list[Entry] = []
    cursor: Cursor | None = None
    while True:
        page = await history.page(user_id, Viewer(user_id), wanted=wanted, cursor=cursor, limit=PAGE)
        found += [entry for entry in page.entries if entry.prompt]
        if page.older is None or len(found) >= MOST_PROMPTS:
            return found[:MOST_PROMPTS]
        cursor = page.older


def as_file(entries: Sequence[Entry], wanted: Format, limit: int) -> bytes | None:
    """UTF-8, at most `limit` bytes; None where it would be larger."""
    content = _WRITERS[wanted](entries)
    return content if len(content) <= limit else None


def _text(entries: Sequence[Entry]) -> bytes:
    """A prompt a line, as image generators read them."""
    return "".join(f"{one_line(entry.prompt or '')}\n" for entry in entries).encode("utf-8", "replace")


def _table(entries: Sequence[Entry]) -> bytes:
    """With the mark by which spreadsheets know UTF-8, and no cell that they would compute."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_cell(value) for value in _record(entry).values()])
    return out.getvalue().encode("utf-8-sig", "replace")


def _json(entries: Sequence[Entry]) -> bytes:
    return json.dumps([_record(entry) for entry in entries], ensure_ascii=False, indent=1).encode("utf-8", "replace")


_WRITERS: dict[Format, Callable[[Sequence[Entry]], bytes]] = {
    Format.TXT: _text,
    Format.CSV: _table,
    Format.JSON: _json,
}


def _record(entry: Entry) -> dict[str, Any]:
    values = (
        entry.created_at.isoformat(timespec="seconds"),
        entry.image_name,
        entry.profile,
        entry.engine,
        entry.mode.value,
        entry.style_only,
        entry.subject,
        entry.similarity,
        entry.starred,
        entry.caption,
        entry.prompt,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if line.startswith(_FORMULA) else line
