"""Generation parameters that an image file carries: what its maker was told, as far as the file says so.

The files come from strangers: everything read is bounded, nothing is evaluated, and what does not fit is passed over.
"""

from __future__ import annotations

from interrogator.metadata import comfyui, draw_things, fooocus, infotext, invokeai, novelai, swarmui
from interrogator.metadata.files import read_fields
from interrogator.metadata.stealth import hidden_fields
from interrogator.metadata.values import Fields, cleaned
from interrogator.types import Embedded

_READERS = (
    invokeai.read,
    novelai.read,
    fooocus.read,
    draw_things.read,
    swarmui.read,
    infotext.read,
    comfyui.read,
)


def read_parameters(data: bytes, hidden: bytes = b"") -> Embedded | None:
    """The parameters in an image file, of the first program whose format they are in; None where there are none.

    `hidden` is what `interrogator.hidden_bytes` found in its pixels, which counts where the file says nothing.
    Never raises, whatever the bytes. No character of the texts is invisible but the ends of lines; their lengths and
    the number of settings are bounded (`interrogator.metadata.values`).
    """
    return _first(read_fields(data)) or (_first(hidden_fields(hidden)) if hidden else None)


def _first(fields: Fields) -> Embedded | None:
    if not fields:
        return None
    for read in _READERS:
        found = read(fields)
        if found is not None and (shown := cleaned(found)) is not None:
            return shown
    return None
