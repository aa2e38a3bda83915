"""Draw Things: an XMP packet."""

from __future__ import annotations

import json

import pytest
from generated_files import DRAW_THINGS, commented, draw_things_xmp, png, saved
from metadata_kit import read, setting

from interrogator.metadata import read_parameters
from interrogator.types import Embedded


def check_draw_things(found: Embedded) -> None:
    assert found == Embedded(
        "Draw Things",
        "a red cube & a <blue> sphere",
        "blurry",
        (
            ("Steps", "8"),
            ("Sampler", "Euler A"),
            ("CFG scale", "4.5"),
            ("Seed", "2441935286"),
            ("Size", "64x32"),
            ("Model", "flux_1_schnell_q5p.ckpt"),
            ("Strength", "1"),
        ),
    )


def test_draw_things() -> None:
    xmp = draw_things_xmp(DRAW_THINGS)
    check_draw_things(read(png({"XML:com.adobe.xmp": xmp}, international=True)))
    for kind in ("JPEG", "WEBP", "TIFF"):
        options = {"tiffinfo": {700: xmp.encode()}} if kind == "TIFF" else {"xmp": xmp.encode()}
        check_draw_things(read(saved(kind, **options)))
    check_draw_things(read(commented("JPEG", b"ASCII\0\0\0" + json.dumps(DRAW_THINGS).encode())))


def test_draw_things_with_a_description_only() -> None:
    xmp = draw_things_xmp({}).replace("{}", "")
    found = read(png({"XML:com.adobe.xmp": xmp}, international=True))
    assert (found.generator, found.prompt, found.negative) == ("Draw Things", "a red cube", "blurry")
    assert setting(found, "Guidance Scale") == "4.5"


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_no_entity_of_an_xmp_packet_is_expanded(codec: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + draw_things_xmp(DRAW_THINGS | {"c": "B"})
    bomb = bomb.replace("&amp;", "&b;")
    assert read_parameters(saved("JPEG", xmp=bomb.encode(codec))) is None
