"""The throughput benchmark with the real queue and a real worker process, whose pipeline only sleeps."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import throughput_pipelines as pipelines

from benchmarks import throughput
from benchmarks.throughput_figures import batches_of, of_estimates
from benchmarks.throughput_load import Asked, Plan, Side
from benchmarks.throughput_worker import Record
from interrogator.profiles import LITE
from interrogator.types import Job, JobId, Mode

TINY = Plan(many=12, lone=3, repeats=5, large=2)


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """What `--json` prints last."""
    lines: list[str] = []
    here = str(Path(__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])]))
        side = Side(LITE, Mode.TURBO, "throughput_pipelines:sleeping")
        patch.setattr(throughput, "sides", lambda _engine, _mode: {"lite": side})
        patch.setattr(throughput, "QUICK", TINY)
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        throughput.main(["--quick", "--json", "--jobs", "12", "--users", "3", "--pixels", "32"])
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def test_both_sides_answer_every_job_and_batching_helps_where_a_batch_costs_little_more(
    figures: dict[str, Any],
) -> None:
    lite = figures["engines"]["lite"]
    batched, single = lite["batched"], lite["single"]
    assert batched["jobs"] == single["jobs"] == figures["plan"]["jobs"] == 12
    assert single["batches"] == 12
    assert 3 <= batched["batches"] < 12
    assert lite["ratio"] == pytest.approx(batched["jobs_per_second"] / single["jobs_per_second"])
    assert lite["ratio"] > 1


def test_stages_are_parts_of_the_time_of_a_batch(figures: dict[str, Any]) -> None:
    for side in ("batched", "single"):
        found = figures["engines"]["lite"][side]
        assert set(found["stage_ms"]) == {"reading the image", "search"}
        assert sum(found["stage_ms"].values()) <= found["ms_an_image"] * 1.01
        assert found["stage_ms"]["reading the image"] >= 1000 * pipelines.IMAGE_SECONDS
        assert found["rows_an_image"] == pipelines.STEPS * pipelines.ROWS
    batched, single = (figures["engines"]["lite"][side]["rows_a_step"] for side in ("batched", "single"))
    assert batched > single == pipelines.ROWS


def test_waits_estimates_repeats_and_lag_are_told(figures: dict[str, Any]) -> None:
    lite = figures["engines"]["lite"]
    assert lite["waits"]["lone"]["count"] == TINY.lone
    assert lite["waits"]["many"]["count"] == TINY.many
    assert 1 <= lite["waits"]["lone"]["most_batches"] <= TINY.many
    for told in lite["estimates"].values():
        assert told["within_factor_two"] is None or 0 <= told["within_factor_two"] <= 1
    assert lite["estimates"]["when_asked"]["announced"] > 0
    assert lite["again"]["idle"]["count"] == TINY.repeats
    for quantiles in (*lite["again"].values(), *lite["event_loop_lag"].values()):
        assert 0 <= quantiles["p50_ms"] <= quantiles["p95_ms"] <= quantiles["p99_ms"] <= quantiles["most_ms"]
    assert lite["peak_memory_mb"] > 5
    assert figures["peak_memory_mb"] > 5


def record(began: float, ended: float) -> Record:
    return Record(began=began, ended=ended, size=1, cpu_seconds=0.0, stages={}, steps=0, rows=0)


def test_who_comes_upon_a_batch_and_is_in_the_next_waits_two() -> None:
    asked = Asked(Job(id=JobId("1"), image=b""), asked=1.5, answered=3.1)
    assert batches_of(asked, [record(0, 1), record(1, 2), record(2, 3), record(3.2, 4)]) == 2


def test_an_estimate_is_compared_with_what_was_left_when_it_was_told() -> None:
    first = Asked(Job(id=JobId("1"), image=b""), 0.0, answered=10.0, announced=[(0.0, 100.0), (8.0, 3.0)])
    second = Asked(Job(id=JobId("2"), image=b""), 0.0, answered=12.0, announced=[(8.0, 20.0)])
    third = Asked(Job(id=JobId("3"), image=b""), 0.0, answered=12.0)
    told = of_estimates([first, second, third], learnt=5.0)
    assert told == {"announced": 2, "median_ratio": (1.5 + 5) / 2, "within_factor_two": 0.5}
