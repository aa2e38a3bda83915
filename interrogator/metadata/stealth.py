"""Texts that a program hid in the pixels: JSON of what NovelAI's files carry, or A1111's text."""

from __future__ import annotations

import json
import zlib

from interrogator.hidden_bytes import COMPRESSED, SIGNATURE_BYTES
from interrogator.metadata.exif import decode_text
from interrogator.metadata.files import PNG_KEYWORDS
from interrogator.metadata.values import MAX_TEXT_BYTES, json_object

_GZIP = 16 + zlib.MAX_WBITS


def hidden_fields(hidden: bytes) -> dict[str, str]:
    """The texts of `interrogator.hidden_bytes` by name, as those of a PNG; none where they are damaged or too long."""
    signature, body = hidden[:SIGNATURE_BYTES], hidden[SIGNATURE_BYTES:]
    text = decode_text(_unpacked(body) if signature in COMPRESSED else body)
    data = json_object(text)
    if data is None or not data.keys() & PNG_KEYWORDS:
        return {"parameters": text} if text else {}
    return {name: _as_text(value) for name, value in data.items() if name in PNG_KEYWORDS}


def _as_text(value: object) -> str:
    """A text as it is, anything else as JSON, nested beyond reason as nothing."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        return ""


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(body, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
    return content if unpacker.eof else b""
