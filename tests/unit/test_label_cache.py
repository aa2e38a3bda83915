"""The table of labels on disk: built once, and never trusted blindly."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from toy_engine import LetterText, ToyEngine

from interrogator import label_cache
from interrogator.engines import Report
from interrogator.errors import CancelledError, NotFiniteError
from interrogator.label_cache import build_label_table
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label

LABELS = [Label(text, "test", style=False) for text in ("zebra", "apple", "river", "stone")]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERROGATOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def built_anew(labels: list[Label] = LABELS, engine: ToyEngine | None = None) -> bool:
    engine = engine or ToyEngine()
    build_label_table(engine, labels)
    return bool(engine.text.embedded)


def only_file(cache: Path) -> Path:
    (path,) = cache.glob("*.safetensors")
    return path


def test_the_second_time_the_table_comes_from_disk_with_the_same_numbers() -> None:
    first = build_label_table(ToyEngine(), LABELS)
    engine = ToyEngine()
    second = build_label_table(engine, LABELS)
    assert engine.text.embedded == []
    assert torch.equal(first.matrix, second.matrix)


def test_other_labels_another_order_and_another_version_are_other_tables() -> None:
    assert built_anew()
    assert built_anew(LABELS[:2])
    assert built_anew(LABELS[::-1])
    newer = ToyEngine()
    newer.version = "2"
    assert built_anew(engine=newer)
    assert not built_anew()


@pytest.mark.parametrize("damage", [b"", b"not a table", b"\xff" * 200])
def test_a_damaged_file_is_built_again(cache: Path, damage: bytes) -> None:
    built_anew()
    only_file(cache).write_bytes(damage)
    assert built_anew()
    assert not built_anew()


def test_a_file_cut_short_or_with_numbers_that_are_none_is_built_again(cache: Path) -> None:
    built_anew()
    path = only_file(cache)
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    assert built_anew()
    path.write_bytes(whole[:-4] + b"\x00\x00\xc0\x7f")  # the last number is not a number
    assert built_anew()


def test_a_file_of_another_key_is_not_believed(cache: Path) -> None:
    built_anew()
    path = only_file(cache)
    other = path.read_bytes()
    path.unlink()
    built_anew(LABELS[:2])
    only_file(cache).write_bytes(other)
    assert built_anew(LABELS[:2])


def test_no_part_of_a_file_is_left_beside_it(cache: Path) -> None:
    built_anew()
    assert {path.suffix for path in cache.iterdir()} <= {".safetensors", ".lock"}


def test_a_cache_that_cannot_be_written_costs_time_only(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache.write_text("a file where the directory should be")
    assert len(build_label_table(ToyEngine(), LABELS).labels) == 4
    assert "not cached" in caplog.text


def test_two_builders_at_once_build_it_once() -> None:
    engine = ToyEngine()
    threads = [threading.Thread(target=build_label_table, args=(engine, LABELS)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(engine.text.embedded) == len(LABELS)


def test_progress_is_reported_and_may_stop_the_building(cache: Path) -> None:
    def cancel(_: Progress) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        build_label_table(ToyEngine(), LABELS, cancel)
    assert list(cache.glob("*.safetensors")) == []
    assert built_anew()


def test_a_file_of_another_kind_of_number_or_size_is_built_again(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    built_anew()
    path = only_file(cache)
    matrix = load_file(path)["embeddings"].clone()
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    for unsound in (matrix.half(), matrix[:-1].clone()):
        save_file({"embeddings": unsound}, path, metadata=metadata)
        assert built_anew()
        assert "not sound" in caplog.text
        caplog.clear()


def test_what_was_embedded_before_an_interruption_is_not_embedded_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_cache, "_CHUNK", 1)
    seen: list[tuple[int, int]] = []

    def cancel_at_the_third(progress: Progress) -> None:
        seen.append((progress.done, progress.total))
        if progress.done == 3:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        build_label_table(ToyEngine(), LABELS, cancel_at_the_third)
    assert seen == [(1, 4), (2, 4), (3, 4)]
    engine = ToyEngine()
    resumed = build_label_table(engine, LABELS)
    assert engine.text.embedded == ["stone", "zebra"]  # chunks follow the alphabet
    assert torch.equal(resumed.matrix, ToyEngine().text.embed([label.text for label in LABELS]))
    assert {path.suffix for path in cache.iterdir()} <= {".safetensors", ".lock"}


def test_a_damaged_part_is_embedded_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_cache, "_CHUNK", 3)

    def cancel_at_the_end(progress: Progress) -> None:
        if progress.done == 4:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        build_label_table(ToyEngine(), LABELS, cancel_at_the_end)
    (part,) = cache.glob("*.parts/*.safetensors")
    part.write_bytes(part.read_bytes()[:-4])
    engine = ToyEngine()
    build_label_table(engine, LABELS)
    assert len(engine.text.embedded) == len(LABELS)


def run_beside_the_toys(program: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{program}"]


BUILDER = """
import time
from toy_engine import ToyEngine
from interrogator.label_cache import build_label_table
from interrogator.vocabulary import Label
engine = ToyEngine()
build_label_table(engine, [Label(text, "test", False) for text in ("zebra", "apple")], lambda _: time.sleep(1))
print(len(engine.text.embedded))
"""


def test_two_processes_share_one_building() -> None:
    """The first to come holds the lock for a second, while the other starts."""
    builders = [
        subprocess.Popen(
            run_beside_the_toys(BUILDER),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert sorted(builder.communicate(timeout=60)[0].strip() for builder in builders) == ["0", "2"]


def test_waiting_for_another_process_is_reported_and_may_be_stopped(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_cache, "_POLL_SECONDS", 0.05)
    built_anew()
    path = only_file(cache)
    path.unlink()
    reported: list[Progress] = []

    def cancel_at_the_second(progress: Progress) -> None:
        reported.append(progress)
        if len(reported) == 2:
            raise CancelledError("stopped")

    with FileLock(f"{path}.lock"), pytest.raises(CancelledError):
        build_label_table(ToyEngine(), LABELS, cancel_at_the_second)
    assert reported == [Progress(Stage.LABELS)] * 2


class Nowhere(LetterText):
    """The third text in the alphabet overflows, as some do in half precision."""

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        vectors = super().embed(texts, report)
        vectors[[i for i, text in enumerate(texts) if text == "stone"]] = torch.nan
        return vectors


@pytest.mark.parametrize("chunk", [1, 8192])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_embeddings_that_are_no_numbers_are_a_typed_error_and_never_saved(
    cache: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(label_cache, "_CHUNK", chunk)
    engine = ToyEngine()
    engine.text = Nowhere()
    with pytest.raises(NotFiniteError, match="set precision"):
        build_label_table(engine, LABELS, dtype=dtype)
    assert list(cache.glob("*.safetensors")) == []
    assert len(list(cache.glob("*.parts/*.safetensors"))) == (2 if chunk == 1 else 0)


class Swift(LetterText):
    """Very many embeddings at once, as wide as a model's."""

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        return torch.full((len(texts), WIDE), WIDE**-0.5)


MANY, WIDE = 50_000, 512
READER = f"""
import re
from pathlib import Path
import torch
from toy_engine import ToyEngine
from interrogator.label_cache import build_label_table
from interrogator.vocabulary import Label
def peak():
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
engine = ToyEngine()
labels = [Label(str(i), "test", False) for i in range({MANY})]
build_label_table(engine, labels[:10], dtype=torch.float16)
before = peak()
table = build_label_table(engine, labels, dtype=torch.float16)
assert not engine.text.embedded[10:], "built anew"
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a program's own memory is read there")
def test_reading_a_table_takes_no_more_memory_than_its_file() -> None:
    engine = ToyEngine()
    engine.text = Swift()
    build_label_table(engine, [Label(str(i), "test", style=False) for i in range(MANY)], dtype=torch.float16)
    done = subprocess.run(run_beside_the_toys(READER), capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) < 2 * MANY * WIDE * 2  # a second copy would make it 2.2; without one it is 1.2 to 1.9
