"""No output ever replaces an image that is to be read; what cannot be a file is refused before anything runs."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import ScriptedRunner

from interrogator.cli import main

Said = pytest.CaptureFixture[str]
Picture = Callable[[str | bytes], str]

FORMS = pytest.mark.parametrize("option", ["--csv", "--txt"])


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(argv: list[str], runner: ScriptedRunner, capsys: Said) -> str:
    """What is said of the refusal; nothing has been asked of the models."""
    assert main(argv) == 2
    assert not runner.asked
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@FORMS
@pytest.mark.parametrize("name", ["picture", "./picture", "folder/../picture"])
def test_an_image_is_not_its_own_output(
    option: str, name: str, runner: ScriptedRunner, picture: Picture, capsys: Said
) -> None:
    image = Path(picture("picture"))
    Path("folder").mkdir()
    before = image.read_bytes()
    assert "is an image that is to be read" in refused([str(image), option, name], runner, capsys)
    assert image.read_bytes() == before


@FORMS
@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_link_to_an_image_is_not_written_through(
    option: str, link: Callable[[str, str], None], runner: ScriptedRunner, picture: Picture, capsys: Said
) -> None:
    image = Path(picture("pictures/a.png"))
    before = image.read_bytes()
    link(str(image), "out.txt")
    assert "out.txt" in refused(["pictures", option, "out.txt"], runner, capsys)
    assert image.read_bytes() == before


def test_the_image_on_standard_input_is_not_written_over(
    runner: ScriptedRunner, picture: Picture, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Path(picture("picture"))
    before = image.read_bytes()
    with image.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        assert "is an image that is to be read" in refused(["-", "--txt", "picture"], runner, capsys)
    assert image.read_bytes() == before


@pytest.mark.parametrize("other", ["out", "./out", "link"])
def test_two_names_of_one_file_are_not_two_outputs(
    other: str, runner: ScriptedRunner, picture: Picture, capsys: Said
) -> None:
    Path("link").symlink_to("out")
    argv = [picture("a.png"), "--csv", "out", "--txt", other]
    assert "two different files" in refused(argv, runner, capsys)
    assert not Path("out").exists()


@FORMS
@pytest.mark.parametrize("name", ["folder", "folder/", "new/", "folder/.", "."])
def test_a_folder_is_no_output(option: str, name: str, runner: ScriptedRunner, picture: Picture, capsys: Said) -> None:
    Path("folder").mkdir()
    image = picture("a.png")
    assert "is a folder" in refused([image, option, name], runner, capsys)
    assert {path.name for path in Path().iterdir()} == {"a.png", "folder"}


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no such device")
def test_a_device_may_be_read_and_written(runner: ScriptedRunner, picture: Picture) -> None:
    assert main(["/dev/null", "--txt", "/dev/null"]) == 1
    assert main([picture("a.png"), "--txt", "/dev/null"]) == 0


def test_an_earlier_output_is_replaced(runner: ScriptedRunner, picture: Picture) -> None:
    Path("out.txt").write_text("an earlier and longer output " * 9)
    assert main([picture("a.png"), "--txt", "out.txt"]) == 0
    assert Path("out.txt").read_text(encoding="utf-8") == f"{runner.prompt}\n"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        pytest.param(["a.png", "--plot", "a.png"], "is to be read", id="the image itself"),
        pytest.param(["a.png", "--plot", "link.png"], "is to be read", id="a link to it"),
        pytest.param(["a.png", "--plot", "b.png"], "is no chart", id="another picture"),
        pytest.param(["a.png", "--plot", "folder.png"], "is a folder", id="a folder"),
        pytest.param(["a.png", "b.png", "--plot", "new.png"], "2 are named", id="two images"),
    ],
)
def test_a_chart_replaces_no_picture(argv: list[str], reason: str, picture: Picture, capsys: Said) -> None:
    before = Path(picture("a.png")).read_bytes()
    picture("b.png")
    Path("folder.png").mkdir()
    Path("link.png").symlink_to("a.png")
    assert main(["analyze", *argv]) == 2
    assert reason in capsys.readouterr().err
    assert {Path(name).read_bytes() for name in ("a.png", "b.png", "link.png")} == {before}
    assert not Path("new.png").exists()
