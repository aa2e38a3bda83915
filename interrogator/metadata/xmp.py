"""The few texts of an XMP packet that matter here. No document type, so no entities beyond XML's own five."""

from __future__ import annotations

from xml.parsers import expat

MAX_XMP_BYTES = 512 * 1024
_NAMES = {
    "http://ns.adobe.com/xap/1.0/ CreatorTool": "xmp:CreatorTool",
    "http://ns.adobe.com/exif/1.0/ UserComment": "xmp:UserComment",
    "http://purl.org/dc/elements/1.1/ description": "xmp:description",
}


class _RefusedError(Exception):
    """The packet declares a document type."""


class _Reader:
    """Collects the text within the elements of `_NAMES`, and their values where they are attributes."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self._within: str | None = None
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        for key, value in attributes.items():
            if key in _NAMES:
                self.texts.setdefault(_NAMES[key], [value])
        if self._within is not None:
            self._depth += 1
        elif name in _NAMES and _NAMES[name] not in self.texts:
            self._within, self._depth = _NAMES[name], 1
            self.texts[self._within] = []

    def end(self, _name: str) -> None:
        """An element ends."""
        if self._within is not None:
            self._depth -= 1
            if not self._depth:
                self._within = None

    def characters(self, data: str) -> None:
        """Text between tags."""
        if self._within is not None:
            self.texts[self._within].append(data)

    def refuse(self, *_declaration: object) -> None:
        """A document type begins."""
        raise _RefusedError


def xmp_texts(packet: bytes) -> dict[str, str]:
    """The texts by field name; none of a packet that is too large, damaged, or declares a document type."""
    if not packet or len(packet) > MAX_XMP_BYTES or b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return {}
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.refuse  # in UTF-16 the search above does not see it
    parser.EntityDeclHandler = reader.refuse
    try:
        parser.Parse(packet.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, _RefusedError, ValueError, LookupError):  # the last two: encodings
        return {}
    return {name: "".join(parts).strip() for name, parts in reader.texts.items()}
