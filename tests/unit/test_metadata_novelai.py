"""NovelAI: PNG, WebP, and its captions of characters."""

from __future__ import annotations

import json

from generated_files import commented, png
from metadata_kit import read


def novelai() -> dict[str, str]:
    comment = {"steps": 28, "scale": 5.0, "uc": "lowres", "seed": 9, "sampler": "k_euler", "width": 832, "height": 1216}
    return {
        "Title": "AI generated image",
        "Description": "1girl, lighthouse",
        "Software": "NovelAI",
        "Source": "Stable Diffusion XL C1E1DE52",
        "Comment": json.dumps(comment),
    }


def test_novelai() -> None:
    found = read(png(novelai()))
    assert (found.generator, found.prompt, found.negative) == ("NovelAI", "1girl, lighthouse", "lowres")
    assert dict(found.settings) == {
        "Steps": "28",
        "Sampler": "k_euler",
        "Scale": "5",
        "Seed": "9",
        "Size": "832x1216",
        "Model": "Stable Diffusion XL C1E1DE52",
    }


def test_novelai_in_webp_is_one_object_in_the_comment() -> None:
    assert read(commented("WEBP", b"ASCII\0\0\0" + json.dumps(novelai()).encode())) == read(png(novelai()))


def test_the_comment_in_webp_may_be_an_object_itself() -> None:
    whole: dict[str, object] = {**novelai()}
    whole["Comment"] = json.loads(novelai()["Comment"])
    assert read(commented("WEBP", b"ASCII\0\0\0" + json.dumps(whole).encode())) == read(png(novelai()))


def test_numbers_are_shown_whole_and_what_is_none_is_not() -> None:
    comment = {"prompt": "a", "uc": "b", "seed": 219670278747233.0, "scale": float("nan"), "steps": float("inf")}
    found = read(png({"Software": "NovelAI", "Comment": json.dumps(comment)}))
    assert found.settings == (("Seed", "219670278747233"),)


def test_novelai_with_characters() -> None:
    def captions(base: str, *characters: str) -> dict[str, object]:
        return {"caption": {"base_caption": base, "char_captions": [{"char_caption": one} for one in characters]}}

    comment = {
        "prompt": "two people",
        "uc": "lowres",
        "v4_prompt": captions("two people", "girl, red hair", "boy"),
        "v4_negative_prompt": captions("lowres", "", "hat"),
    }
    found = read(png({"Software": "NovelAI", "Comment": json.dumps(comment)}))
    assert (found.prompt, found.negative) == ("two people\ngirl, red hair\nboy", "lowres\nhat")
