"""The commands with real CLIP models: small random ones in open_clip's own format, and lists of a few phrases."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from checkpoints import save_clip
from PIL import Image

from interrogator.cli import main
from interrogator.cli.profile_options import PROFILES_VARIABLE
from interrogator.engines.clip import device_of
from interrogator.profiles import ClipProfile

Said = pytest.CaptureFixture[str]

LISTS = {
    "artist": ["Ada Example", "Bo Beispiel"],
    "medium": ["a painting", "a pencil sketch", "a photograph", "a mosaic", "a woodcut", "a collage"],
    "movement": ["cubism", "realism"],
    "trending": ["featured on a wall"],
    "flavor": [
        "soft light",
        "写真, of a kind",
        "a $5 price tag",
        "muted colours",
        "🦊 fur",
        "fine lines",
        "bold shapes",
    ],
    "negative": ["blurry", "cropped"],
}
"""In place of the distribution's 112,000, which take a minute to embed."""


ARTISTS = {f"{form} {name}" for form in ("by", "inspired by") for name in LISTS["artist"]}


@dataclass(frozen=True)
class World:
    """A folder with a model, lists, profiles and images."""

    folder: Path

    @property
    def model(self) -> str:
        return str(self.folder / "model")

    def image(self, name: str) -> str:
        return str(self.folder / "pictures" / name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once: the phrases are embedded by whichever test comes first."""
    folder = tmp_path_factory.mktemp("clip")
    save_clip(folder / "model")
    (folder / "lists").mkdir()
    for group, phrases in LISTS.items():
        (folder / "lists" / f"{group}.txt").write_text("\n".join(["!", *phrases]), encoding="utf-8")
    (folder / "profiles.toml").write_text(
        f"[tiny]\nengine = 'clip'\nmodels = ['{folder / 'model'}']\ncaptioner = 'none'\nlists = '{folder / 'lists'}'\n"
        "device = 'cpu'\nmin_phrases = 2\nmax_phrases = 4\n",
        encoding="utf-8",
    )
    (folder / "pictures").mkdir()
    for place, colour in enumerate(("teal", "orange", "black")):
        Image.new("RGB", (40 + place, 30), colour).save(folder / "pictures" / f"{place}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERROGATOR_CACHE", os.fspath(folder / "cache"))
        patch.setenv(PROFILES_VARIABLE, os.fspath(folder / "profiles.toml"))
        yield World(folder)


def rows(capsys: Said) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def tiny(*words: str) -> int:
    return main([*words, "--profile", "tiny"])


def test_a_folder_is_answered_in_batches_with_a_bad_image_among_them(
    world: World, tmp_path: Path, capsys: Said
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    images = [world.image("0.png"), str(tmp_path / "broken.png"), world.image("1.png"), world.image("2.png")]
    assert tiny(*images, "--json") == 1
    together = rows(capsys)
    assert [row["path"] for row in together] == images
    assert [row["error"] and row["error"]["kind"] for row in together] == [None, "unreadable_image", None, None]
    assert tiny(*images, "--json", "--batch", "1") == 1
    for one, other in zip(together, rows(capsys), strict=True):
        assert one["prompt"] == other["prompt"]
        assert one["similarity"] == pytest.approx(other["similarity"], abs=1e-5) if one["similarity"] else True


def test_a_prompt_is_explained(world: World, capsys: Said) -> None:
    assert tiny(world.image("0.png"), "--explain", "--json") == 0
    (row,) = rows(capsys)
    explanation = row["explanation"]
    assert explanation["similarity"] == pytest.approx(row["similarity"], abs=1e-4)
    assert ", ".join(phrase["text"] for phrase in explanation["phrases"]) == row["prompt"]
    for phrase in explanation["phrases"]:
        difference = explanation["similarity"] - phrase["similarity_without"]
        assert phrase["contribution"] == pytest.approx(difference, abs=1e-5)


def test_the_explanation_is_a_table_under_the_prompt(world: World, capsys: Said) -> None:
    assert tiny(world.image("0.png"), "--explain") == 0
    path, prompt, facts, head, *table = capsys.readouterr().out.splitlines()
    assert path == world.image("0.png")
    assert facts.startswith("(similarity ")
    assert head.split() == ["contribution", "phrase"]
    assert [line[14:] for line in table if line] == prompt.split(", ")


def test_without_it_there_is_none(world: World, capsys: Said) -> None:
    assert tiny(world.image("0.png"), "--json") == 0
    assert rows(capsys)[0]["explanation"] is None


def test_options_reach_the_prompt(world: World, capsys: Said) -> None:
    words = ["--caption", "a fox", "--max-phrases", "2", "--no-artists", "--block", "light,photo"]
    assert tiny(world.image("0.png"), "--json", *words) == 0
    (row,) = rows(capsys)
    assert row["caption"] == "a fox"
    assert row["prompt"].startswith("a fox, ")
    assert len(row["phrases"]) <= 2
    assert not {"artist"} & {phrase["group"] for phrase in row["phrases"]}
    assert not [word for word in ("light", "photo") if word in row["prompt"]]


def test_a_model_may_be_named_without_a_profile(world: World, capsys: Said) -> None:
    lists = str(world.folder / "lists")
    words = ["--model", world.model, "--captioner", "none", "--lists", lists, "--device", "cpu", "--json"]
    assert main([world.image("0.png"), *words]) == 0
    (row,) = rows(capsys)
    assert row["profile"] == "custom"
    assert row["error"] is None
    assert main([world.image("0.png"), *words, "--worker"]) == 0
    (from_worker,) = rows(capsys)
    assert from_worker["prompt"] == row["prompt"]


@pytest.mark.parametrize(
    ("words", "status", "kind"),
    [
        (["--model", "./nowhere"], 1, "model_missing"),
        (["--model", "nothing of open_clip"], 2, "unsupported_option"),
        (["--lists", "./nowhere"], 2, "vocabulary"),
        (["--device", "tpu"], 2, "unsupported_option"),
    ],
)
@pytest.mark.parametrize("command", [[], ["analyze"]])
def test_what_is_wrong_with_the_models_is_said_once_and_stands_in_every_row(
    command: list[str], words: list[str], status: int, kind: str, world: World, capsys: Said
) -> None:
    assert tiny(*command, world.image("0.png"), world.image("1.png"), "--json", *words) == status
    said = capsys.readouterr()
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["error"] == second["error"]
    assert first["error"]["kind"] == kind
    assert said.err == f"interrogate: {first['error']['message']}\n"


def test_a_worker_says_it_once_too(world: World, capsys: Said) -> None:
    assert tiny(world.image("0.png"), world.image("1.png"), "--worker", "--model", "nothing of open_clip") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("interrogate: There is no CLIP model “nothing of open_clip”.")


def test_score_says_what_is_wrong_with_the_models_without_the_image(world: World, capsys: Said) -> None:
    assert tiny("score", world.image("0.png"), "a fox", "--device", "tpu") == 2
    said = capsys.readouterr()
    assert (said.out, said.err[:37]) == ("", "interrogate: The device “tpu” is not ")


def test_without_an_image_no_models_are_loaded(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    (tmp_path / "notes.png").write_text("no image")

    def load(*_: object) -> None:
        raise AssertionError("models are loaded")

    monkeypatch.setattr("interrogator.engines.clip.load_clip", load)
    monkeypatch.setattr("interrogator.pipeline.load_clip", load)
    for words in ([], ["analyze"]):
        assert tiny(*words, str(tmp_path / "notes.png"), str(tmp_path / "nowhere.png")) == 1
    assert tiny("score", str(tmp_path / "notes.png"), "a fox") == 1
    assert capsys.readouterr().err.count("notes.png: That file is not a picture") == 3


def test_lists_without_a_phrase_are_said(world: World, tmp_path: Path, capsys: Said) -> None:
    for group in LISTS:
        (tmp_path / f"{group}.txt").write_text("!\n")
    assert tiny("analyze", world.image("0.png"), "--lists", str(tmp_path)) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("interrogate: The lists hold no phrase.")) == ("", True)


def test_a_chart_needs_its_folder(world: World, tmp_path: Path, capsys: Said) -> None:
    assert tiny("analyze", world.image("0.png"), "--plot", str(tmp_path / "none" / "chart.png")) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_analyze_shows_the_nearest_of_every_group(world: World, capsys: Said) -> None:
    assert tiny("analyze", world.image("0.png"), world.image("1.png"), "--json") == 0
    for row, name in zip(rows(capsys), ("0.png", "1.png"), strict=True):
        assert row["path"] == world.image(name)
        assert (row["height"], row["profile"], row["error"]) == (30, "tiny", None)
        assert list(row["groups"]) == ["medium", "artist", "movement", "trending", "flavor"]
        assert [len(group) for group in row["groups"].values()] == [5, 4, 2, 1, 5]
        assert {phrase["text"] for phrase in row["groups"]["medium"]} < set(LISTS["medium"])
        for group in row["groups"].values():
            similarities = [phrase["similarity"] for phrase in group]
            assert similarities == sorted(similarities, reverse=True)


def test_analyze_prints_an_aligned_table(world: World, capsys: Said) -> None:
    assert tiny("analyze", world.image("0.png"), "--top", "2") == 0
    path, head, *lines = capsys.readouterr().out.splitlines()
    assert path == world.image("0.png")
    assert head.split() == ["group", "similarity", "phrase"]
    table = [line for line in lines if line]
    groups = [line[: len("movement  ")].strip() for line in table]
    assert groups == ["medium", "", "artist", "", "movement", "", "trending", "flavor", ""]
    phrases = {line[head.index("phrase") :] for line in table}
    assert phrases < {*(phrase for group in LISTS.values() for phrase in group), *ARTISTS}


def test_analyze_says_which_image_is_bad(world: World, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "broken.png").write_bytes(b"GIF89a")
    assert tiny("analyze", str(tmp_path / "broken.png"), world.image("0.png"), "--json") == 1
    said = capsys.readouterr()
    broken, fine = (json.loads(line) for line in said.out.splitlines())
    assert (broken["error"]["kind"], broken["groups"]) == ("unreadable_image", {})
    assert (fine["error"], fine.keys()) == (None, broken.keys())
    assert "broken.png: " in said.err


def test_analyze_draws_bars(world: World, tmp_path: Path, capsys: Said) -> None:
    chart = tmp_path / "chart.png"
    assert tiny("analyze", world.image("0.png"), "--top", "7", "--plot", str(chart)) == 0
    with Image.open(chart) as drawn:
        drawn.load()
        assert drawn.format == "PNG"
        assert len(drawn.convert("L").resize((64, 64)).getcolors() or ()) > 5
    assert capsys.readouterr().err == ""
    before = chart.stat().st_mtime_ns
    assert tiny("analyze", world.image("1.png"), "--plot", str(chart)) == 0  # an earlier chart is replaced
    assert chart.stat().st_mtime_ns > before


def test_score_tells_what_each_phrase_contributes(world: World, capsys: Said) -> None:
    words = ["score", world.image("0.png"), "a fox, soft light, cubism", "--json"]
    assert tiny(*words) == 0
    (row,) = rows(capsys)
    assert [phrase["text"] for phrase in row["explanation"]["phrases"]] == ["a fox", "soft light", "cubism"]
    assert (row["before"], row["difference"], row["error"]) == (None, None, None)
    assert tiny(*words, "--before", "a fox, soft light, realism") == 0
    (compared,) = rows(capsys)
    assert compared["similarity"] == row["similarity"]
    before = compared["before"]["explanation"]["similarity"]
    assert compared["difference"] == pytest.approx(row["similarity"] - before, abs=1e-5)
    assert [phrase["text"] for phrase in compared["added"]] == ["cubism"]
    assert [phrase["text"] for phrase in compared["removed"]] == ["realism"]


def test_score_in_text(world: World, capsys: Said) -> None:
    assert tiny("score", world.image("0.png"), "a fox, cubism", "--before", "a fox") == 0
    first, head, *table = capsys.readouterr().out.splitlines()
    assert first.startswith("similarity ")
    assert "difference " in first
    assert head.split() == ["contribution", "phrase"]
    assert [line[14:] for line in table] == ["a fox", "cubism"]


def test_score_of_a_file_that_is_not_there(world: World, capsys: Said) -> None:
    assert tiny("score", "nowhere.png", "a fox", "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["kind"] == "unreadable_file"
    assert "nowhere.png: There is no such file." in said.err


def test_score_says_what_was_not_read(world: World, capsys: Said) -> None:
    assert tiny("score", world.image("0.png"), ", ".join(["a rather long phrase of words"] * 20)) == 0
    assert "not read, the prompt is too long: a rather long" in capsys.readouterr().out


def test_models_tells_what_is_here(world: World, capsys: Said) -> None:
    assert main(["models", "--json"]) == 0
    (listed,) = rows(capsys)
    profiles = {one["name"]: one for one in listed["profiles"]}
    assert profiles["tiny"].pop("device") == device_of(ClipProfile(name="tiny", models=(world.model,)))
    assert profiles["tiny"] == {
        "name": "tiny", "engine": "clip", "models": [world.model], "captioner": None, "ready": True, "problem": None
    }  # fmt: skip
    assert profiles["lite"]["ready"]
    models = {one["name"]: one for one in listed["models"]}
    assert models[world.model]["present"]
    assert {"ViT-L-14/openai", "blip-large"} < models.keys()
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert "interrogate fetch sd1" in said or profiles["sd1"]["ready"]


def test_models_of_one_profile(world: World, capsys: Said) -> None:
    assert main(["models", "tiny", "--json"]) == 0
    (listed,) = rows(capsys)
    assert [one["name"] for one in listed["profiles"]] == ["tiny"]
    assert [one["name"] for one in listed["models"] if one["kind"] == "clip"] == [world.model]


def test_models_of_a_profile_that_there_is_not(world: World, capsys: Said) -> None:
    with pytest.raises(SystemExit):
        main(["models", "tinny"])
    assert "there is no profile “tinny”" in capsys.readouterr().err


def test_a_device_that_is_not_here_is_a_problem_of_its_profile(tmp_path: Path, world: World, capsys: Said) -> None:
    file = tmp_path / "far.toml"
    file.write_text(f'[far]\nengine = "clip"\nmodels = ["{world.model}"]\ncaptioner = "none"\ndevice = "cuda:99"\n')
    assert main(["models", "far", "--json", "--profiles", str(file)]) == 0
    (far,) = rows(capsys)[0]["profiles"]
    assert (far["ready"], far["device"]) == (True, None)
    assert "cuda:99" in far["problem"]


def test_all_models_are_those_of_open_clip_too(world: World, capsys: Said) -> None:
    assert main(["models", "--all", "--json"]) == 0
    names = [one["name"] for one in rows(capsys)[0]["models"]]
    assert {world.model, "ViT-B-32/laion2b_s34b_b79k", "RN50/openai", "git-large-coco"} < set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("words", [["tiny"], ["--model", "{model}", "--captioner", "none"], ["lite"]])
def test_what_is_here_need_not_be_fetched(words: list[str], world: World, capsys: Said) -> None:
    assert main(["fetch", *(word.format(model=world.model) for word in words)]) == 0
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["sd9"], 2, "sd9"),
        ([], 2, "PROFILE"),
        (["custom"], 2, "--model"),
        (["sd1", "sd2"], 2, "sd2"),
        (["--model", "ViT-B-32/nobody"], 2, "ViT-B-32/nobody"),
    ],
)
def test_what_cannot_be_fetched_is_said(words: list[str], status: int, reason: str, world: World, capsys: Said) -> None:
    try:
        ended = main(["fetch", *words])
    except SystemExit as usage:
        ended = int(usage.code or 0)
    assert ended == status
    said = capsys.readouterr()
    assert (said.out, reason in said.err) == ("", True)


def test_names_and_prompts_are_utf_8_whatever_the_locale(world: World, tmp_path: Path) -> None:
    image = tmp_path / "Grüße 写真 🦊.png"
    image.write_bytes(Path(world.image("0.png")).read_bytes())
    table = tmp_path / "out.csv"
    words = ["--caption", "写真, Grüße", "--mode", "caption", "--profile", "tiny", "--csv", str(table), "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "interrogator", str(image), *words],
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"},
    )
    row = json.loads(ended.stdout.decode("utf-8"))
    assert (row["path"], row["prompt"]) == (str(image), "写真, Grüße")
    with table.open(encoding="utf-8", newline="") as file:
        (written,) = csv.DictReader(file)
    assert (written["path"], written["prompt"]) == (str(image), "写真, Grüße")
    assert ended.stderr == b""


def test_a_reader_that_leaves_ends_a_command_quietly() -> None:
    command = [sys.executable, "-m", "interrogator", "fetch", "lite"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        assert asking.stderr is not None
        asking.stdout.close()
        assert asking.stderr.read() == b""
    assert asking.returncode == 141
