"""What the readers of this package share: bounds, JSON of unknown shape, and text made fit to show."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping

from interrogator.types import Embedded

Fields = Mapping[str, str]
"""The texts that a file carries: PNG texts by their keyword, EXIF ones as `exif:NAME`, XMP ones as `xmp:NAME`."""
JsonObject = Mapping[str, object]
Settings = tuple[tuple[str, str], ...]

MAX_TEXT_BYTES = 2 * 1024 * 1024
"""Of one text of a file, after decompression; a longer one is passed over."""
MAX_PROMPT = 20_000
MAX_SETTINGS = 30
MAX_NAME = 40
MAX_VALUE = 200
UNNAMED = "another program"

_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
# Letters and marks that show as nothing although Unicode does not class them as formatting.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}


def json_object(text: str) -> JsonObject | None:
    """The JSON object that the text is; None for anything else, nested beyond reason included."""
    if len(text) > MAX_TEXT_BYTES or not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def json_field(fields: Fields, name: str) -> JsonObject | None:
    """The JSON object of a field; None where there is no such field, or it is none."""
    return json_object(fields.get(name, ""))


def inner(source: JsonObject, *path: str) -> JsonObject:
    """The object at the end of a path of keys; an empty one where there is none."""
    for key in path:
        value = source.get(key)
        source = value if isinstance(value, dict) else {}
    return source


def text(value: object) -> str:
    """A string as it is, a list of strings as lines; nothing for anything else."""
    if isinstance(value, str):
        return value[:MAX_PROMPT]
    if isinstance(value, list):
        return "\n".join(part[:MAX_PROMPT] for part in value[:MAX_SETTINGS] if isinstance(part, str))
    return ""


def scalar(value: object) -> str:
    """A string, a finite number or a truth value as text; nothing for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 2**53 else f"{value:.10g}"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**MAX_NAME else ""
    return value[:MAX_VALUE] if isinstance(value, str) else ""


def chosen(source: JsonObject, names: Iterable[tuple[str, str]]) -> Settings:
    """The settings of a flat object, as (name to show, key of the object) asks for them; without those missing."""
    found = ((name, scalar(source.get(key))) for name, key in names)
    return tuple((name, value) for name, value in found if value)


def size_of(source: JsonObject) -> Settings:
    """The setting `Size` of an object with `width` and `height`."""
    width, height = scalar(source.get("width")), scalar(source.get("height"))
    return (("Size", f"{width}x{height}"),) if width and height else ()


def visible(value: str, limit: int) -> str:
    """At most `limit` characters of what can be seen: no controls, no formatting, no blanks that are letters. Lines
    stay lines."""
    lines = (line.rstrip() for line in _seen(value[: 4 * limit]).split("\n"))
    return "\n".join(lines).strip()[:limit].rstrip()


def one_line(value: str, limit: int) -> str:
    """As `visible`, on one line."""
    return " ".join(visible(value, limit).split())


def cleaned(embedded: Embedded) -> Embedded | None:
    """With every text visible and bounded; None where nothing is left to show."""
    settings = tuple(
        (name, value)
        for name, value in ((one_line(n, MAX_NAME), one_line(v, MAX_VALUE)) for n, v in embedded.settings)
        if name and value
    )[:MAX_SETTINGS]
    prompt, negative = visible(embedded.prompt, MAX_PROMPT), visible(embedded.negative, MAX_PROMPT)
    if not (prompt or negative or settings):
        return None
    generator = one_line(embedded.generator, MAX_NAME) or UNNAMED  # a file may say that too
    return Embedded(generator, prompt, negative, settings)


def _seen(value: str) -> str:
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    value = value.replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(c for c in value if c == "\n" or (unicodedata.category(c) not in _INVISIBLE and c not in _BLANK))
