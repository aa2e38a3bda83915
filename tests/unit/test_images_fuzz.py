"""2,000 damaged files, always the same: the decoders' own memory is counted, and a crash in them is a failure here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest
from fuzz_mutations import made, sealed
from fuzz_sources import pictures, texts, texts_in_exif, texts_in_pixels, texts_in_png, texts_in_xmp, whole_files
from generated_files import saved

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
    assert FILES * 0.05 < outcome["answers"]["image"] < FILES * 0.95
    assert set(outcome["answers"]) - {"missing_frame"} == {"image", "unreadable_image", "image_too_large"}
    assert set(outcome["generators"]) >= {"A1111", "Forge", "ComfyUI", "InvokeAI", "NovelAI", "Fooocus", "Draw Things"}


def test_the_sources_are_pictures_and_carry_the_parameters_that_they_should() -> None:
    plain, carrying = pictures(), {**texts_in_png(), **texts_in_exif(), **texts_in_xmp(), **texts_in_pixels()}
    assert {name: found for name, file in plain.items() if (found := fuzz.try_file(file)) != ("image", "")} == {}
    found = {name: fuzz.try_file(file) for name, file in carrying.items()}
    assert [name for name, (answer, program) in found.items() if answer != "image" or not program] == []
    assert fuzz.try_file(whole_files()["PNG bomb"]) == ("unreadable_image", "")


def test_a_seed_makes_the_same_file_again() -> None:
    sources, written = list(whole_files().values()), texts()
    first, again = ([made(sources, written, f"1-{number}") for number in range(40)] for _ in range(2))
    assert first == again
    assert len(set(first)) == 40


def test_what_is_sealed_has_the_right_checksums() -> None:
    whole = saved("PNG")
    damaged = bytearray(whole)
    damaged[29:33] = bytes(4)  # the checksum of the first chunk
    assert fuzz.try_file(bytes(damaged))[0] == "unreadable_image"
    assert sealed(bytes(damaged)) == whole


def test_a_file_that_takes_more_memory_than_it_may_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "MAX_GROWTH", -1)
    monkeypatch.setattr(fuzz, "whole_files", dict)
    monkeypatch.setattr(fuzz, "made", lambda *_: b"x")
    with pytest.raises(fuzz.FuzzError, match=r"file 1-0: .* MB more than before"):
        fuzz.fuzz(1)


def test_an_unexpected_error_is_reported_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_data: bytes, _hidden: bytes) -> None:
        raise LookupError("nowhere")

    monkeypatch.setattr(fuzz, "whole_files", dict)
    monkeypatch.setattr(fuzz, "made", lambda *_: b"")
    monkeypatch.setattr(fuzz, "read_parameters", fails)
    with pytest.raises(fuzz.FuzzError, match="file 1-0: LookupError: nowhere"):
        fuzz.fuzz(1)
