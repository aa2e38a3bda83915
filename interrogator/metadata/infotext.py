"""A1111's text, which Forge and many others write too: the prompt, "Negative prompt:", and a line of settings."""

from __future__ import annotations

import json
import re

from interrogator.metadata.values import MAX_VALUE, Fields, Settings, json_object
from interrogator.types import Embedded

_COMMENTS = (
    "exif:UserComment",
    "exif:ImageDescription",
    "xmp:UserComment",
    "xmp:description",
    "Comment",
    "Description",
)
NEGATIVE = "Negative prompt:"
_FIRST_SETTING = "Steps:"
_OF_SAMPLING = frozenset({"Steps", "Sampler", "Seed", "CFG scale"})
_FEWEST_SETTINGS = 3  # a last line with fewer is a line of the prompt
_NAME = re.compile(r"\w[\w \-/]{0,60}")
_QUOTED = re.compile(r'"(?:\\.|[^\\"])*"')
_JSON = json.JSONDecoder()
_MOST_SETTINGS = 500  # read, the version among the last of them; fewer are shown
_FORGE_VERSION = re.compile(r"f\d+\.")  # of a commit there is no point


def read(fields: Fields) -> Embedded | None:
    """As `parameters` of a PNG, or as a comment of other files, where it must look like one: cameras comment too."""
    for place in ("parameters", *_COMMENTS):
        found = parse(infotext := fields.get(place, ""))
        is_ours = place == "parameters" and not infotext.lstrip().startswith("{")
        if found is not None and (is_ours or _looks_like_one(infotext, found.settings)):
            return found
    return None


def _looks_like_one(infotext: str, settings: Settings) -> bool:
    return bool(_OF_SAMPLING & dict(settings).keys()) or f"\n{NEGATIVE}" in f"\n{infotext}"


def parse(infotext: str) -> Embedded | None:
    """None for a text without words, and for JSON, which is another program's."""
    infotext = infotext.strip()
    if not infotext or json_object(infotext) is not None:
        return None
    lines, settings = _split(infotext)
    prompt: list[str] = []
    negative: list[str] = []
    target = prompt
    for line in lines:
        if line.lstrip().startswith(NEGATIVE):
            target = negative
            line = line.lstrip().removeprefix(NEGATIVE)  # noqa: PLW2901  what is left of it
        target.append(line.strip())
    return Embedded(_generator(dict(settings)), "\n".join(prompt).strip(), "\n".join(negative).strip(), settings)


def _split(infotext: str) -> tuple[list[str], Settings]:
    """The lines of the prompts, and the settings after them."""
    lines = infotext.splitlines()
    for place in range(len(lines) - 1, -1, -1):
        if lines[place].lstrip().startswith(_FIRST_SETTING):
            settings = _settings(" ".join(lines[place:]))
            if len(settings) >= _FEWEST_SETTINGS:
                return lines[:place], settings
            break
    settings = _settings(lines[-1])
    return (lines[:-1], settings) if len(settings) >= _FEWEST_SETTINGS else (lines, ())


def _settings(line: str) -> Settings:
    """`Name: value` pairs between commas; a value in quotes or of JSON may hold commas."""
    found: list[tuple[str, str]] = []
    closings = _Closings(line)
    at = 0
    while at < len(line) and len(found) < _MOST_SETTINGS:
        end = _comma(line, at)
        name, colon, _ = line[at:end].partition(":")
        begin = at + len(name) + 1
        while begin < len(line) and line[begin] == " ":
            begin += 1
        if colon:
            end = _comma(line, closings.after(begin))
        name = name.strip()
        if colon and _NAME.fullmatch(name):
            found.append((name, _unquoted(line[begin:end].strip())[:MAX_VALUE]))
        at = end + 1
    return tuple(found)


def _comma(line: str, begin: int) -> int:
    comma = line.find(",", begin)
    return len(line) if comma < 0 else comma


class _Closings:
    """Where values of one line end that may hold commas. What begins like one and has no end is looked for to the end
    of the line, and so a few times only."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._failures_left = 8

    def after(self, begin: int) -> int:
        """The place after the quoted text or the JSON that begins here; `begin` where there is none."""
        if self._failures_left and self._line.startswith(('"', "{", "["), begin):
            if (end := self._end(begin)) is not None:
                return end
            self._failures_left -= 1
        return begin

    def _end(self, begin: int) -> int | None:
        if self._line[begin] == '"':
            quoted = _QUOTED.match(self._line, begin)
            return quoted.end() if quoted else None
        try:
            return _JSON.raw_decode(self._line, begin)[1]
        except (ValueError, RecursionError):
            return None


def _unquoted(value: str) -> str:
    if not (len(value) >= 2 and value.startswith('"') and value.endswith('"')):
        return value
    try:
        inside = json.loads(value)
    except ValueError:
        return value[1:-1]
    return inside if isinstance(inside, str) else value


def _generator(settings: dict[str, str]) -> str:
    version = settings.get("Version", "")
    for name in ("Fooocus", "ComfyUI"):
        if version.startswith(name):
            return name
    if app := settings.get("App", ""):
        return app
    if _FORGE_VERSION.match(version) or version.lower().startswith(("forge", "neo")):
        return "Forge"
    if not version and "Civitai resources" in settings:
        return "Civitai"
    return "A1111"
