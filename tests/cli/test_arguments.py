"""What the command line accepts and what it refuses; nothing is read or loaded for either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from interrogator.cli import main
from interrogator.cli.arguments import COMMANDS, parse
from interrogator.cli.commands.interrogate import InterrogateArguments
from interrogator.cli.commands.score import ScoreArguments
from interrogator.cli.profile_options import PROFILES_VARIABLE
from interrogator.profiles import CUSTOM, ClipProfile, profile
from interrogator.types import DEFAULT_MODE, DEFAULT_PROFILE, Mode, Options
from interrogator.worker_secret import SECRET_VARIABLE

Said = pytest.CaptureFixture[str]


def refusal(argv: list[str], capsys: Said) -> str:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def asked(*argv: str) -> InterrogateArguments:
    arguments = parse(argv)
    assert isinstance(arguments, InterrogateArguments)
    return arguments


@pytest.fixture(autouse=True)
def _no_profiles_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (PROFILES_VARIABLE, SECRET_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def test_the_defaults() -> None:
    arguments = asked("photo.jpg")
    assert arguments.images == ("photo.jpg",)
    assert arguments.options == Options(mode=DEFAULT_MODE, style_only=False, profile=DEFAULT_PROFILE)
    assert arguments.profile == profile(DEFAULT_PROFILE)
    assert (arguments.worker, arguments.json, arguments.csv, arguments.txt) == (False, False, None, None)
    assert (arguments.explain, arguments.skip_done, arguments.batch) == (False, False, 1)


def test_options_may_stand_anywhere() -> None:
    arguments = asked("a.png", "--mode", "best", "b.png", "--style-only", "c.png")
    assert arguments.images == ("a.png", "b.png", "c.png")
    assert arguments.options.mode is Mode.BEST
    assert arguments.options.style_only


@pytest.mark.parametrize("name", ["-photo.png", "--json", "--mode"])
def test_after_two_dashes_everything_is_a_file(name: str) -> None:
    assert asked("--json", "--", name).images == (name,)


@pytest.mark.parametrize(
    "argv", [["./models"], ["models/"], ["--", "models"], ["photo.jpg", "models"], ["./analyze"], ["--", "score"]]
)
def test_a_path_is_not_a_subcommand(argv: list[str]) -> None:
    assert asked(*argv).images == tuple(word for word in argv if word != "--")


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
        pytest.param(["a.png", "--seconds", "0"], "seconds above 0", id="no time"),
        pytest.param(["a.png", "--seconds", "nan"], "seconds above 0", id="a time that is no number"),
        pytest.param(["a.png", "--batch", "0"], "from 1 to 64", id="an empty batch"),
        pytest.param(["a.png", "--batch", "65"], "from 1 to 64", id="a huge batch"),
        pytest.param(["a.png", "--min-phrases", "-1"], "of 0 or more", id="fewer than no phrases"),
        pytest.param(["a.png", "--min-phrases", "9", "--max-phrases", "8"], "more than", id="least above most"),
        pytest.param(["a.png", "--caption", " "], "needs words", id="an empty caption"),
        pytest.param(["a.png", "--caption", ",,, …!"], "needs words", id="a caption of punctuation"),
        pytest.param(["a.png", ""], "IMAGE is empty", id="a file without a name"),
        pytest.param(
            ["a.png", "--profile", "sd1", "--min-phrases", "50"],
            "more than the 32 phrases",
            id="least above its most",
        ),
        pytest.param(["score", "", "fox", "--profile", "sd1"], "IMAGE is empty", id="scoring a file without a name"),
        pytest.param(["score", "a.png", ",,,", "--profile", "sd1"], "needs words", id="a prompt of commas"),
        pytest.param(
            ["score", "a.png", "fox", "--before", ", ,", "--profile", "sd1"], "needs words", id="commas before"
        ),
        pytest.param(["a.png", "--block", ","], "needs words", id="nothing to block"),
        pytest.param(["a.png", "--skip-done"], "--csv FILE", id="going on with nothing"),
        pytest.param(["a.png", "--skip-done", "--csv", "-"], "--csv FILE", id="going on with a pipe"),
        pytest.param(["a.png", "--skip-done", "--csv", "x", "--txt", "y"], "--txt", id="going on with prompts alone"),
        pytest.param(["a.png", "--profile", "sd1", "--explain", "--worker"], "--worker", id="explaining from afar"),
        pytest.param(["a.png", "--worker", "--connect", "unix:s"], "choose one", id="two workers"),
        pytest.param(["a.png", "--connect", "host"], "unix:PATH or tcp:HOST:PORT", id="a worker nowhere"),
        pytest.param(["a.png", "--connect", "unix:s", "--secret-file", "none"], "cannot be read", id="no such secret"),
        pytest.param(
            ["a.png", "--profile", "sd1", "--explain", "--connect", "unix:s"], "--connect", id="explaining from outside"
        ),
        pytest.param(["serve"], "--listen", id="serving nowhere"),
        pytest.param(["serve", "--listen", "7411"], "unix:PATH or tcp:HOST:PORT", id="serving at a number"),
        pytest.param(["serve", "--listen", "tcp:127.0.0.1:0"], "needs a secret", id="serving anybody"),
        pytest.param(["serve", "--listen", "unix:s", "--profile", "sd9"], "sd9", id="serving no profile"),
        pytest.param(["serve", "--listen", "unix:s", "photo.jpg"], "photo.jpg", id="serving an image"),
        pytest.param(["a.png", "--captioner", "none"], "--captioner is for CLIP", id="a captioner for lite"),
        pytest.param(["a.png", "--profile", "lite", "--model", "x/y"], "--model is for CLIP", id="a model for lite"),
        pytest.param(["a.png", "--low-memory"], "--low-memory is for CLIP", id="little memory for lite"),
        pytest.param(["a.png", "--profile", "sd1", "--model", ""], "empty", id="a model without a name"),
        pytest.param(["a.png", "--profile", "sd1", "--precision", "int8"], "int8", id="unknown precision"),
        pytest.param(["a.png", "--profiles", "nowhere.toml"], "nowhere.toml", id="missing profiles"),
        pytest.param(["analyze"], "IMAGE", id="analyze without an image"),
        pytest.param(["analyze", "a.png", "--plot", "a.jpg"], ".png", id="a chart that is no PNG"),
        pytest.param(["analyze", "a.png", "--plot", "b.png", "--top", "51"], "at most 50", id="a chart too high"),
        pytest.param(["analyze", "a.png", "--top", "0"], "from 1", id="the top 0"),
        pytest.param(["analyze", "a.png", "--mode", "fast"], "--mode", id="a mode of analyze"),
        pytest.param(["score", "a.png"], "one PROMPT", id="score without a prompt"),
        pytest.param(["score", "a.png", "a", "fox"], "in quotes", id="a prompt without quotes"),
        pytest.param(["score", "a.png", " ", "--profile", "sd1"], "needs words", id="an empty prompt"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(argv: list[str], reason: str, capsys: Said) -> None:
    assert reason in refusal(argv, capsys)


def test_what_the_prompt_may_be_is_told_by_the_options() -> None:
    words = "--caption a|fox --seconds 2.5 --no-artists --allow-unsafe --block red,blood|moon --block fog"
    bounds = "--min-phrases 0 --max-phrases 12"
    options = asked("a.png", *(word.replace("|", " ") for word in f"{words} {bounds}".split())).options
    assert options == Options(
        caption="a fox",
        seconds=2.5,
        artists=False,
        unsafe=True,
        blocked=("red", "blood moon", "fog"),
        min_phrases=0,
        max_phrases=12,
    )


@pytest.mark.parametrize("caption", ["🦊", "写真", "7", "a fox, by itself", "$"])
def test_a_caption_needs_no_letters_of_ours(caption: str) -> None:
    assert asked("a.png", "--caption", caption).options.caption == caption


def test_bounds_of_both_kinds_may_leave_those_of_the_profile() -> None:
    assert asked("a.png", "--profile", "sd1", "--max-phrases", "2").options.max_phrases == 2
    options = asked("a.png", "--profile", "sd1", "--min-phrases", "50", "--max-phrases", "60").options
    assert (options.min_phrases, options.max_phrases) == (50, 60)


def test_a_part_of_a_profile_may_be_replaced() -> None:
    arguments = asked("a.png", "--profile", "sdxl", "--captioner", "none", "--device", "cuda:1", "--low-memory")
    chosen, whole = arguments.profile, profile("sdxl")
    assert isinstance(whole, ClipProfile)
    assert chosen == msgspec.structs.replace(whole, captioner="none", device="cuda:1", low_memory=True)
    assert arguments.options.profile == "sdxl"


def test_models_without_a_profile_are_a_profile_of_their_own() -> None:
    arguments = asked("a.png", "--model", "ViT-B-32/openai", "--model", "folder", "--precision", "bf16", "--lists", "l")
    models = ("ViT-B-32/openai", "folder")
    assert arguments.profile == ClipProfile(name=CUSTOM, models=models, precision="bf16", lists="l")
    assert arguments.options.profile == CUSTOM


def test_own_profiles_come_from_the_option_or_else_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(f'[{name}]\nengine = "clip"\nmodels = ["{name}"]', encoding="utf-8")
    option = ["--profiles", str(tmp_path / "one.toml")]
    assert asked("a.png", "--profile", "one", *option).profile == ClipProfile(name="one", models=("one",))
    monkeypatch.setenv(PROFILES_VARIABLE, str(tmp_path / "two.toml"))
    assert asked("a.png", "--profile", "two").profile == ClipProfile(name="two", models=("two",))
    assert asked("a.png", "--profile", "one", *option).options.profile == "one"
    monkeypatch.setenv(PROFILES_VARIABLE, "")
    assert asked("a.png").profile == profile(DEFAULT_PROFILE)


@pytest.mark.parametrize(
    ("argv", "size"),
    [
        (["--profile", "sd1"], 8),
        (["--profile", "sd1", "--worker"], 1),
        (["--profile", "lite"], 1),
        (["--profile", "sd1", "--seconds", "5"], 1),
        (["--profile", "sd1", "--batch", "3"], 3),
        (["--worker", "--batch", "3"], 3),
        (["--profile", "sd1", "--connect", "unix:s"], 1),
    ],
)
def test_clip_answers_several_images_together(argv: list[str], size: int) -> None:
    assert asked("a.png", *argv).batch == size


def test_a_prompt_to_score_may_follow_two_dashes() -> None:
    arguments = parse(["score", "--profile", "sd1", "--before", "a fox", "a.png", "--", "-not a fox"])
    assert isinstance(arguments, ScoreArguments)
    assert (arguments.image, arguments.prompt, arguments.before) == ("a.png", "-not a fox", "a fox")


@pytest.mark.parametrize("word", COMMANDS)
def test_each_command_has_its_own_help(word: str, capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main([word, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: interrogate {word} ")
    assert "exit codes: 0" in said
    assert "INTERROGATOR_DEBUG=1" in said


def test_help_shows_examples_and_the_exit_codes(capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for words in ("interrogate photo.jpg", "--style-only", "--worker", "exit codes: 0", *COMMANDS, *Mode):
        assert words in said


def test_the_version_is_that_of_the_package(capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("interrogate 0.")


def test_the_command_line_is_checked_without_loading_any_model_library() -> None:
    program = (
        "import sys, interrogator.cli; interrogator.cli.parse(['a.png', '--worker', '--profile', 'sd1']);"
        "interrogator.cli.parse(['analyze', 'a.png']);"
        "import interrogator.queue.local; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "interrogator.cli" in loaded
    assert {"torch", "numpy", "PIL", "timm", "transformers", "open_clip", "matplotlib", "discord"}.isdisjoint(loaded)


def test_it_is_a_module_too() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "interrogator", "--version"], check=True, capture_output=True, text=True
    )
    assert said.stdout.startswith("interrogate ")
