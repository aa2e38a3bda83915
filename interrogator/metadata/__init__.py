"""Generation parameters that an image file carries: what its maker was told, as far as the file says so.

The files come from strangers: everything read is bounded, nothing is evaluated, and what does not fit is passed over.
"""

from __future__ import annotations

from interrogator.metadata import comfyui, draw_things, fooocus, infotext, invokeai, novelai, swarmui
from interrogator.metadata.files import read_fields
from interrogator.metadata.values import cleaned
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


def read_parameters(data: bytes) -> Embedded | None:
    """The parameters in an image file, of the first program whose format they are in; None where there are none.

    Never raises, whatever the bytes. No character of the texts is invisible but the ends of lines; their lengths and
    the number of settings are bounded (`interrogator.metadata.values`).
    """
    fields = read_fields(data)
    if not fields:
        return None
    for read in _READERS:
        found = read(fields)
        if found is not None and (shown := cleaned(found)) is not None:
            return shown
    return None
