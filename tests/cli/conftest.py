from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from scripted import ScriptedRunner


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> ScriptedRunner:
    """The models' place is taken by a script: these tests are of the command line."""
    scripted = ScriptedRunner()
    monkeypatch.setattr("interrogator.cli.answering.open_runner", scripted.open)
    return scripted


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[str | bytes], str]:
    """Write a small PNG under the name, below an empty folder; its path."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), "teal").save(buffer, "PNG")

    def write(name: str | bytes) -> str:
        path = tmp_path / (name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
        return str(path)

    return write
