"""How files are damaged, or made strange: which way depends on a seed alone."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Callable, Sequence

from fuzz_sources import FRAMES

_INTERESTING = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_HEAD = 400  # where headers and tables are
_PNG = b"\x89PNG\r\n\x1a\n"
_LONGEST = 200_000  # characters of a text made strange
_ODD: tuple[Callable[[], object], ...] = (
    lambda: None,
    lambda: True,
    lambda: -1,
    lambda: 10**60,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: "",
    lambda: "a" * 50_000,
    lambda: "\ud800\u202e\0\u2028",
    lambda: [],
    lambda: {},
    lambda: ["6", 0],  # a link of ComfyUI
    lambda: [["6", 0]] * 1000,
    lambda: {str(number): number for number in range(2000)},
    lambda: {"class_type": "KSampler", "inputs": {"positive": ["3", 0], "negative": ["3", 1]}},
)


def made(files: Sequence[bytes], texts: Sequence[str], seed: str) -> bytes:
    """A damaged file; a damaged PNG whose checksums are right all the same, so that what is in it is read; or a sound
    file with a strange text."""
    chance = random.Random(f"way {seed}")
    match chance.randrange(4):
        case 0 | 1:
            return mutated(files, seed)
        case 2:
            return sealed(mutated([file for file in files if file.startswith(_PNG)] or files, seed))
        case _:
            return chance.choice(FRAMES)(strange(chance.choice(texts), chance))


def mutated(files: Sequence[bytes], seed: str) -> bytes:
    """One of them with some bytes changed, cut, repeated, or put in from another."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 2, 4, 8, 32))):
        at = chance.randrange(min(len(data), chance.choice((_HEAD, len(data)))) or 1)
        length = chance.randrange(1, 65)
        match chance.randrange(8):
            case 0 | 1 | 2:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                data[at : at + 1] = bytes([chance.choice(_INTERESTING)])
            case 4:  # a length or an offset
                size = chance.choice((2, 4))
                data[at : at + size] = bytes([chance.choice(_INTERESTING)]) * size
            case 5:
                del data[at : at + length]
            case 6:
                data[at:at] = data[at : at + length] * chance.choice((1, 2, 50))
            case _:
                other = chance.choice(files)
                begin = chance.randrange(len(other))
                data[at : at + length] = other[begin : begin + length]
    return bytes(data)


def sealed(data: bytes) -> bytes:
    """A PNG with the checksums that its chunks should have, as far as they follow one another."""
    whole = bytearray(data)
    at = len(_PNG)
    while at + 12 <= len(whole):
        (length,) = struct.unpack_from(">I", whole, at)
        end = at + 8 + length
        if end + 4 > len(whole):
            break
        struct.pack_into(">I", whole, end, zlib.crc32(whole[at + 4 : end]))
        at = end + 4
    return bytes(whole)


def strange(text: str, chance: random.Random) -> str:
    """The text with other characters in it or, where it is JSON, other values."""
    if text.startswith("{") and chance.random() < 0.7:
        data = json.loads(text)
        for _ in range(chance.choice((1, 1, 2, 4))):
            _replace_one(data, chance)
        return json.dumps(data)[:_LONGEST]
    return mutated([text.encode()], str(chance.random())).decode(errors="replace").replace("\0", " ")[:_LONGEST]


def _replace_one(data: dict[str, object], chance: random.Random) -> None:
    """Puts an odd value somewhere in the object."""
    inside: object = data
    while True:
        places = (
            list(inside) if isinstance(inside, dict) else list(range(len(inside))) if isinstance(inside, list) else []
        )
        if not places:
            return
        place = chance.choice(places)
        below = inside[place]  # type: ignore[index]  # a key of an object or a place in a list
        if not isinstance(below, dict | list) or not below or chance.random() < 0.3:
            inside[place] = chance.choice(_ODD)()  # type: ignore[index]  # as above
            return
        inside = below
