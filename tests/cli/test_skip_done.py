"""`--skip-done` goes on where an earlier run was interrupted: in the end each image has one answer, none is lost."""

from __future__ import annotations

import csv
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scripted import ScriptedRunner

from interrogator.cli import main
from interrogator.errors import ModelMissingError

Said = pytest.CaptureFixture[str]
Picture = Callable[[str | bytes], str]


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def go_on(table: Path, *words: str) -> int:
    return main([*words, "--csv", str(table), "--skip-done"])


def test_what_is_answered_is_left_out_and_the_rest_is_added(
    runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsys: Said
) -> None:
    table = tmp_path / "out.csv"
    first = picture("pictures/a.png")
    assert go_on(table, first) == 0
    before = table.read_bytes()
    second = picture("pictures/Grüße, “写真”\n.png")
    assert go_on(table, str(tmp_path / "pictures")) == 0
    assert table.read_bytes().startswith(before)
    assert {row["path"] for row in rows(table)} == {first, second}
    assert runner.batches == [1, 1]
    assert "1 image is answered" in capsys.readouterr().err


def test_where_all_is_answered_no_model_is_loaded(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    words = [picture("a.png"), picture("b.png")]
    assert go_on(table, *words) == 0
    before = table.read_bytes()
    assert go_on(table, *words) == 0
    assert len(runner.asked) == 1
    assert table.read_bytes() == before


def test_without_it_the_table_is_replaced(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    assert go_on(table, picture("a.png")) == 0
    assert main([picture("b.png"), "--csv", str(table)]) == 0
    assert [Path(row["path"]).name for row in rows(table)] == ["b.png"]


def test_a_failure_is_tried_again_and_its_row_replaced(
    runner: ScriptedRunner, picture: Picture, tmp_path: Path
) -> None:
    table = tmp_path / "out.csv"
    first, second = picture("a.png"), picture("b.png")
    assert go_on(table, first) == 0
    runner.error = ModelMissingError("The weights are not here.")
    assert go_on(table, first, second) == 1
    assert [row["error"] for row in rows(table)] == ["", "The weights are not here."]
    runner.error = None
    assert go_on(table, first, second) == 0
    assert [(row["path"], row["error"]) for row in rows(table)] == [(first, ""), (second, "")]


def test_another_question_about_the_same_image_is_another_answer(
    runner: ScriptedRunner, picture: Picture, tmp_path: Path
) -> None:
    table, image = tmp_path / "out.csv", picture("a.png")
    for words in (["--mode", "best"], ["--mode", "classic"], ["--mode", "best", "--style-only"], ["--mode", "best"]):
        assert go_on(table, image, *words) == 0
    asked = [("best", "False"), ("classic", "False"), ("best", "True")]
    assert [(row["mode"], row["style_only"]) for row in rows(table)] == asked


@pytest.mark.parametrize(
    "other",
    [
        ["--caption", "a fox"],
        ["--no-artists"],
        ["--block", "red"],
        ["--captioner", "blip-base"],
        ["--model", "second", "--captioner", "none"],
        ["--precision", "bf16"],
    ],
)
def test_other_models_and_options_are_another_question(
    other: list[str], runner: ScriptedRunner, picture: Picture, tmp_path: Path
) -> None:
    table, image = tmp_path / "out.csv", picture("a.png")
    model = ["--model", "first"]
    assert [go_on(table, image, *model), go_on(table, image, *model, *other)] == [0, 0]
    assert go_on(table, image, *model, *other, "--device", "cpu", "--low-memory") == 0  # where, is no question
    assert len(rows(table)) == len(runner.batches) == 2


def test_another_frame_of_the_same_file_is_another_question(runner: ScriptedRunner, tmp_path: Path) -> None:
    table, image = tmp_path / "out.csv", str(tmp_path / "two.gif")
    Image.new("RGB", (9, 9), "red").save(image, save_all=True, append_images=[Image.new("RGB", (9, 9), "blue")])
    assert [go_on(table, image, "--frame", frame) for frame in ("1", "2", "2", "1", "3")] == [0, 0, 0, 0, 1]
    assert [(row["frame"], row["error"]) for row in rows(table)] == [
        ("1", ""),
        ("2", ""),
        ("3", "That file has 2 frames; choose 1 to 2."),
    ]
    assert runner.batches == [1, 1]


def test_an_image_that_has_changed_is_asked_again_in_place_of_its_row(
    runner: ScriptedRunner, picture: Picture, tmp_path: Path
) -> None:
    table, first, second = tmp_path / "out.csv", picture("a.png"), picture("b.png")
    assert go_on(table, first, second) == 0
    Image.new("RGB", (9, 9), "red").save(first)
    assert go_on(table, first, second) == 0
    assert runner.batches == [1, 1, 1]
    content = hashlib.sha256(Path(first).read_bytes()).hexdigest()
    assert {row["path"]: row["sha256"] == content for row in rows(table)} == {first: True, second: False}


def test_an_image_that_is_gone_is_said(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    table, image = tmp_path / "out.csv", picture("a.png")
    assert go_on(table, image) == 0
    Path(image).unlink()
    assert go_on(table, image) == 1
    assert [row["error"] for row in rows(table)] == ["There is no such file."]


def test_the_same_file_by_another_name_is_the_same(
    runner: ScriptedRunner, picture: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "out.csv"
    picture("folder/a.png")
    monkeypatch.chdir(tmp_path)
    for word in ("folder/a.png", "./folder", str(tmp_path / "folder"), "folder/../folder/a.png"):
        assert go_on(table, word) == 0
    assert len(rows(table)) == 1


@pytest.mark.skipif(os.name != "posix", reason="file names are Unicode there")
def test_a_name_that_is_no_unicode_is_found_again(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    table, image = tmp_path / "out.csv", picture(b"caf\xe9.png")
    assert [go_on(table, image), go_on(table, image)] == [0, 0]
    assert len(rows(table)) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_wherever_a_table_was_cut_off_it_becomes_whole(
    data: st.DataObject, runner: ScriptedRunner, picture: Picture, tmp_path: Path
) -> None:
    table = tmp_path / "out.csv"
    runner.prompt = 'a “quoted”写真,\nof two lines, "and more"'
    images = [picture(f"pictures/{name}.png") for name in ("a", 'b "c", d', "e\nf")]
    assert main([str(tmp_path / "pictures"), "--csv", str(table)]) == 0
    whole = table.read_bytes()
    kept = data.draw(st.integers(0, len(whole)))
    table.write_bytes(whole[:kept])
    assert go_on(table, str(tmp_path / "pictures")) == 0
    assert sorted(row["path"] for row in rows(table)) == sorted(images)
    assert all(row["prompt"] == runner.prompt and row["error"] == "" for row in rows(table))


KILLED = """
import os, signal, sys
from scripted import ScriptedRunner
import interrogator.cli, interrogator.cli.answering
class Mortal(ScriptedRunner):
    def _answer(self, arguments, image):
        if len(self.batches) > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._answer(arguments, image)
interrogator.cli.answering.open_runner = Mortal().open
interrogator.cli.main(sys.argv[1:])
"""


@pytest.mark.skipif(os.name != "posix", reason="no such signal")
def test_a_killed_run_is_gone_on_with(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    images = [picture(f"pictures/{number}.png") for number in range(7)]
    words = [str(tmp_path / "pictures"), "--batch", "2", "--csv", str(table), "--skip-done"]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *words],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert killed.returncode == -signal.SIGKILL
    assert [row["path"] for row in rows(table)] == images[:4]
    assert main(words) == 0
    assert [row["path"] for row in rows(table)] == images
    assert runner.batches == [2, 1]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"name,prompt\na.png,a fox\n", id="another table"),
        pytest.param(b"dear diary, today I\n", id="a text"),
        pytest.param(b'"path"x,"prompt"\n1,2\n', id="bad quotes"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", id="an image"),
    ],
)
def test_what_is_no_table_of_ours_is_left_alone(
    content: bytes, runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsys: Said
) -> None:
    table = tmp_path / "out.csv"
    table.write_bytes(content)
    assert go_on(table, picture("a.png")) == 2
    assert "is not a table" in capsys.readouterr().err
    assert table.read_bytes() == content
    assert not runner.asked


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no such device")
def test_a_device_cannot_be_gone_on_with(runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    assert go_on(Path("/dev/null"), picture("a.png")) == 2
    assert "not a regular file" in capsys.readouterr().err


def test_a_linked_table_stays_a_link(runner: ScriptedRunner, picture: Picture, tmp_path: Path) -> None:
    real, link = tmp_path / "elsewhere.csv", tmp_path / "out.csv"
    link.symlink_to(real)
    runner.error = ModelMissingError("Not here.")
    assert go_on(link, picture("a.png")) == 1
    runner.error = None
    assert go_on(link, picture("a.png")) == 0
    assert link.is_symlink()
    assert len(rows(real)) == 1
