"""What NovelAI and others write into the lowest bits of a picture's pixels, beside the texts of its file: it is still
there where a site has removed those. The form is that of the extension `stealth-pnginfo` for A1111."""

from __future__ import annotations

import numpy as np
from PIL import Image

MAX_HIDDEN_BYTES = 2 * 1024 * 1024
SIGNATURE_BYTES = 15
COMPRESSED = frozenset({b"stealth_pngcomp", b"stealth_rgbcomp"})  # with gzip
PLAIN = frozenset({b"stealth_pnginfo", b"stealth_rgbinfo"})
_LENGTH_BYTES = 4
_CHANNELS = ("A", "RGB")  # what the bits may be in


def hidden_bytes(image: Image.Image) -> bytes:
    """The signature and what follows it, compressed or not; empty where there is none, or it is too long or cut.

    `image` is as it was decoded: to scale it or to put it on white destroys the bits.
    """
    if image.mode not in {"RGB", "RGBA"}:
        return b""
    for channels in _CHANNELS:
        if set(channels) <= set(image.getbands()) and (found := _read(image, channels)):
            return found
    return b""


def _read(image: Image.Image, channels: str) -> bytes:
    head = _bytes(image, channels, SIGNATURE_BYTES + _LENGTH_BYTES)
    if head[:SIGNATURE_BYTES] not in COMPRESSED | PLAIN:
        return b""
    length = int.from_bytes(head[SIGNATURE_BYTES:], "big") // 8  # it is told in bits
    if not 0 < length <= MAX_HIDDEN_BYTES:
        return b""
    whole = _bytes(image, channels, len(head) + length)
    return head[:SIGNATURE_BYTES] + whole[len(head) :] if len(whole) == len(head) + length else b""


def _bytes(image: Image.Image, channels: str, count: int) -> bytes:
    """The first so many, fewer where the picture has no room for them: bit by bit, down one column after the other."""
    columns = -(-8 * count // (len(channels) * image.height))
    strip = image.crop((0, 0, min(columns, image.width), image.height))
    pixels = np.asarray(strip)[..., [image.getbands().index(channel) for channel in channels]]
    bits = (pixels & 1).swapaxes(0, 1).reshape(-1)[: 8 * count]
    return np.packbits(bits[: len(bits) - len(bits) % 8]).tobytes()
