"""InvokeAI of every age."""

from __future__ import annotations

import json

import pytest
from generated_files import png
from metadata_kit import read, setting

from interrogator.types import Embedded


def test_invokeai() -> None:
    data = {
        "app_version": "5.0.0",
        "generation_mode": "sdxl_txt2img",
        "positive_prompt": "a fox in snow",
        "negative_prompt": "text",
        "positive_style_prompt": "ink drawing",
        "width": 1024,
        "height": 768,
        "seed": 7,
        "steps": 30,
        "cfg_scale": 5.5,
        "scheduler": "dpmpp_2m_k",
        "model": {"key": "1", "hash": "blake3:0", "name": "Juggernaut XL", "base": "sdxl"},
    }
    found = read(png({"invokeai_metadata": json.dumps(data), "invokeai_graph": "{}"}))
    assert found == Embedded(
        "InvokeAI",
        "a fox in snow\nink drawing",
        "text",
        (
            ("Steps", "30"),
            ("Scheduler", "dpmpp_2m_k"),
            ("CFG scale", "5.5"),
            ("Seed", "7"),
            ("Size", "1024x768"),
            ("Model", "Juggernaut XL"),
        ),
    )


def test_invokeai_of_version_3_with_flux() -> None:
    model = {"model_name": "flux-dev", "base_model": "flux", "model_type": "main"}
    data = {"positive_prompt": "a fox", "negative_prompt": None, "guidance": 3.5, "seed": 7, "model": model}
    found = read(png({"invokeai_metadata": json.dumps(data)}))
    expected = (("Guidance", "3.5"), ("Seed", "7"), ("Model", "flux-dev"))
    assert found == Embedded("InvokeAI", "a fox", "", expected)


def test_invokeai_of_version_2() -> None:
    image = {
        "prompt": [{"prompt": "a fox [blurry] in snow [text]", "weight": 1.0}],
        "steps": 50,
        "sampler": "k_lms",
        "cfg_scale": 7.5,
        "seed": 3,
        "width": 512,
        "height": 512,
    }
    data = {"model": "stable diffusion", "model_weights": "stable-diffusion-1.5", "app_version": "2.3", "image": image}
    found = read(png({"sd-metadata": json.dumps(data), "Dream": '"ignored" -s1'}))
    assert (found.prompt, found.negative) == ("a fox in snow", "blurry, text")
    assert setting(found, "Model") == "stable-diffusion-1.5"


@pytest.mark.parametrize("prompt", ['"a fox "by" nobody [dull]"', 'a fox "by" nobody [dull]'])
def test_invokeai_of_the_first_versions(prompt: str) -> None:
    found = read(png({"Dream": f"{prompt} -s50 -S1234 -W512 -H768 -C7.5 -A k_lms"}))
    assert (found.generator, found.prompt, found.negative) == ("InvokeAI", 'a fox "by" nobody', "dull")
    assert dict(found.settings) == {
        "Steps": "50",
        "Sampler": "k_lms",
        "CFG scale": "7.5",
        "Seed": "1234",
        "Size": "512x768",
    }
