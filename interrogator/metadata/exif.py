"""The texts of an EXIF block, or of a TIFF file, which is built the same."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from interrogator.metadata.values import MAX_TEXT_BYTES

_TEXTS = {
    0x010E: "exif:ImageDescription",
    0x010F: "exif:Make",
    0x0110: "exif:Model",
    0x0131: "exif:Software",
    0x9286: "exif:UserComment",
    0x927C: "exif:MakerNote",
}
_XMP = 0x02BC
_EXIF_POINTER = 0x8769
_SIZES = {1: 1, 2: 1, 4: 4, 6: 1, 7: 1, 13: 4, 129: 1}  # bytes, texts, places; nothing else is read
_MAX_ENTRIES = 512
_PREFIX = b"Exif\0\0"


def exif_texts(block: bytes) -> tuple[dict[str, str], bytes]:
    """The texts by field name, and the XMP packet of a TIFF file. What does not fit the format is left out."""
    block = block.removeprefix(_PREFIX)
    if block[:4] not in {b"II*\0", b"MM\0*"} or len(block) < 8:
        return {}, b""
    order = "<" if block.startswith(b"II") else ">"
    main = dict(_entries(block, order, struct.unpack_from(f"{order}I", block, 4)[0]))
    entries = dict(main)
    pointer = main.get(_EXIF_POINTER, b"")
    if len(pointer) == 4:  # programs put UserComment into either directory
        entries = {**main, **dict(_entries(block, order, struct.unpack(f"{order}I", pointer)[0]))}
    texts = {name: _decoded(tag, entries[tag], order) for tag, name in _TEXTS.items() if tag in entries}
    return texts, main.get(_XMP, b"")


def _entries(block: bytes, order: str, offset: int) -> Iterator[tuple[int, bytes]]:
    """Tags of a directory and their bytes, those of interest."""
    if offset + 2 > len(block):
        return
    (count,) = struct.unpack_from(f"{order}H", block, offset)
    for place in range(min(count, _MAX_ENTRIES)):
        at = offset + 2 + 12 * place
        if at + 12 > len(block):
            return
        tag, kind, length = struct.unpack_from(f"{order}HHI", block, at)
        size = _SIZES.get(kind, 0) * length
        if not (tag in _TEXTS or tag in {_XMP, _EXIF_POINTER}) or not 0 < size <= MAX_TEXT_BYTES:
            continue
        begin = at + 8 if size <= 4 else struct.unpack_from(f"{order}I", block, at + 8)[0]
        if begin + size <= len(block):
            yield tag, block[begin : begin + size]


def _decoded(tag: int, raw: bytes, order: str) -> str:
    return decode_comment(raw, order) if _TEXTS[tag] == "exif:UserComment" else decode_text(raw)


def decode_comment(raw: bytes, order: str = ">") -> str:
    """A UserComment: eight bytes that name the character set, which some programs leave out, and the text.

    `order` ("<" or ">") is the block's; programs keep to it or not, so it decides only where the text does not.
    """
    charset, body = raw[:8], raw[8:]
    if charset == b"UNICODE\0":
        return _utf16(body, order)
    if charset == b"JIS\0\0\0\0\0":
        return _first_that_fits(body, ("iso2022_jp", "utf-8", "shift_jis"))
    if charset in {b"ASCII\0\0\0", bytes(8)}:
        return decode_text(body)
    return decode_text(raw)


def decode_text(raw: bytes) -> str:
    """Text without a word on its encoding: UTF-8, UTF-16 where every other byte is zero, or else Latin-1."""
    filled = raw.rstrip(b"\0")  # cameras reserve room, and half of a letter of UTF-16 may be zero
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or filled.count(0) * 3 >= len(filled) > 0:
        return _utf16(raw, ">")
    return _first_that_fits(filled, ("utf-8",))


def _utf16(body: bytes, order: str) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace").rstrip("\0")
    if b"\0" not in body.rstrip(b"\0") and sum(byte < 0x80 for byte in body) * 2 > len(body):
        return _first_that_fits(body.rstrip(b"\0"), ("utf-8",))  # it says UNICODE and means UTF-8
    little, big = (body.decode(codec, errors="replace") for codec in ("utf-16-le", "utf-16-be"))
    plain_little, plain_big = _plain(little), _plain(big)
    is_little = plain_little > plain_big if plain_little != plain_big else order == "<"
    return (little if is_little else big).rstrip("\0")


def _plain(text: str) -> int:
    """How many letters and marks of ASCII there are: read in the wrong order, they are none."""
    return sum("\t" <= character < "\x7f" for character in text)


def _first_that_fits(raw: bytes, codecs: tuple[str, ...]) -> str:
    for codec in codecs:
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
