"""What reaches a terminal can neither steer it nor deceive who reads; programs get the name as it is."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedRunner

from interrogator.cli import main
from interrogator.cli.display import Display, DownloadBar, shown
from interrogator.engines.clip.fetching import Fetching
from interrogator.types import Progress, Stage

Said = pytest.CaptureFixture[str]
Picture = Callable[[str | bytes], str]

DEVIOUS = [
    pytest.param("\x1b[2J\x1b]0;owned\x07.png", r"\x1b[2J\x1b]0;owned\x07.png", id="escape sequences"),
    pytest.param("\u202egpj.exe.png", r"\u202egpj.exe.png", id="right to left"),
    pytest.param("\x9b31m.png", r"\x9b31m.png", id="C1"),
    pytest.param("a.png\ninterrogate: all is well.png", r"a.png\ninterrogate: all is well.png", id="a second line"),
    pytest.param("a\u2028b\u2066c.png", r"a\u2028b\u2066c.png", id="separator and isolate"),
]


@pytest.mark.parametrize(("name", "harmless"), DEVIOUS)
def test_the_text_for_people_shows_a_devious_name_escaped(
    name: str, harmless: str, runner: ScriptedRunner, picture: Picture, capsys: Said
) -> None:
    path = picture(name)
    assert main([path]) == 0
    said = capsys.readouterr().out
    assert harmless in said
    assert name not in said


@pytest.mark.parametrize(("name", "harmless"), DEVIOUS)
def test_so_do_the_complaints(
    name: str, harmless: str, runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsys: Said
) -> None:
    Path(picture(name)).write_bytes(b"")
    (tmp_path / f"{name} folder").mkdir()
    assert main([str(tmp_path / name), str(tmp_path / f"{name} folder"), f"{name} missing"]) == 1
    said = capsys.readouterr().err
    assert said.count(harmless) == 3
    assert name not in said


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["a.png", "--csv", "{}"], id="an image to write"),
        pytest.param(["a.png", "--csv", "{}/"], id="a folder to write"),
        pytest.param(["a.png", "--csv", "no/{}.csv"], id="no such folder"),
        pytest.param(["a.png", "--{}"], id="an unknown option"),
        pytest.param(["a.png", "--mode", "{}"], id="an unknown mode"),
    ],
)
@pytest.mark.parametrize(("name", "harmless"), DEVIOUS)
def test_so_do_the_refusals(
    name: str, harmless: str, argv: list[str], runner: ScriptedRunner, picture: Picture, capsys: Said
) -> None:
    image = picture("a.png")
    words = [image if word == "a.png" else word.format(name) for word in argv]
    try:
        assert main(words) != 0
    except SystemExit as ended:
        assert ended.code == 2  # argparse ends so, the others return
    said = capsys.readouterr().err
    assert harmless in said.replace("\\\\", "\\")  # argparse quotes the value of an option as Python does
    assert name not in said


@pytest.mark.parametrize(("name", "harmless"), DEVIOUS)
def test_programs_get_the_name_as_it_is(
    name: str, harmless: str, runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsys: Said
) -> None:
    path = picture(name)
    table = tmp_path / "out.csv"
    assert main([path, "--json", "--csv", str(table)]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == path
    with table.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["path"] == path


@pytest.mark.parametrize(("name", "harmless"), DEVIOUS)
def test_so_does_the_name_of_a_table_that_is_gone_on_with(
    name: str, harmless: str, runner: ScriptedRunner, picture: Picture, tmp_path: Path, capsys: Said
) -> None:
    table = str(tmp_path / f"{name}.csv")
    words = [picture("a.png"), "--csv", table, "--skip-done"]
    assert [main(words), main(words)] == [0, 0]
    said = capsys.readouterr().err
    assert harmless in said
    assert name not in said


@given(st.text())
def test_no_name_keeps_a_control_character(name: str) -> None:
    assert not [letter for letter in shown(name) if unicodedata.category(letter) == "Cc"]


@pytest.mark.parametrize("name", ["Grüße-写真-🦊.png", "two words.png", "عكس.png", "👩‍🚀.png", "back\\slash.png"])
def test_an_honest_name_is_shown_as_it_is(name: str) -> None:
    assert shown(name) == name


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_stage_step_and_the_similarity_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    with Display(total=2) as display:
        display.report(Progress(Stage.LABELS, 10, 100))
        assert "embedding the vocabulary 10/100" in terminal.getvalue()
        display.report(Progress(Stage.SEARCH, 5, 32, 0.31234))
        assert "search 5/32, similarity 0.312" in terminal.getvalue()


def test_a_download_is_shown_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    with DownloadBar() as bar:
        bar.report(Fetching("model\x1b.safetensors", 0, 2_000_000_000))
        bar.report(Fetching("model\x1b.safetensors", 500_000_000, 2_000_000_000))
        time.sleep(0.2)  # it is drawn ten times a second at most
        bar.report(Fetching("model\x1b.safetensors", 600_000_000, 2_000_000_000))
        assert "30%" in terminal.getvalue()
        assert "600M/2.00G" in terminal.getvalue()
    assert "\x1b.safetensors" not in terminal.getvalue()
