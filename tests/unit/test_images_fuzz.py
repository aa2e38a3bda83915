"""2,000 damaged files, always the same: the decoders' own memory is counted, and a crash in them is a failure here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest

FILES = 2000


def test_damaged_files_give_an_image_or_a_typed_error_in_bounded_memory() -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("fuzz.py"), "--files", str(FILES)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcome = json.loads(done.stdout)
    assert outcome["files"] == FILES
    assert outcome["growth_mb"] * 1e6 <= fuzz.MAX_GROWTH
    # Neither so damaged that nothing is left to decode, nor so little that nothing is refused.
    assert FILES * 0.05 < outcome["images"] < FILES * 0.95
    assert outcome["parameters"] > FILES * 0.05


def test_the_sources_are_sound_and_a_seed_makes_the_same_file_again() -> None:
    sources = fuzz.whole_files()
    assert [fuzz.try_file(source)[0] for source in sources] == [True] * (len(sources) - 1) + [False]  # last: the bomb
    assert fuzz.mutated(sources, "1-7") == fuzz.mutated(sources, "1-7") != fuzz.mutated(sources, "1-8")


def test_an_unexpected_error_is_reported_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_data: bytes) -> None:
        raise LookupError("nowhere")

    sources = fuzz.whole_files()
    monkeypatch.setattr(fuzz, "whole_files", lambda: sources[:0])
    monkeypatch.setattr(fuzz, "mutated", lambda _sources, _name: b"")
    monkeypatch.setattr(fuzz, "read_parameters", fails)
    with pytest.raises(fuzz.FuzzError, match="file 1-0: LookupError: nowhere"):
        fuzz.fuzz(1)
