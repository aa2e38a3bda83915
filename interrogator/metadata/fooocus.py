"""Fooocus: JSON in `parameters` or the UserComment, or A1111's text, as `fooocus_scheme` (in EXIF: MakerNote) says."""

from __future__ import annotations

from interrogator.metadata import infotext
from interrogator.metadata.values import Fields, JsonObject, Settings, chosen, json_field, scalar, text
from interrogator.types import Embedded

NAME = "Fooocus"
_PLACES = ("parameters", "exif:UserComment", "Comment")
_SETTINGS = (
    ("Performance", "performance"),
    ("Steps", "steps"),
    ("Sampler", "sampler"),
    ("Scheduler", "scheduler"),
    ("CFG scale", "guidance_scale"),
    ("Sharpness", "sharpness"),
    ("Seed", "seed"),
    ("Size", "resolution"),
    ("Model", "base_model"),
    ("Styles", "styles"),
    ("Version", "version"),
)


def read(fields: Fields) -> Embedded | None:
    """None unless the scheme is named, or the program or a key of its own is."""
    scheme = fields.get("fooocus_scheme", "") or fields.get("exif:MakerNote", "")
    ours = scheme in {"fooocus", "a1111"} or fields.get("exif:Software", "").startswith(NAME)
    for place in _PLACES:
        data = json_field(fields, place)
        if data is not None and "prompt" in data and (ours or _is_ours(data)):
            return _of_json(data)
    if not ours:
        return None
    found = infotext.parse(fields.get("parameters", "") or fields.get("exif:UserComment", ""))
    return found and Embedded(NAME, found.prompt, found.negative, found.settings)


def _is_ours(data: JsonObject) -> bool:
    return scalar(data.get("version")).startswith(NAME) or {"base_model", "negative_prompt"} <= data.keys()


def _of_json(data: JsonObject) -> Embedded:
    """What the person wrote, where that is nothing what their styles made of it."""
    prompt = text(data.get("prompt")) or text(data.get("full_prompt"))
    negative = text(data.get("negative_prompt")) or text(data.get("full_negative_prompt"))
    return Embedded(NAME, prompt, negative, _settings(data))


def _settings(data: JsonObject) -> Settings:
    named = dict(chosen(data, _SETTINGS))
    if "Size" in named:  # "(1024, 768)"
        named["Size"] = named["Size"].strip("()").replace(", ", "x")
    return tuple(named.items())
