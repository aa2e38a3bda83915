"""What the command line accepts and what it refuses; nothing is read or loaded for either."""

from __future__ import annotations

import subprocess
import sys

import pytest

from interrogator.cli import main
from interrogator.cli.arguments import PLANNED, parse
from interrogator.types import DEFAULT_MODE, DEFAULT_PROFILE, Mode, Options

Said = pytest.CaptureFixture[str]


def refusal(argv: list[str], capsys: Said) -> str:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_the_defaults() -> None:
    arguments = parse(["photo.jpg"])
    assert arguments.images == ("photo.jpg",)
    assert arguments.options == Options(mode=DEFAULT_MODE, style_only=False, profile=DEFAULT_PROFILE)
    assert (arguments.worker, arguments.json, arguments.csv, arguments.txt) == (False, False, None, None)


def test_options_may_stand_anywhere() -> None:
    arguments = parse(["a.png", "--mode", "best", "b.png", "--style-only", "c.png"])
    assert arguments.images == ("a.png", "b.png", "c.png")
    assert arguments.options.mode is Mode.BEST
    assert arguments.options.style_only


@pytest.mark.parametrize("name", ["-photo.png", "--json", "--mode"])
def test_after_two_dashes_everything_is_a_file(name: str) -> None:
    assert parse(["--json", "--", name]).images == (name,)


@pytest.mark.parametrize("word", PLANNED)
def test_a_word_that_will_be_a_subcommand_is_refused(word: str, capsys: Said) -> None:
    said = refusal([word, "photo.jpg"], capsys)
    assert "not available in this version" in said
    assert f"./{word}" in said


@pytest.mark.parametrize("argv", [["./models"], ["models/"], ["--", "models"], ["photo.jpg", "models"]])
def test_a_path_is_not_a_subcommand(argv: list[str]) -> None:
    assert parse(argv).images == tuple(word for word in argv if word != "--")


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        pytest.param([], "IMAGE", id="no image"),
        pytest.param(["a.png", "--mode", "sideways"], "sideways", id="unknown mode"),
        pytest.param(["a.png", "--profile", "sd9"], "sd9", id="unknown profile"),
        pytest.param(["a.png", "--colour"], "--colour", id="unknown option"),
        pytest.param(["a.png", "--sty"], "--sty", id="abbreviated option"),
        pytest.param(["a.png", "--mode", "caption", "--style-only"], "subject", id="the style of a caption"),
        pytest.param(["a.png", "--json", "--csv", "-"], "standard output", id="two outputs in one"),
        pytest.param(["a.png", "--txt", "-", "--csv", "-"], "standard output", id="two files in one"),
        pytest.param(["-", "a.png", "-"], "only once", id="standard input twice"),
        pytest.param(["--txt", "a.png", "b.png"], "would be overwritten", id="an image as output"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(argv: list[str], reason: str, capsys: Said) -> None:
    assert reason in refusal(argv, capsys)


def test_help_shows_examples_and_the_exit_codes(capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for words in ("interrogate photo.jpg", "--style-only", "--worker", "exit codes: 0", *Mode):
        assert words in said


def test_the_version_is_that_of_the_package(capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("interrogate 0.")


def test_the_command_line_is_checked_without_loading_any_model_library() -> None:
    program = (
        "import sys, interrogator.cli; interrogator.cli.parse(['a.png', '--worker']);"
        "import interrogator.queue.local; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "interrogator.cli" in loaded
    assert {"torch", "numpy", "PIL", "timm", "transformers", "discord"}.isdisjoint(loaded)


def test_it_is_a_module_too() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "interrogator", "--version"], check=True, capture_output=True, text=True
    )
    assert said.stdout.startswith("interrogate ")
