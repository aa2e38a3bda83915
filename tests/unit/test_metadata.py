"""Generation parameters in files: read from wherever they may be, bounded, never evaluated."""

from __future__ import annotations

import json
import struct
import unicodedata
import zlib

import pillow_heif
import pytest
from generated_files import INFOTEXT, commented, exif, png, saved, unicode_comment
from hypothesis import given, settings
from hypothesis import strategies as st
from metadata_kit import check_infotext, read, with_chunk

from interrogator.metadata import read_parameters
from interrogator.metadata.values import MAX_PROMPT, MAX_SETTINGS
from interrogator.types import Embedded


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "PNG", "AVIF", "HEIF"])
def test_a1111_in_the_exif_of_every_format(kind: str) -> None:
    if kind == "HEIF":
        pillow_heif.register_heif_opener()  # to write one
    check_infotext(read(commented(kind, unicode_comment(INFOTEXT))))


@pytest.mark.parametrize("text_order", ["<", ">"])
@pytest.mark.parametrize("block_order", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_user_comments_in_both_byte_orders_whatever_the_block_says(
    kind: str, block_order: str, text_order: str
) -> None:
    data = commented(kind, unicode_comment(INFOTEXT, text_order), block_order)
    assert (b"MM\0*" in data) is (block_order == ">")
    check_infotext(read(data))


@pytest.mark.parametrize(
    "comment",
    [
        b"ASCII\0\0\0" + INFOTEXT.encode(),
        b"UNICODE\0" + INFOTEXT.encode(),  # as some libraries have it
        b"UNICODE\0" + INFOTEXT.encode("utf-16"),  # with a byte order mark
        b"JIS\0\0\0\0\0" + INFOTEXT.encode("iso2022_jp"),
        bytes(8) + INFOTEXT.encode(),
        INFOTEXT.encode(),
        INFOTEXT.encode("utf-16-le"),
    ],
    ids=["ASCII", "UTF-8 called UNICODE", "with a mark", "JIS", "undefined", "no prefix", "UTF-16 without prefix"],
)
def test_user_comments_in_every_character_set(comment: bytes) -> None:
    check_infotext(read(commented("JPEG", comment)))


def block_of(entries: list[tuple[int, int, bytes]], order: str, pointer_type: int) -> bytes:
    """An EXIF block with entries (tag, type, value) in the Exif directory, built by hand."""

    def directory(at: int, entries: list[tuple[int, int, bytes]]) -> bytes:
        head, values = struct.pack(f"{order}H", len(entries)), b""
        begin = at + 2 + 12 * len(entries) + 4
        for tag, kind, value in entries:
            size = 1 if kind in {4, 13} else len(value)
            place = value if len(value) <= 4 else struct.pack(f"{order}I", begin + len(values))
            head += struct.pack(f"{order}HHI", tag, kind, size) + place.ljust(4, b"\0")
            values += value if len(value) > 4 else b""
        return head + bytes(4) + values

    mark = b"II*\0" if order == "<" else b"MM\0*"
    main = [(0x8769, pointer_type, struct.pack(f"{order}I", 26))]
    return mark + struct.pack(f"{order}I", 8) + directory(8, main) + directory(26, entries)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("pointer_type", "text_type"), [(4, 7), (13, 7), (4, 2), (4, 129)])
def test_exif_of_every_type_that_a_comment_may_have(order: str, pointer_type: int, text_type: int) -> None:
    comment = unicode_comment(INFOTEXT) if text_type == 7 else INFOTEXT.encode()
    block = block_of([(0x9286, text_type, comment)], order, pointer_type)
    check_infotext(read(with_chunk(b"eXIf", block)))


def test_a_jpeg_may_have_bytes_between_its_segments() -> None:
    data = commented("JPEG", unicode_comment(INFOTEXT))
    begin = data.index(b"\xff\xe1")
    check_infotext(read(data[:begin] + b"\xff\xff\xff" + data[begin:]))


def test_room_that_a_comment_does_not_need_is_no_text() -> None:
    check_infotext(read(commented("JPEG", b"ASCII\0\0\0" + INFOTEXT.encode() + bytes(4000))))


@pytest.mark.parametrize("comment", [b"UNICODE\0" + "海辺の灯台、夕暮れ\nNegative prompt: ぼやけ".encode("utf-16-be")])
def test_japanese_is_read_as_japanese(comment: bytes) -> None:
    assert read(commented("JPEG", comment, ">")) == Embedded("A1111", "海辺の灯台、夕暮れ", "ぼやけ")
    jis = b"JIS\0\0\0\0\0" + "灯台\nNegative prompt: ぼやけ".encode("iso2022_jp")
    assert read(commented("JPEG", jis)) == Embedded("A1111", "灯台", "ぼやけ")


def test_latin_and_utf_8_texts_of_a_png() -> None:
    prompt = "café à la carte"
    for raw in (prompt.encode(), prompt.encode("latin-1")):
        assert read(with_chunk(b"tEXt", b"parameters\0" + raw)).prompt == prompt


def test_texts_inflate_to_a_bound() -> None:
    bomb = zlib.compress(b"a" * 8_000_000)
    assert read_parameters(with_chunk(b"zTXt", b"parameters\0\0" + bomb)) is None
    assert read_parameters(with_chunk(b"iTXt", b"parameters\0\1\0\0\0" + bomb)) is None


def test_what_is_shown_is_bounded_and_visible() -> None:
    hidden = "a\u200bb\u202ec\x1b[31m\x00d\ufe0f\U000e0041 " + "x" * 100_000
    pairs = ", ".join(f"Name{number}: {'v' * 1000}" for number in range(500))
    found = read(png({"parameters": f"{hidden}\nNegative prompt: y\r\nz"}, international=True))
    assert found.prompt.startswith("abc[31md x")
    assert (len(found.prompt), found.negative) == (MAX_PROMPT, "y\nz")
    found = read(png({"parameters": f"a\nSteps: 1, {pairs}"}))
    assert len(found.settings) == MAX_SETTINGS
    assert max(len(value) for _, value in found.settings) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"uc": ' + "9" * 10_000 + "}",
        '{"uc": NaN}',
        'x: "' * 30_000,
        "x" * 1_000_000,
        "x:," * 200_000,
        "\ud800".encode("utf-16-le", "surrogatepass").decode("latin-1") * 1000,
        "",
        "{}",
        "null",
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize(
    "keyword", ["parameters", "prompt", "workflow", "Comment", "invokeai_metadata", "sd-metadata", "Dream"]
)
def test_absurd_texts_are_passed_over_or_shown_bounded(keyword: str, text: str) -> None:
    found = read_parameters(png({keyword: text}))
    assert found is None or len(found.prompt) <= MAX_PROMPT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["prompt", "image", "uc", "v4_prompt", "caption", "model", "nodes", "links", "inputs", "c"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)
KEYWORDS = ["parameters", "prompt", "workflow", "invokeai_metadata", "sd-metadata", "Comment", "Software", "Dream"]


briefly = settings(max_examples=60, deadline=None)  # every example writes a file


@briefly
@given(texts=st.dictionaries(st.sampled_from(KEYWORDS), JSON.map(json.dumps) | st.text(max_size=60), min_size=1))
def test_any_texts_give_parameters_fit_to_show_or_none(texts: dict[str, str]) -> None:
    texts = {keyword: text.encode("utf-8", "replace").decode() for keyword, text in texts.items()}
    found = read_parameters(png(texts, international=True))
    if found is None:
        return
    shown = (found.prompt, found.negative, *(part for pair in found.settings for part in pair))
    assert any(shown)
    assert found.generator
    shown = (found.generator, *shown)
    for text in shown:
        assert all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} for c in text)


@briefly
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF    WEBP", b"II*\0"]),
)
def test_any_bytes_give_parameters_or_none(data: bytes, signature: bytes) -> None:
    found = read_parameters(signature + data)
    assert found is None or isinstance(found, Embedded)


@briefly
@given(st.binary(max_size=120), st.sampled_from(["II*\0", "MM\0*"]))
def test_any_exif_block_gives_parameters_or_none(block: bytes, head: str) -> None:
    data = with_chunk(b"eXIf", head.encode("latin-1") + block)
    found = read_parameters(data)
    assert found is None or isinstance(found, Embedded)


def test_plain_pictures_have_none() -> None:
    assert all(read_parameters(saved(kind)) is None for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"))
    assert read_parameters(b"") is None
    assert read_parameters(saved("JPEG", exif=exif(b""))) is None
