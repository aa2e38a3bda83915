"""What a file is, by its first bytes: so that a refusal can name what was sent."""

from __future__ import annotations

from dataclasses import dataclass

SUPPORTED = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""Pillow's names of the formats that are opened; nothing else is tried, however a file is named."""

WANTED = "Please send PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC."


@dataclass(frozen=True, slots=True)
class FileKind:
    """`name` with its article, as in "That is NAME". `readable` where it is one of `SUPPORTED`."""

    name: str
    readable: bool = False


_AVIF = FileKind("an AVIF", readable=True)
_HEIC = FileKind("a HEIC picture", readable=True)
_CODED_BY_BRAND = {
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), _HEIC),
}
_CONTAINER_BRANDS = frozenset({b"mif1", b"msf1", b"mif2", b"miaf"})  # of either, as the brands after it say
_MAX_BRANDS = 32

_SIGNATURES: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", FileKind("a PNG", readable=True)),
    (0, b"\xff\xd8\xff", FileKind("a JPEG", readable=True)),
    (8, b"WEBP", FileKind("a WebP", readable=True)),
    (0, b"GIF8", FileKind("a GIF", readable=True)),
    (0, b"BM", FileKind("a BMP", readable=True)),
    (0, b"II*\x00", FileKind("a TIFF", readable=True)),
    (0, b"MM\x00*", FileKind("a TIFF", readable=True)),
    (0, b"II+\x00", FileKind("a TIFF", readable=True)),
    (0, b"MM\x00+", FileKind("a TIFF", readable=True)),
    (4, b"ftypcrx ", FileKind("a raw camera file")),
    (4, b"ftyp", FileKind("a video")),
    (0, b"\x1aE\xdf\xa3", FileKind("a video")),
    (8, b"AVI ", FileKind("a video")),
    (0, b"OggS", FileKind("an Ogg recording")),
    (8, b"WAVE", FileKind("a sound recording")),
    (0, b"ID3", FileKind("a sound recording")),
    (0, b"%PDF", FileKind("a PDF document")),
    (0, b"%!PS", FileKind("a PostScript file")),
    (0, b"\xc5\xd0\xd3\xc6", FileKind("a PostScript file")),
    (0, b"8BPS", FileKind("a Photoshop file")),
    (0, b"gimp xcf", FileKind("a GIMP file")),
    (0, b"\x00\x00\x01\x00", FileKind("an icon file")),
    (0, b"\xff\x0a", FileKind("a JPEG XL picture")),
    (0, b"\x00\x00\x00\x0cJXL ", FileKind("a JPEG XL picture")),
    (0, b"\x00\x00\x00\x0cjP  ", FileKind("a JPEG 2000 picture")),
    (0, b"v/1\x01", FileKind("an OpenEXR file")),
    (0, b"#?RADIANCE", FileKind("a Radiance HDR file")),
    (0, b"PK\x03\x04", FileKind("a ZIP archive or an office document")),
    (0, b"\x1f\x8b", FileKind("a compressed archive")),
    (0, b"7z\xbc\xaf", FileKind("a compressed archive")),
    (0, b"Rar!", FileKind("a compressed archive")),
    (0, b"MZ", FileKind("a program")),
    (0, b"\x7fELF", FileKind("a program")),
)
_MARKUP = (
    (b"<svg", FileKind("an SVG drawing")),
    (b"<!doctype html", FileKind("a web page")),
    (b"<html", FileKind("a web page")),
)


def kind_of(data: bytes) -> FileKind | None:
    """The kind that the first bytes announce (they may lie), or None where they say nothing."""
    if (coded := _coded_picture(data)) is not None:
        return coded
    for offset, signature, kind in _SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    head = data[:4096].lower()
    for tag, kind in _MARKUP:
        if tag in head:
            return kind
    return None


def is_avif_or_heic(data: bytes) -> bool:
    """Whether the first bytes announce one of the formats whose pictures are coded as frames of a video."""
    return _coded_picture(data) is not None


def is_heic(data: bytes) -> bool:
    """Whether the first bytes announce HEIC, which Pillow opens with the help of another library."""
    return _coded_picture(data) is _HEIC


def _coded_picture(data: bytes) -> FileKind | None:
    """By the brands in the first box of the file."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4], "big"), len(data), 16 + 4 * _MAX_BRANDS)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))]
    if brands[0] in _CODED_BY_BRAND:
        return _CODED_BY_BRAND[brands[0]]
    if brands[0] not in _CONTAINER_BRANDS:
        return None
    return next((_CODED_BY_BRAND[brand] for brand in brands if brand in _CODED_BY_BRAND), _HEIC)
