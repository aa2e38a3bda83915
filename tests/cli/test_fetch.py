"""`interrogate fetch` against a Hub on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import huggingface_hub.constants
import pytest
from checkpoints import save_clip

from interrogator.cli import main
from interrogator.cli.display import DownloadBar
from interrogator.cli.profile_options import PROFILES_VARIABLE
from interrogator.engines.clip.download import PART
from interrogator.engines.clip.fetching import Fetching

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

Said = pytest.CaptureFixture[str]

REPOSITORY = "somebody/clip-tiny"
ASKED = ["fetch", "--model", f"hf-hub:{REPOSITORY}", "--captioner", "none"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = save_clip(tmp_path_factory.mktemp("clip"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def hub(tmp_path: Path, checkpoint: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub with a small CLIP, and an empty cache."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "engines" / "clip"))
    monkeypatch.delenv(PROFILES_VARIABLE, raising=False)
    from loopback_hub import serve

    with serve() as hub:
        hub.repositories[REPOSITORY] = dict(checkpoint)
        constants = huggingface_hub.constants
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        yield hub


def test_a_model_is_fetched_and_then_here(hub: LoopbackHub, capsys: Said) -> None:
    assert main(ASKED) == 0
    assert "everything is on this machine" in capsys.readouterr().out
    fetched = len(hub.ranges)
    assert main(ASKED) == 0
    assert len(hub.ranges) == fetched


def test_ctrl_c_keeps_what_has_arrived(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    def interrupt(_bar: DownloadBar, progress: Fetching) -> None:
        if progress.done > 2 << 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DownloadBar, "report", interrupt)
        assert main(ASKED) == 130
    assert "KeyboardInterrupt" not in capsys.readouterr().err
    assert sum(path.stat().st_size for path in tmp_path.rglob(f"*{PART}")) > 0
    assert main(ASKED) == 0
    assert any(asked.startswith("bytes=") and not asked.startswith("bytes=0-") for asked in hub.ranges)


def test_what_is_not_there_is_a_sentence(hub: LoopbackHub, capsys: Said) -> None:
    del hub.repositories[REPOSITORY]
    assert main(ASKED) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("interrogate: ")
    assert said.err.count("\n") == 1
