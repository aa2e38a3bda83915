"""The texts that an image file carries, whatever its format: found by walking its structure, nothing is decoded but
text, and nothing beyond the bounds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from interrogator.file_kinds import is_avif_or_heic
from interrogator.images import embedded_blocks
from interrogator.metadata.exif import decode_text, exif_texts
from interrogator.metadata.values import MAX_TEXT_BYTES
from interrogator.metadata.xmp import xmp_texts

PNG_KEYWORDS = frozenset(
    {
        "parameters",  # A1111, Forge, Fooocus
        "prompt",  # ComfyUI
        "workflow",
        "invokeai_metadata",
        "sd-metadata",
        "Dream",
        "Software",  # NovelAI
        "Description",
        "Comment",
        "Source",
        "fooocus_scheme",
    }
)
_PNG = b"\x89PNG\r\n\x1a\n"
_XMP_KEYWORD = "XML:com.adobe.xmp"
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF_SEGMENT = b"Exif\0\0"
_MAX_CHUNKS = 20_000
"""Of a PNG or WebP file: more than one of the largest size has, unless its chunks are there to be counted."""
_MAX_SEGMENTS = 1000
_MAX_TEXTS = 64


def read_fields(data: bytes) -> dict[str, str]:
    """The texts by name, as `Fields`; where there are several of a name, the first."""
    formats: tuple[tuple[tuple[bytes, ...], Callable[[bytes], dict[str, str]]], ...] = (
        ((_PNG,), _of_png),
        ((b"\xff\xd8",), _of_jpeg),
        ((b"GIF87a", b"GIF89a"), _of_gif),
        ((b"II*\0", b"MM\0*"), _of_blocks),
    )
    for signatures, read in formats:
        if data.startswith(signatures):
            return read(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _of_webp(data)
    return _of_blocks(*embedded_blocks(data)) if is_avif_or_heic(data) else {}


def _of_blocks(exif: bytes, xmp: bytes = b"") -> dict[str, str]:
    """Of an EXIF block, which a whole TIFF file is too, and of an XMP packet."""
    texts, packet = exif_texts(exif)
    return {**xmp_texts(xmp or packet), **texts}


def _of_png(data: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    exif = xmp = b""
    read = 0
    for kind, begin, end in _png_chunks(data):
        if kind == b"eXIf" and end - begin <= MAX_TEXT_BYTES:
            exif = exif or data[begin:end]
        if kind not in {b"tEXt", b"zTXt", b"iTXt"} or read >= _MAX_TEXTS or end - begin > MAX_TEXT_BYTES:
            continue
        keyword_bytes, separator, rest = data[begin:end].partition(b"\0")
        keyword = keyword_bytes.decode("latin-1")
        if not separator or (keyword not in PNG_KEYWORDS and keyword != _XMP_KEYWORD):
            continue
        read += 1
        body = _png_text(kind, rest)
        if keyword == _XMP_KEYWORD:
            xmp = xmp or body
        else:
            fields.setdefault(keyword, decode_text(body))
    return {**_of_blocks(exif, xmp), **fields}


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kinds of the chunks, and where their bodies begin and end."""
    at = len(_PNG)
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 8 + length > len(data):
            return
        yield kind, at + 8, at + 8 + length
        at += 12 + length


def _png_text(kind: bytes, rest: bytes) -> bytes:
    """The text of a chunk after its keyword, decompressed; nothing where that is damaged or too long."""
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _inflated(rest[1:]) if rest[:1] == b"\0" else b""
    compressed, rest = rest[:2], rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, body = rest.partition(b"\0")
    return _inflated(body) if compressed == b"\1\0" else body


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(body, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
    return content if inflater.eof else b""


def _of_jpeg(data: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    exif = xmp = b""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if at + 4 > len(data):
            break
        mark, kind, length = struct.unpack_from(">BBH", data, at)
        if mark == kind == 0xFF:  # any number of these may stand before a marker
            at += 1
            continue
        if mark != 0xFF or kind == 0xDA or length < 2:  # no marker, or the picture begins
            break
        body = data[at + 4 : at + 2 + length]
        if kind == 0xE1 and body.startswith(_EXIF_SEGMENT):
            exif = exif or body
        elif kind == 0xE1 and body.startswith(_XMP_SEGMENT):
            xmp = xmp or body.removeprefix(_XMP_SEGMENT)
        elif kind == 0xFE:
            fields.setdefault("Comment", decode_text(body))
        at += 2 + length
    return {**_of_blocks(exif, xmp), **fields}


def _of_webp(data: bytes) -> dict[str, str]:
    exif = xmp = b""
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        if length <= MAX_TEXT_BYTES and kind in {b"EXIF", b"XMP "}:
            body = data[at + 8 : at + 8 + length]
            exif, xmp = (exif or body, xmp) if kind == b"EXIF" else (exif, xmp or body)
        at += 8 + length + length % 2
    return _of_blocks(exif, xmp)


def _of_gif(data: bytes) -> dict[str, str]:
    """The comment before the first picture."""
    packed = data[10] if len(data) > 10 else 0
    at = 13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)  # after the table of colours
    for _ in range(_MAX_SEGMENTS):
        if data[at : at + 1] != b"!":
            break
        label = data[at + 1 : at + 2]
        body, at = _gif_blocks(data, at + 2)
        if label == b"\xfe":
            return {"Comment": decode_text(body)} if len(body) <= MAX_TEXT_BYTES else {}
    return {}


def _gif_blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """What the blocks of up to 255 bytes from here hold, and where the one of none ends that closes them."""
    parts: list[bytes] = []
    while at < len(data) and (length := data[at]):
        parts.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return b"".join(parts), at + 1
