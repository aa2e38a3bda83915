"""Labels as a matrix: exact ranking, and a cache that is never trusted blindly."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from toy_engine import ToyEngine

from interrogator.errors import CancelledError
from interrogator.label_table import LabelTable, build_label_table
from interrogator.types import Progress
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


def test_the_nearest_label_comes_first_and_all_come_where_more_are_asked_for() -> None:
    engine = ToyEngine()
    table = build_label_table(engine, LABELS)
    ranked = table.top_k(engine.text.embed(["river"])[0], 99)
    assert ranked[0][0].text == "river"
    assert ranked[0][1] == pytest.approx(1, abs=1e-5)
    assert [value for _, value in ranked] == sorted((value for _, value in ranked), reverse=True)
    assert len(ranked) == len(LABELS)


def test_equal_labels_keep_their_order() -> None:
    table = LabelTable(LABELS, torch.ones(4, 2) / 2**0.5)
    assert [label.text for label, _ in table.top_k(torch.tensor([1.0, 0.0]), 3)] == ["zebra", "apple", "river"]


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
