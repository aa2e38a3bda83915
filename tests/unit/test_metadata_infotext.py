"""A1111's text, as it, Forge and others write it."""

from __future__ import annotations

import json

import msgspec
import pytest
from generated_files import INFOTEXT, commented, png
from metadata_kit import check_infotext, read, setting

from interrogator.metadata import read_parameters
from interrogator.metadata.values import MAX_NAME
from interrogator.types import Embedded


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("international", [False, True])
def test_a1111_in_every_kind_of_png_text(compressed: bool, international: bool) -> None:
    check_infotext(read(png({"parameters": INFOTEXT}, compressed=compressed, international=international)))


@pytest.mark.parametrize(
    ("settings", "generator"),
    [
        ("Version: f2.0.1v1.10.1-previous-659-gc055f2d4", "Forge"),
        ("Version: v1.6.0", "A1111"),
        ("Version: ComfyUI", "ComfyUI"),
        ("Version: Fooocus v2.5.5", "Fooocus"),
    ],
)
def test_the_program_is_named_by_its_version(settings: str, generator: str) -> None:
    found = read(png({"parameters": f"a boat\nSteps: 4, Sampler: Euler, Seed: 1, {settings}"}))
    assert (found.generator, found.prompt) == (generator, "a boat")


@pytest.mark.parametrize(
    ("name", "shown"),
    [(r"\ud800", "another program"), (r"S\u202eD\u0000.Next", "SD.Next"), ("x" * 300, "x" * MAX_NAME)],
)
def test_the_name_of_a_program_can_be_sent_and_shown_whatever_the_file_says(name: str, shown: str) -> None:
    found = read(png({"parameters": f'a boat\nSteps: 4, Sampler: Euler, Seed: 1, App: "{name}"'}))
    assert found.generator == shown
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Embedded) == found


def test_a_line_with_few_settings_is_a_line_of_the_prompt() -> None:
    assert read(png({"parameters": "a boat\nnote: calm, sea: blue"})) == Embedded(
        "A1111", "a boat\nnote: calm, sea: blue"
    )


def test_settings_may_hold_line_ends_and_quotes() -> None:
    template = json.dumps('a "b", c\nNegative prompt: d')
    found = read(png({"parameters": f"a boat\nSteps: 4, Sampler: Euler, Template: {template},\nSeed: 1"}))
    assert setting(found, "Template") == 'a "b", c Negative prompt: d'
    assert setting(found, "Seed") == "1"


def test_a_camera_s_comment_is_no_prompt() -> None:
    assert read_parameters(commented("JPEG", b"ASCII\0\0\0a day at the sea")) is None
