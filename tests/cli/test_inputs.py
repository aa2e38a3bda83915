"""Which files are taken, and what is said of those that cannot be."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import ScriptedRunner

from interrogator.cli import main

Said = pytest.CaptureFixture[str]
Picture = Callable[[str | bytes], str]

pytestmark = pytest.mark.usefixtures("runner")


def answered(argv: list[str], capsys: Said) -> tuple[int, list[str], str]:
    """The exit code, the paths that were answered, what was said on stderr."""
    status = main([*argv, "--json"])
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    return status, [row["path"] for row in rows if row["error"] is None], said.err


def test_a_folder_is_searched_below_in_order_for_images(tmp_path: Path, picture: Picture, capsys: Said) -> None:
    wanted = [picture(name) for name in ("a.png", "b.JPG", "inner/c.webp", "inner/deep er/d.gif", "zoo/e.TIFF")]
    for name in (".hidden.png", "._a.png", ".git/f.png", "notes.txt", "prompt.csv", "png"):
        picture(name)
    assert answered([str(tmp_path)], capsys)[:2] == (0, wanted)


def test_images_come_in_the_order_asked_for(tmp_path: Path, picture: Picture, capsys: Said) -> None:
    last, first, inside = picture("z.png"), picture("a.png"), picture("folder/m.png")
    assert answered([last, str(tmp_path / "folder"), first], capsys)[:2] == (0, [last, inside, first])


def test_a_named_file_is_tried_whatever_its_name(picture: Picture, capsys: Said) -> None:
    odd = picture("image.without-known-ending")
    assert answered([odd], capsys)[:2] == (0, [odd])


@pytest.mark.parametrize(
    "name",
    [
        "two words.png",
        "Grüße-写真-🦊.png",
        "new\nline.png",
        "quo\"te's.png",
        "100%s.png",
        "back\\slash.png",
        "[x]*?.png",
    ],
)
def test_odd_names_are_told_as_they_are(name: str, picture: Picture, capsys: Said) -> None:
    path = picture(name)
    assert answered([path], capsys)[:2] == (0, [path])


@pytest.mark.skipif(os.name != "posix", reason="file names are Unicode there")
def test_a_name_that_is_no_unicode_survives(picture: Picture, tmp_path: Path, capsys: Said) -> None:
    path = picture(b"caf\xe9.png")
    assert answered([str(tmp_path)], capsys)[:2] == (0, [path])
    assert os.fsencode(path).endswith(b"caf\xe9.png")


def test_a_name_with_a_leading_dash(picture: Picture, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(picture("-x.png")).parent)
    assert main(["--json", "--", "-x.png"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == "-x.png"


def test_a_missing_file_is_said_and_the_others_go_on(picture: Picture, capsys: Said) -> None:
    here = picture("here.png")
    status, paths, said = answered(["nowhere.png", here], capsys)
    assert (status, paths) == (1, [here])
    assert "nowhere.png: There is no such file." in said


@pytest.mark.parametrize("name", ["null\0byte.png", "x" * 5000 + ".png"])
def test_an_impossible_name_is_said(name: str, picture: Picture, capsys: Said) -> None:
    here = picture("here.png")
    status, paths, said = answered([name, here], capsys)
    assert (status, paths) == (1, [here])
    assert "file" in said


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(picture: Picture, capsys: Said) -> None:
    path = picture("secret.png")
    Path(path).chmod(0)
    status, paths, said = answered([path], capsys)
    assert (status, paths) == (1, [])
    assert "Permission denied" in said


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_an_endless_device_is_refused(capsys: Said) -> None:
    status, paths, said = answered(["/dev/zero"], capsys)
    assert (status, paths) == (1, [])
    assert "not a regular file" in said


@pytest.mark.skipif(os.name != "posix", reason="no named pipes")
def test_a_pipe_is_read(tmp_path: Path, picture: Picture, capsys: Said) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = Path(picture("here.png")).read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert answered([str(pipe)], capsys)[:2] == (0, [str(pipe)])
    writer.join()


def test_a_dash_is_the_image_on_standard_input(
    picture: Picture, capsys: Said, monkeypatch: pytest.MonkeyPatch, runner: ScriptedRunner
) -> None:
    content = Path(picture("here.png")).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["-", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["path"], row["sha256"]) == ("-", hashlib.sha256(content).hexdigest())


def test_an_empty_standard_input_is_said(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    status, paths, said = answered(["-"], capsys)
    assert (status, paths) == (1, [])
    assert "That file is empty" in said


def test_a_terminal_and_a_closed_standard_input_are_not_waited_for(
    capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    main_end, terminal = os.openpty()
    with open(main_end, "rb"), open(terminal) as stdin:  # noqa: PTH123  file descriptors
        monkeypatch.setattr(sys, "stdin", stdin)
        assert answered(["-"], capsys)[:2] == (1, [])
    monkeypatch.setattr(sys, "stdin", None)
    status, paths, said = answered(["-"], capsys)
    assert (status, paths) == (1, [])
    assert "interrogate - < photo.jpg" in said


@pytest.mark.parametrize("name", ["./-", "-/a.png"])
def test_a_file_whose_name_is_a_dash_needs_its_folder(
    name: str, picture: Picture, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    picture(name)
    assert main(["--json", "--", name]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == name


@pytest.mark.skipif(os.name != "posix", reason="no named pipes")
def test_pipes_and_devices_of_a_folder_are_passed_over(tmp_path: Path, picture: Picture, capsys: Said) -> None:
    here = picture("m.png")
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "null.png").symlink_to("/dev/null")
    (tmp_path / "z.png").symlink_to(here)
    assert answered([str(tmp_path)], capsys)[:2] == (0, [here, str(tmp_path / "z.png")])


def test_a_link_of_a_folder_that_leads_nowhere_is_said(tmp_path: Path, picture: Picture, capsys: Said) -> None:
    here = picture("here.png")
    (tmp_path / "lost.png").symlink_to("nowhere.png")
    status, paths, said = answered([str(tmp_path)], capsys)
    assert (status, paths) == (1, [here])
    assert "lost.png: There is no such file." in said


def test_too_large_a_file_is_said_without_being_asked_of_the_models(tmp_path: Path, capsys: Said) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50_000_001)
    status, paths, said = answered([str(large)], capsys)
    assert (status, paths) == (1, [])
    assert "over 50 MB" in said


def test_a_folder_without_images_is_said(tmp_path: Path, capsys: Said, runner: ScriptedRunner) -> None:
    (tmp_path / "notes.txt").touch()
    status, paths, said = answered([str(tmp_path)], capsys)
    assert (status, paths) == (1, [])
    assert "there are no images in this folder" in said
    assert not runner.asked
