"""Parameters in the lowest bits of the pixels, where the file itself says nothing."""

from __future__ import annotations

import gzip
import io
import json
import sys

import pytest
from generated_files import INFOTEXT, hiding, png
from hypothesis import given, settings
from hypothesis import strategies as st
from metadata_kit import check_infotext
from PIL import Image
from test_metadata_novelai import novelai

from interrogator.hidden_bytes import COMPRESSED, MAX_HIDDEN_BYTES, PLAIN
from interrogator.images import open_image
from interrogator.metadata import read_parameters
from interrogator.types import Embedded


def found_in(data: bytes) -> Embedded | None:
    return read_parameters(data, open_image(data).hidden)


def test_novelai_hides_what_its_files_say() -> None:
    hidden = gzip.compress(json.dumps(novelai()).encode())
    assert found_in(hiding(b"stealth_pngcomp", hidden)) == read_parameters(png(novelai()))


@pytest.mark.parametrize(("kind", "mode"), [("png", "RGBA"), ("rgb", "RGBA"), ("rgb", "RGB")])
@pytest.mark.parametrize("compressed", [False, True])
def test_a1111_s_text(kind: str, mode: str, compressed: bool) -> None:
    body = gzip.compress(INFOTEXT.encode()) if compressed else INFOTEXT.encode()
    found = found_in(hiding(f"stealth_{kind}{'comp' if compressed else 'info'}".encode(), body, mode))
    assert found is not None
    check_infotext(found)


def test_what_the_file_itself_says_comes_first() -> None:
    hidden = open_image(hiding(b"stealth_pnginfo", b"a draft")).hidden
    assert read_parameters(png({"parameters": "a boat"}), hidden) == Embedded("A1111", "a boat")
    assert read_parameters(png({}), hidden) == Embedded("A1111", "a draft")


@pytest.mark.parametrize(
    "data",
    [
        hiding(b"stealth_pnginfo", b"cut", bits=8 * 90 * 70),
        hiding(b"stealth_pnginfo", b"long", bits=2**32 - 1),
        hiding(b"stealth_pnginfo", b"none", bits=0),
        hiding(b"stealth_pngcomp", b"not packed"),
        hiding(b"stealth_pngcomp", gzip.compress(INFOTEXT.encode())[:-9]),
        hiding(b"stealth_pngcomp", gzip.compress(bytes(MAX_HIDDEN_BYTES + 1))),
        hiding(b"another_pngcomp", gzip.compress(INFOTEXT.encode())),
        png({}),
    ],
    ids=["cut", "long", "empty", "not packed", "damaged", "a bomb", "another signature", "nothing"],
)
def test_what_is_damaged_or_too_long_is_passed_over(data: bytes) -> None:
    assert found_in(data) is None


def test_objects_nested_up_to_the_limit_are_read_or_passed_over() -> None:
    for depth in range(sys.getrecursionlimit() - 120, sys.getrecursionlimit()):
        nested = b'{"Software": "NovelAI", "Comment": ' + b"[" * depth + b"]" * depth + b', "Description": "a boat"}'
        found = read_parameters(b"", b"stealth_pnginfo" + nested)
        assert found is None or found.generator in {"NovelAI", "A1111"}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(COMPRESSED | PLAIN)),
    st.binary(max_size=60) | st.text(max_size=30).map(str.encode),
    st.booleans(),
)
def test_any_hidden_bytes_give_parameters_or_none(signature: bytes, body: bytes, compressed: bool) -> None:
    found = read_parameters(b"", signature + (gzip.compress(body) if compressed else body))
    assert found is None or isinstance(found, Embedded)


@pytest.mark.parametrize(("mode", "size"), [("RGBA", (1, 1)), ("RGB", (3, 1)), ("RGBA", (1, 300)), ("L", (9, 9))])
def test_small_pictures_hide_nothing(mode: str, size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    assert open_image(buffer.getvalue()).hidden == b""
