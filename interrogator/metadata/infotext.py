"""A1111's text, which Forge and many others write too: the prompt, "Negative prompt:", and a line of settings."""

from __future__ import annotations

import json
import re

from interrogator.metadata.values import MAX_SETTINGS, MAX_VALUE, Fields, Settings
from interrogator.types import Embedded

NEGATIVE = "Negative prompt:"
_FIRST_SETTING = "Steps:"
_FEWEST_SETTINGS = 3  # a last line with fewer is a line of the prompt
_NAME = re.compile(r"\w[\w \-/]{0,60}")
_QUOTED = re.compile(r'"(?:\\.|[^\\"])*"')
_FORGE_VERSION = re.compile(r"f\d")


def read(fields: Fields) -> Embedded | None:
    """As `parameters` of a PNG, or as a comment of other files, where it must look like one: cameras comment too."""
    found = parse(fields.get("parameters", ""))
    if found is not None:
        return found
    comment = fields.get("exif:UserComment", "")
    found = parse(comment)
    return found if found is not None and (found.settings or f"\n{NEGATIVE}" in f"\n{comment}") else None


def parse(infotext: str) -> Embedded | None:
    """None for a text without words, and for JSON, which is another program's."""
    infotext = infotext.strip()
    if not infotext or infotext.startswith("{"):
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
    """`Name: value` pairs between commas; a value in quotes may hold commas."""
    found: list[tuple[str, str]] = []
    at = 0
    closed = True  # whether a quote that opens may still be closed: looked for to the end once only
    while at < len(line) and len(found) < MAX_SETTINGS:
        comma = line.find(",", at)
        end = len(line) if comma < 0 else comma
        name, colon, _ = line[at:end].partition(":")
        begin = at + len(name) + 1
        while begin < len(line) and line[begin] == " ":
            begin += 1
        if colon and closed and line.startswith('"', begin):
            quoted = _QUOTED.match(line, begin)
            closed = quoted is not None
            if quoted is not None:
                comma = line.find(",", quoted.end())
                end = len(line) if comma < 0 else comma
        name = name.strip()
        if colon and _NAME.fullmatch(name):
            found.append((name, _unquoted(line[begin:end].strip())[:MAX_VALUE]))
        at = end + 1
    return tuple(found)


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
    if _FORGE_VERSION.match(version) or version.lower().startswith(("forge", "neo")):
        return "Forge"
    return settings.get("App", "") or "A1111"
