"""Fooocus, in both of its schemes."""

from __future__ import annotations

import json

import pytest
from generated_files import INFOTEXT, MAKER_NOTE, SOFTWARE, USER_COMMENT, png, saved
from metadata_kit import read, setting
from PIL import Image

from interrogator.types import Embedded

FOOOCUS = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8Rundiffusion",
    "full_negative_prompt": ["ugly", "unrealistic"],
    "full_prompt": ["cinematic still a cabin", "a cabin, intricate"],
    "guidance_scale": 4,
    "metadata_scheme": "fooocus",
    "negative_prompt": "ugly",
    "performance": "Speed",
    "prompt": "a cabin",
    "resolution": "(1152, 896)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "5",
    "sharpness": 2,
    "steps": 30,
    "styles": "['Fooocus V2', 'Fooocus Enhance']",
    "version": "Fooocus v2.4.3",
}


def check_fooocus(found: Embedded) -> None:
    assert (found.generator, found.prompt, found.negative) == ("Fooocus", "a cabin", "ugly")
    assert (setting(found, "Size"), setting(found, "Styles")) == ("1152x896", "['Fooocus V2', 'Fooocus Enhance']")


def test_fooocus() -> None:
    check_fooocus(read(png({"fooocus_scheme": "fooocus", "parameters": json.dumps(FOOOCUS)})))
    check_fooocus(read(png({"parameters": json.dumps(FOOOCUS)})))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_fooocus_in_exif_stands_in_the_main_directory(kind: str) -> None:
    block = Image.Exif()
    block[USER_COMMENT], block[SOFTWARE], block[MAKER_NOTE] = json.dumps(FOOOCUS), "Fooocus v2.4.3", "fooocus"
    check_fooocus(read(saved(kind, exif=block.tobytes())))


def test_fooocus_in_a1111_s_form() -> None:
    found = read(png({"fooocus_scheme": "a1111", "parameters": INFOTEXT.replace("v1.10.1", "Fooocus v2.4.3")}))
    assert (found.generator, found.negative) == ("Fooocus", "blurry, low quality\nwatermark")
