"""The whole command line as a process, with the lite engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from interrogator.cli import main
from interrogator.vocabulary import GROUPS

pytestmark = pytest.mark.usefixtures("lite_embedded")


@pytest.mark.parametrize("where", [[], ["--worker"]], ids=["in process", "in a worker"])
def test_an_image_is_answered_and_a_bad_one_does_not_stop_it(where: list[str], picture: Callable[[str], str]) -> None:
    command = [sys.executable, "-m", "interrogator", "missing.png", picture("a.png"), "--json", *where]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert ended.returncode == 1
    missing, answer = (json.loads(line) for line in ended.stdout.splitlines())
    assert missing["error"]["kind"] == "unreadable_file"
    assert answer["error"] is None
    assert (answer["profile"], answer["width"], answer["height"]) == ("lite", 8, 6)
    assert "Traceback" not in ended.stderr


def test_a_reader_that_leaves_ends_it_quietly(picture: Callable[[str], str]) -> None:
    command = [sys.executable, "-m", "interrogator", picture("a.png"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        assert asking.stderr is not None
        asking.stdout.close()
        assert asking.stderr.read() == b""
    assert asking.returncode == 141


def test_lite_shows_what_is_nearest_in_its_own_groups(
    picture: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", picture("a.png"), "--profile", "lite", "--top", "2", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["profile"] == "lite"
    assert list(row["groups"]) == list(GROUPS)
    assert all(len(group) == 2 for group in row["groups"].values())


def test_lite_explains_its_prompt_and_scores_another(
    picture: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([picture("a.png"), "--explain", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    explanation = answer["explanation"]
    assert explanation["similarity"] == pytest.approx(answer["similarity"], abs=1e-4)
    assert ", ".join(phrase["text"] for phrase in explanation["phrases"]) == answer["prompt"]

    other = "a fox in the snow"
    assert main(["score", picture("a.png"), answer["prompt"], "--before", other, "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["engine"] == "lite"
    assert scored["similarity"] == pytest.approx(answer["similarity"], abs=1e-4)
    assert scored["difference"] > 0
    assert scored["removed"][0]["text"] == other
