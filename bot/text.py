"""Foreign text made safe for a Discord message: no markdown, no mentions, nothing invisible, never over a limit.

Lengths are counted in UTF-16 units, the widest way that Discord counts anywhere, so a text that fits here fits there.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable

ELLIPSIS = "…"
# Control, format (bidirectional overrides, zero-width, tags), surrogates, private use.
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co"))
# Letters, marks and places without a character that show as nothing although Unicode does not class them as formatting.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\U00016fe4\U0001d159") | {
    chr(code)
    for code in (
        *range(0x180B, 0x1810),  # variation selectors of Mongolian
        *range(0xFE00, 0xFE10),  # of anything
        *range(0xFFF0, 0xFFF9),
        *range(0xE0000, 0xE1000),  # tags and more variation selectors, in which whole texts can be hidden
    )
}
_MARKS = frozenset(("Mn", "Me"))
MOST_MARKS = 4  # on a letter: more would be drawn over the lines above and below
_SPECIAL = frozenset("\\`*_~|<>#@[]():-+")
_ACTIVE = re.compile(r"[\\`*_~|<>\[\]]|:(?=//)")  # what does something in the middle of a line
_FENCE = re.compile("`{3,}")
_CODE = re.compile(r"(?<![\\`])(`[^`]+`)(?!`)")  # a backslash before it makes it none


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def one_line(text: str) -> str:
    """The text on one line: runs of white space become one space, invisible characters go, and so do marks that are
    heaped on a letter."""
    return " ".join("".join(_visible(" ".join(text.split()))).split())


def shorten(text: str, limit: int) -> str:
    """At most `limit` units, ending in an ellipsis where something was cut, at a word's end where one is near."""
    if units(text) <= limit:
        return text
    kept = _fill(text, limit - units(ELLIPSIS))
    at_word = kept.rsplit(" ", 1)[0]
    if units(at_word) >= limit * 3 // 4:
        kept = at_word
    return kept.rstrip(" ,") + ELLIPSIS if limit >= units(ELLIPSIS) else ""


def plain(text: str, limit: int) -> str:
    """One line that shows as it was written: markdown, mentions and links are escaped. At most `limit` units."""
    line = one_line(text)
    escaped = "".join(_escaped(line))
    if units(escaped) <= limit:
        return escaped
    return _fill(_escaped(line), limit - units(ELLIPSIS)) + ELLIPSIS if limit >= units(ELLIPSIS) else ""


def message_line(text: str, limit: int) -> str:
    """One line for a person: `code` in it stays code, every other mark, mention or link in it does nothing. At most
    `limit` units. Lighter than `plain`, for texts of ours that may hold words of others."""
    pieces: list[str] = []
    for number, part in enumerate(_CODE.split(one_line(text))):
        escaped = _ACTIVE.sub(r"\\\g<0>", part).replace("@", "@\u200b")
        pieces += [part] if number % 2 else re.findall(r"\\?.", escaped)
    if units("".join(pieces)) <= limit:
        return "".join(pieces)
    return _fill(pieces, limit - units(ELLIPSIS)) + ELLIPSIS if limit >= units(ELLIPSIS) else ""


def inline_code(text: str, limit: int) -> str:
    """One line in `code`, at most `limit` units with its backticks; nothing for a text that shows nothing."""
    line = shorten(one_line(text).replace("`", "'"), limit - 2)
    return f"`{line}`" if line else ""


def code_block(text: str, limit: int, columns: int | None = None) -> str:
    """A fenced block that can be copied whole; at most `limit` units with its fences.

    On one line, which Discord wraps; `columns` breaks it for readers that do not.
    """
    opening, closing = "```\n", "\n```"
    line = _FENCE.sub(lambda run: "'" * len(run.group()), one_line(text))
    line = shorten(line, limit - units(opening) - units(closing))
    if columns is not None:
        line = textwrap.fill(line, columns, break_long_words=False, break_on_hyphens=False)
    return opening + line + closing


def _visible(text: str) -> Iterable[str]:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in _INVISIBLE or character in _BLANK:
            continue
        marks = marks + 1 if category in _MARKS else 0
        if marks <= MOST_MARKS:
            yield character


def _escaped(text: str) -> Iterable[str]:
    for character in text:
        # Discord resolves @everyone even behind a backslash in places; a zero-width space after it ends that.
        if character == "@":
            yield "@\u200b"
        else:
            yield "\\" + character if character in _SPECIAL else character


def _fill(pieces: Iterable[str], limit: int) -> str:
    """As many whole pieces as fit: an escape is never cut in two."""
    kept: list[str] = []
    room = limit
    for piece in pieces:
        room -= units(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept)
