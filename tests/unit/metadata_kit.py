"""What the tests of generation parameters share."""

from __future__ import annotations

import struct
import zlib

from generated_files import saved

from interrogator.metadata import read_parameters
from interrogator.types import Embedded


def read(data: bytes) -> Embedded:
    """What the file carries, which is something."""
    found = read_parameters(data)
    assert found is not None
    return found


def setting(found: Embedded, name: str) -> str:
    """The value of one of its settings."""
    return dict(found.settings)[name]


def chunk(name: bytes, body: bytes) -> bytes:
    """One of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(name: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk, before its end."""
    whole = saved("PNG")
    return whole[:-12] + chunk(name, body) + whole[-12:]


def check_infotext(found: Embedded) -> None:
    """It is what `INFOTEXT` says."""
    assert found.generator == "A1111"
    assert found.prompt == "a lighthouse at dusk, (oil painting:1.2), <lora:sea:0.8>\nsecond line"
    assert found.negative == "blurry, low quality\nwatermark"
    assert found.settings[:5] == (
        ("Steps", "28"),
        ("Sampler", "DPM++ 2M"),
        ("Schedule type", "Karras"),
        ("CFG scale", "6.5"),
        ("Seed", "1234567890"),
    )
    assert setting(found, "Lora hashes") == "sea: 1a2b, wave: 3c4d"
