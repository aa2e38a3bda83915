"""Draw Things: JSON in the XMP packet's `exif:UserComment`, or a description of three lines."""

from __future__ import annotations

from interrogator.metadata import infotext
from interrogator.metadata.values import Fields, chosen, json_field, text
from interrogator.types import Embedded

NAME = "Draw Things"
_SETTINGS = (
    ("Steps", "steps"),
    ("Sampler", "sampler"),
    ("CFG scale", "scale"),
    ("Seed", "seed"),
    ("Size", "size"),
    ("Model", "model"),
    ("Strength", "strength"),
)


def read(fields: Fields) -> Embedded | None:
    """None unless the packet names the program, or has JSON with its keys `c` and `uc`."""
    for place in ("xmp:UserComment", "exif:UserComment"):
        data = json_field(fields, place)
        if data is not None and "c" in data and (_is_named(fields) or "uc" in data):
            return Embedded(NAME, text(data.get("c")), text(data.get("uc")), chosen(data, _SETTINGS))
    return _of_description(fields.get("xmp:description", "")) if _is_named(fields) else None


def _is_named(fields: Fields) -> bool:
    return fields.get("xmp:CreatorTool", "").startswith(NAME)


def _of_description(description: str) -> Embedded | None:
    """As A1111's text, but for a hyphen in place of the words before the negative prompt."""
    found = infotext.parse(description)
    if found is None:
        return None
    prompt, _, negative = f"\n{found.prompt}".partition("\n-")
    return Embedded(NAME, prompt.strip(), negative.strip(), found.settings)
