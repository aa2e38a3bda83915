"""SwarmUI: PNG and JPEG."""

from __future__ import annotations

import json

import pytest
from generated_files import commented, png, saved, unicode_comment
from metadata_kit import read
from PIL import Image

from interrogator.types import Embedded

PARAMETERS = json.dumps(
    {
        "sui_image_params": {
            "prompt": "a cat in a hat",
            "negativeprompt": "text",
            "model": "OfficialStableDiffusion/sd_xl_base_1.0",
            "images": 1,
            "seed": 1234567890,
            "steps": 20,
            "cfgscale": 7.0,
            "aspectratio": "1:1",
            "width": 1024,
            "height": 768,
            "sampler": "dpmpp_2m",
            "scheduler": "karras",
            "loras": ["detail"],
            "swarm_version": "0.9.5.0",
        },
        "sui_extra_data": {"date": "2025-01-01", "generation_time": "1.2 (prep) and 3.4 (gen) seconds"},
        "sui_models": [{"name": "sd_xl_base_1.0.safetensors", "param": "model", "hash": "0x31e3"}],
    },
    indent=2,
)


def in_the_model_s_field() -> bytes:
    block = Image.Exif()
    block[0x0110] = PARAMETERS
    return saved("JPEG", exif=block.tobytes())


@pytest.mark.parametrize(
    "data",
    [png({"parameters": PARAMETERS}), commented("JPEG", unicode_comment(PARAMETERS, "<")), in_the_model_s_field()],
    ids=["PNG", "JPEG", "early JPEG"],
)
def test_swarmui(data: bytes) -> None:
    assert read(data) == Embedded(
        "SwarmUI",
        "a cat in a hat",
        "text",
        (
            ("Steps", "20"),
            ("Sampler", "dpmpp_2m"),
            ("Scheduler", "karras"),
            ("CFG scale", "7"),
            ("Seed", "1234567890"),
            ("Size", "1024x768"),
            ("Model", "OfficialStableDiffusion/sd_xl_base_1.0"),
            ("Version", "0.9.5.0"),
        ),
    )
