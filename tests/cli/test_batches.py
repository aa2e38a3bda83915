"""Several images at once: in order, each for itself, and in memory only as long as they must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scripted import ScriptedRunner

from interrogator.cli import main
from interrogator.cli.answering import batches
from interrogator.errors import UnreadableImageError
from interrogator.request import Request
from interrogator.types import Interrogation, Mode

Said = pytest.CaptureFixture[str]
Picture = Callable[[str | bytes], str]


def answers(capsys: Said) -> list[tuple[str, str | None]]:
    """Paths and kinds of failures."""
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(row["path"], row["error"] and row["error"]["kind"]) for row in rows]


def test_a_folder_comes_in_batches(runner: ScriptedRunner, tmp_path: Path, picture: Picture, capsys: Said) -> None:
    paths = [picture(f"{number}.png") for number in range(5)]
    assert main([str(tmp_path), "--batch", "2", "--json"]) == 0
    assert runner.batches == [2, 2, 1]
    assert answers(capsys) == [(path, None) for path in paths]


def test_bad_files_among_them_spoil_nothing_and_keep_their_place(
    runner: ScriptedRunner, tmp_path: Path, picture: Picture, capsys: Said
) -> None:
    first, last = picture("a.png"), picture("z.png")
    (tmp_path / "empty.png").touch()
    words = [first, str(tmp_path / "missing.png"), str(tmp_path / "empty.png"), last, "--batch", "3", "--json"]
    assert main(words) == 1
    assert runner.batches == [3]
    assert answers(capsys) == [
        (first, None),
        (str(tmp_path / "missing.png"), "unreadable_file"),
        (str(tmp_path / "empty.png"), "unreadable_image"),
        (last, None),
    ]


def test_files_that_are_large_together_are_not_held_together(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path in paths:
        with path.open("wb") as file:
            file.truncate(49_000_000)
    sizes = [[one.path for one in batch] for batch in batches(map(str, paths), 5)]
    assert sizes == [[str(path) for path in group] for group in (paths[:2], paths[2:4], paths[4:])]


class _Fussy:
    """A pipeline that a certain image breaks, with all that are asked of it at the same time."""

    def __init__(self, broken: bytes) -> None:
        self._broken = broken

    def run(self, requests: Sequence[Request]) -> list[Interrogation | UnreadableImageError]:
        if any(request.image == self._broken for request in requests):
            raise ZeroDivisionError
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Interrogation:
        return Interrogation(
            sha256="", width=1, height=1, profile="lite", engine="fussy", mode=Mode.FAST, style_only=False, caption="",
            prompt="fine", phrases=(), similarity=0.5, seconds=0.1,
        )  # fmt: skip


def test_an_image_that_breaks_the_models_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, picture: Picture, capsys: Said
) -> None:
    paths = [picture(f"{name}.png") for name in "abc"]
    Path(paths[1]).write_bytes(b"broken")
    monkeypatch.setattr("interrogator.pipeline.load_pipeline", lambda profile, report: _Fussy(b"broken"))
    assert main([*paths, "--batch", "3", "--json"]) == 1
    assert answers(capsys) == [(paths[0], None), (paths[1], "internal"), (paths[2], None)]


def test_an_unexpected_error_is_a_sentence_and_a_traceback_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, picture: Picture, capsys: Said
) -> None:
    path = picture("a.png")
    monkeypatch.setattr("interrogator.pipeline.load_pipeline", lambda profile, report: _Fussy(Path(path).read_bytes()))
    assert main([path]) == 1
    sentence, hint = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"interrogate: {path}: Something went wrong with this image (reference ")
    assert "INTERROGATOR_DEBUG=1" in hint
    monkeypatch.setenv("INTERROGATOR_DEBUG", "1")
    assert main([path]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "INTERROGATOR_DEBUG" not in said
