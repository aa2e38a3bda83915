"""A1111's text, as it, Forge and others write it."""

from __future__ import annotations

import json
import time

import msgspec
import pytest
from generated_files import INFOTEXT, commented, png, saved
from metadata_kit import check_infotext, read, setting
from PIL import Image

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
        ("Version: f1.0.5-v1.10.1RC-latest-2204-gd1de34ab", "Forge"),
        ("Version: neo-2.24", "Forge"),
        ("App: SD.Next, Version: f3a9c21", "SD.Next"),
        ("Version: f3a9c21", "A1111"),
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


@pytest.mark.parametrize("comment", [b"a day at the sea", b"a day\nCamera: X100, Lens: 23mm, ISO: 200, Flash: off"])
def test_a_camera_s_comment_is_no_prompt(comment: bytes) -> None:
    assert read_parameters(commented("JPEG", b"ASCII\0\0\0" + comment)) is None


def test_a_prompt_may_begin_with_a_brace() -> None:
    found = read(
        png({"parameters": "{{masterpiece}}, 1girl\nNegative prompt: {bad}\nSteps: 4, Sampler: Euler, Seed: 1"})
    )
    assert (found.prompt, found.negative, setting(found, "Seed")) == ("{{masterpiece}}, 1girl", "{bad}", "1")
    assert read_parameters(png({"parameters": '{"of": "another program"'})) is None


def test_the_words_of_the_negative_prompt_within_a_line_are_words_of_that_line() -> None:
    prompt = "a poster that says Negative prompt: none,\nSteps: up, a door"
    found = read(png({"parameters": f"{prompt}\nNegative prompt: fog\nSteps: 4, Sampler: Euler, Seed: 1"}))
    assert found.prompt == prompt
    assert (found.negative, setting(found, "Steps")) == ("fog", "4")


def test_the_version_counts_behind_any_number_of_settings() -> None:
    extensions = ", ".join(f"ADetailer value {number}: {number}" for number in range(60))
    text = f"a boat\nSteps: 4, Sampler: Euler, Seed: 1, {extensions}, Version: f2.0.1v1.10.1-previous-659-gc055f2d4"
    assert read(png({"parameters": text})).generator == "Forge"


def test_values_of_json_are_one_value() -> None:
    hashes = json.dumps({"model": "31e35c80fc", "lora:sea, wide": "0c1d"})
    resources = json.dumps([{"type": "checkpoint", "modelName": "Pony, Model: not this one", "modelVersionId": 290640}])
    text = f"a boat\nSteps: 4, Seed: 1, Hashes: {hashes}, Civitai resources: {resources}, Model: pony, Metadata: {{}}"
    found = read(commented("JPEG", b"UNICODE\0" + text.encode("utf-16-be")))
    assert (found.generator, setting(found, "Model"), setting(found, "Hashes")) == ("Civitai", "pony", hashes)
    assert [name for name, _ in found.settings].count("Model") == 1


@pytest.mark.parametrize("value", ["[" * 100_000, "[[1], " * 30_000, '{"a": "' * 20_000], ids=lambda value: value[:4])
def test_values_that_only_begin_like_json_are_read_in_time(value: str) -> None:
    started = time.process_time()
    assert setting(read(png({"parameters": f"a\nSteps: 4, Seed: 1, Size: 1x1, Odd: {value}"})), "Seed") == "1"
    assert time.process_time() - started < 5


def test_the_comment_of_a_gif_is_a1111_s_text() -> None:
    check_infotext(read(saved("GIF", comment=INFOTEXT.encode())))
    assert read_parameters(saved("GIF", comment=b"made by hand")) is None


def test_other_comments_of_a_picture_are_a1111_s_text_where_they_look_like_it() -> None:
    block = Image.Exif()
    block[0x010E] = INFOTEXT
    check_infotext(read(saved("JPEG", exif=block.tobytes())))
    check_infotext(read(png({"Description": INFOTEXT})))
    block[0x010E] = "a day at the sea, with: friends"
    assert read_parameters(saved("JPEG", exif=block.tobytes())) is None
    assert read_parameters(png({"Description": "a day at the sea"})) is None
