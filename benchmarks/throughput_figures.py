"""Figures of `benchmarks.throughput`: from what people saw and what the worker noted to what is printed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.throughput_load import Asked, Beside
from benchmarks.throughput_worker import Record

FACTOR = 2.0  # of the truth, within which an estimate should be


def of_load(asked: Sequence[Asked], records: Sequence[Record]) -> dict[str, Any]:
    """Of jobs that were asked at once: how fast, and where the seconds went. Stages are milliseconds an image;
    `between` is what passes from one batch to the next, `cores_busy` how many processors a batch keeps at work."""
    jobs = len(asked)
    seconds = max(one.answered for one in asked) - min(one.asked for one in asked)
    inside = sum(record.seconds for record in records)
    cpu = sum(record.cpu_seconds for record in records)
    names = dict.fromkeys(name for record in records for name in record.stages)
    stages = {name: sum(record.stages.get(name, 0.0) for record in records) for name in names}
    between = sum(after.began - before.ended for before, after in pairwise(records))
    steps = sum(record.steps for record in records)
    rows = sum(record.rows for record in records)
    return {
        "jobs": jobs,
        "seconds": seconds,
        "jobs_per_second": jobs / seconds,
        "batches": len(records),
        "images_a_batch": jobs / len(records),
        "ms_an_image": 1000 * inside / jobs,
        "cpu_ms_an_image": 1000 * cpu / jobs,
        "cores_busy": cpu / inside,
        "stage_ms": {name: 1000 * spent / jobs for name, spent in stages.items()},
        "between_ms": 1000 * between / jobs,
        "rows_a_step": rows / steps if steps else 0.0,
        "rows_an_image": rows / jobs,
    }


def of_sides(batched: dict[str, Any], single: dict[str, Any]) -> dict[str, Any]:
    """How many times as fast the first is; of each stage, too, and the seconds that it takes of an image."""
    stages = {
        name: spent / batched["stage_ms"][name]
        for name, spent in single["stage_ms"].items()
        if name in batched["stage_ms"]
    }
    return {
        "ratio": batched["jobs_per_second"] / single["jobs_per_second"],
        "cpu_ratio": single["cpu_ms_an_image"] / batched["cpu_ms_an_image"],
        "stage_ratios": stages,
    }


def full_batch_ended(records: Sequence[Record]) -> float:
    """When the first batch of the largest size was over: from then on it is known how long such a one takes."""
    most = max(record.size for record in records)
    return next(record.ended for record in records if record.size == most)


def of_estimates(asked: Sequence[Asked], learnt: float) -> dict[str, Any]:
    """How far announcements are from the truth: the first that each job got after `learnt` (of `time.monotonic`)."""
    first = [next(((at, eta) for at, eta in one.announced if at >= learnt), None) for one in asked]
    pairs = [(told[1], one.answered - told[0]) for one, told in zip(asked, first, strict=True) if told is not None]
    ratios = [eta / truth for eta, truth in pairs]
    within = [1 / FACTOR <= ratio <= FACTOR for ratio in ratios]
    return {
        "announced": len(pairs),
        "median_ratio": float(np.median(ratios)) if ratios else None,
        "within_factor_two": sum(within) / len(within) if within else None,
    }


def of_beside(beside: Beside, records: Sequence[Record]) -> dict[str, Any]:
    """How long who asks for one waits beside who asks for many; `batches` are those that ran meanwhile, its own and the
    one that it came upon among them."""
    batches = [batches_of(one, records) for one in beside.lone]
    return {
        "lone": {
            **quantiles([one.seconds for one in beside.lone], "s"),
            "batches": batches,
            "most_batches": max(batches),
        },
        "many": quantiles([one.seconds for one in beside.many], "s"),
    }


def batches_of(asked: Asked, records: Sequence[Record]) -> int:
    """Batches that ran between the question and the answer."""
    return sum(record.ended > asked.asked and record.began < asked.answered for record in records)


def quantiles(seconds: Sequence[float], unit: str) -> dict[str, Any]:
    """p50, p95, p99 and the most, in "s" or "ms"."""
    scale = {"s": 1.0, "ms": 1000.0}[unit]
    values = np.asarray(seconds) * scale
    p50, p95, p99 = (float(value) for value in np.quantile(values, (0.5, 0.95, 0.99)))
    return {
        "count": len(values),
        f"p50_{unit}": p50,
        f"p95_{unit}": p95,
        f"p99_{unit}": p99,
        f"most_{unit}": float(values.max()),
    }
