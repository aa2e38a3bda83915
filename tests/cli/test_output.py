"""The forms of the answers. That of `--json` is a contract: keys may be added, never changed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import NOTE, ScriptedRunner

from interrogator.cli import main
from interrogator.errors import ModelMissingError
from interrogator.types import DEFAULT_MODE, Embedded

Said = pytest.CaptureFixture[str]
Picture = Callable[[str | bytes], str]

KEYS = {
    "path",
    "sha256",
    "width",
    "height",
    "frame",
    "frames",
    "profile",
    "mode",
    "style_only",
    "caption",
    "prompt",
    "phrases",
    "similarity",
    "seconds",
    "stopped_early",
    "embedded",
    "error",
    "engine",
    "note",
    "explanation",
}


def test_the_json_of_an_answer(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    path = picture("a.png")
    assert main([path, "--json", "--mode", "best", "--style-only"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "path": path,
        "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "width": 8,
        "height": 6,
        "frame": 1,
        "frames": 1,
        "profile": "lite",
        "mode": "best",
        "style_only": True,
        "subject": None,
        "caption": "a teal field",
        "prompt": runner.prompt,
        "phrases": [{"text": "flat colour", "group": "light", "similarity": 0.123457}],
        "similarity": 0.345679,
        "seconds": 0.5,
        "stopped_early": False,
        "embedded": None,
        "error": None,
        "engine": "scripted",
        "note": NOTE,
        "explanation": None,
    }


def test_the_json_of_a_failure_has_the_same_keys(runner: ScriptedRunner, tmp_path: Path, capsys: Said) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    assert main([str(empty), str(tmp_path / "missing.png"), "--json"]) == 1
    unread, missing = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    for row in (unread, missing):
        assert row.keys() >= KEYS
        assert row["phrases"] == []
        assert all(row[key] is None for key in ("prompt", "caption", "similarity", "width", "height", "embedded"))
        assert (row["profile"], row["mode"], row["style_only"]) == ("lite", DEFAULT_MODE, False)
    assert unread["error"]["kind"] == "empty_image"
    assert unread["error"]["message"].startswith("That file is empty")
    assert unread["sha256"] == hashlib.sha256(b"").hexdigest()
    assert missing["error"] == {"kind": "unreadable_file", "message": "There is no such file."}
    assert missing["sha256"] is None


def test_models_that_cannot_be_loaded_fail_every_image(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    runner.error = ModelMissingError("The weights of lite are not on this machine.")
    assert main([picture("a.png"), picture("b.png"), "--json"]) == 1
    said = capsys.readouterr()
    assert [json.loads(line)["error"]["kind"] for line in said.out.splitlines()] == ["model_missing"] * 2
    assert "The weights of lite are not on this machine." in said.err


def test_text_for_people_has_the_prompt_on_a_line_and_the_note_once(
    runner: ScriptedRunner, picture: Picture, capsys: Said
) -> None:
    paths = [picture("a.png"), picture("b.png")]
    assert main(paths) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [line for line in lines if line in paths] == paths
    assert lines.count(runner.prompt) == 2
    assert said.err.count(NOTE) == 1
    assert NOTE not in said.out


EMBEDDED = Embedded("A1111", "a boat\nat sea \u001b[31m", "blurry\nfog", (("Steps", "20"), ("Seed", "7")))


def test_what_the_file_carries_is_in_the_json(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    runner.embedded = EMBEDDED
    assert main([picture("a.png"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["embedded"] == {
        "generator": "A1111",
        "prompt": EMBEDDED.prompt,
        "negative": "blurry\nfog",
        "settings": {"Steps": "20", "Seed": "7"},
    }


def test_what_the_file_carries_stands_before_the_prompt(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    runner.embedded = EMBEDDED
    path = picture("a.png")
    assert main([path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == [
        path,
        "Embedded in the file (A1111):",
        "  a boat",
        r"  at sea \x1b[31m",
        "  negative: blurry fog",
        "  Steps: 20, Seed: 7",
        "",
    ]
    assert lines[7] == runner.prompt


def test_a_failure_is_a_sentence_on_stderr(runner: ScriptedRunner, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "empty.png").touch()
    assert main([str(tmp_path / "empty.png")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "empty.png: That file is empty" in said.err
    assert not runner.asked  # no image: no models


def test_a_caption_that_was_cut_is_said(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    assert main([picture("a.png"), "--json", "--caption", "a  teal field"]) == 0
    said = capsys.readouterr()
    assert (json.loads(said.out)["note"], said.err) == (NOTE, "")
    assert main([picture("a.png"), "--json", "--caption", "a teal field of very many words"]) == 0
    said = capsys.readouterr()
    assert "was cut" in json.loads(said.out)["note"]
    assert said.err.startswith("note: ")
    assert said.err.count("a.png: The caption was longer than the models read") == 1


def test_a_table_has_a_row_for_each_image(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    table = tmp_path / "out.csv"
    good = picture("a, “b”\n.png")
    assert main([good, str(tmp_path / "empty.png"), "--csv", str(table)]) == 1
    with table.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["path"], first["prompt"], first["error"]) == (good, runner.prompt, "")
    assert (first["width"], first["similarity"], first["style_only"]) == ("8", "0.345679", "False")
    assert (second["prompt"], second["error"]) == ("", "That file is empty.")


def test_prompts_alone_keep_step_with_the_images(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    runner.prompt = "one\nprompt"
    lines = tmp_path / "prompts.txt"
    assert main([picture("a.png"), str(tmp_path / "empty.png"), picture("b.png"), "--txt", str(lines)]) == 1
    assert lines.read_text(encoding="utf-8") == "one prompt\n\none prompt\n"


@pytest.mark.parametrize("option", ["--csv", "--txt"])
def test_a_dash_is_standard_output(option: str, runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    assert main([picture("a.png"), option, "-"]) == 0
    assert runner.prompt in capsys.readouterr().out.replace('""', '"')


def test_several_forms_at_once(runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsys: Said) -> None:
    files = [tmp_path / "out.csv", tmp_path / "out.txt"]
    assert main([picture("a.png"), "--json", "--csv", str(files[0]), "--txt", str(files[1])]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == runner.prompt
    assert all(runner.prompt in file.read_text(encoding="utf-8") for file in files)


def test_what_is_finished_is_written_before_the_next_begins(
    runner: ScriptedRunner, picture: Picture, tmp_path: Path
) -> None:
    lines = tmp_path / "prompts.txt"
    seen: list[str] = []
    answer = runner._answer

    def look(arguments: object, image: bytes) -> object:
        seen.append(lines.read_text(encoding="utf-8"))
        return answer(arguments, image)  # type: ignore[arg-type]

    runner._answer = look  # type: ignore[method-assign, assignment]
    assert main([picture("a.png"), picture("b.png"), "--txt", str(lines)]) == 0
    assert seen == ["", f"{runner.prompt}\n"]


def test_an_output_that_cannot_be_opened_is_said_before_anything_runs(
    runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsys: Said
) -> None:
    assert main([picture("a.png"), "--csv", str(tmp_path / "no/such/folder/out.csv")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert not runner.asked


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_disk_is_a_sentence(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    assert main([picture("a.png"), "--txt", "/dev/full"]) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_ctrl_c_ends_quietly(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    runner.error = KeyboardInterrupt()
    assert main([picture("a.png"), "--json"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(prompt=st.text(st.characters(exclude_categories=())))
def test_any_prompt_survives_json_and_csv(
    prompt: str, runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    runner.prompt = prompt
    table = tmp_path / "out.csv"
    assert main([picture("a.png"), "--json", "--csv", str(table)]) == 0
    (line,) = capsysbinary.readouterr().out.decode("utf-8").removesuffix("\n").split("\n")
    assert json.loads(line)["prompt"] == prompt
    with io.StringIO(table.read_bytes().decode("utf-8"), newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["prompt"] == os.fsdecode(prompt.encode("utf-8", "backslashreplace"))
