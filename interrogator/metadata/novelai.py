"""NovelAI: `Software` says so, `Description` is the prompt, `Comment` is JSON with the rest; in WebP all of these are
one JSON object in the UserComment."""

from __future__ import annotations

from interrogator.metadata.values import Fields, JsonObject, chosen, inner, json_object, scalar, size_of, text
from interrogator.types import Embedded

NAME = "NovelAI"
_SETTINGS = (
    ("Steps", "steps"),
    ("Sampler", "sampler"),
    ("Schedule", "noise_schedule"),
    ("Scale", "scale"),
    ("Seed", "seed"),
    ("Strength", "strength"),
    ("Noise", "noise"),
)


def read(fields: Fields) -> Embedded | None:
    """None unless `Software` is NovelAI, or the comment has its key `uc`."""
    wrapped = json_object(fields.get("exif:UserComment", "")) or {}
    comment = fields.get("Comment", "") or text(wrapped.get("Comment"))
    data = (
        json_object(comment) or inner(wrapped, "Comment") or (wrapped if {"uc"} == wrapped.keys() & {"uc", "c"} else {})
    )
    software = fields.get("Software", "") or scalar(wrapped.get("Software"))
    if not software.startswith(NAME) and "uc" not in data:
        return None
    prompt = _captions(data, "v4_prompt") or text(data.get("prompt"))
    prompt = prompt or fields.get("Description", "") or text(wrapped.get("Description"))
    negative = _captions(data, "v4_negative_prompt") or text(data.get("uc"))
    model = fields.get("Source", "") or scalar(wrapped.get("Source"))
    settings = (*chosen(data, _SETTINGS), *size_of(data), *([("Model", model)] if model else []))
    return Embedded(NAME, prompt, negative, settings)


def _captions(data: JsonObject, key: str) -> str:
    """Version 4: a caption of the whole, and one for each character."""
    caption = inner(data, key, "caption")
    characters = caption.get("char_captions")
    parts = [text(caption.get("base_caption"))]
    if isinstance(characters, list):
        parts += [text(one.get("char_caption")) for one in characters[:20] if isinstance(one, dict)]
    return "\n".join(part for part in parts if part.strip())
