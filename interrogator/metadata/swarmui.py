"""SwarmUI: JSON in `parameters` or the UserComment, of early versions in the camera's model."""

from __future__ import annotations

from interrogator.metadata.values import Fields, chosen, inner, json_field, size_of, text
from interrogator.types import Embedded

NAME = "SwarmUI"
_SETTINGS = (
    ("Steps", "steps"),
    ("Sampler", "sampler"),
    ("Scheduler", "scheduler"),
    ("CFG scale", "cfgscale"),
    ("Guidance", "fluxguidancescale"),
    ("Seed", "seed"),
)


def read(fields: Fields) -> Embedded | None:
    """None where there is no object under the program's own key."""
    for place in ("parameters", "exif:UserComment", "exif:Model"):
        data = inner(json_field(fields, place) or {}, "sui_image_params")
        if data:
            settings = (
                *chosen(data, _SETTINGS),
                *size_of(data),
                *chosen(data, (("Model", "model"), ("Version", "swarm_version"))),
            )
            return Embedded(NAME, text(data.get("prompt")), text(data.get("negativeprompt")), settings)
    return None
