"""Jobs a second through the real queue and the real worker process, in batches against one at a time; and what it is
like to wait there.

    python -m benchmarks.throughput [--engine lite|clip|both] [--jobs 200] [--users 20] [--quick] [--json]

`clip` is the small CLIP of `benchmarks.scenes` with all of the shipped labels, and measured in mode fast, too. All
pictures are different, so that nothing is answered from memory but where that is what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.scenes import folders
from benchmarks.throughput_figures import full_batch_ended, of_beside, of_estimates, of_load, of_sides, quantiles
from benchmarks.throughput_load import (
    LagMeter,
    LoadError,
    Plan,
    Questions,
    Side,
    ask,
    ask_again,
    ask_all,
    ask_beside,
    ask_large,
    peak_mb,
    questions,
    recording,
    worker,
)
from benchmarks.throughput_worker import read_records
from interrogator.profiles import LITE, ClipProfile
from interrogator.types import Mode

QUICK = Plan(jobs=60, many=40, lone=5, repeats=20, large=6)


def main(words: list[str] | None = None) -> None:
    arguments = _parser().parse_args(words)
    plan = QUICK if arguments.quick else Plan()
    plan = replace(plan, jobs=arguments.jobs or plan.jobs, users=arguments.users, side=arguments.pixels)
    figures: dict[str, Any] = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0], "plan": asdict(plan)}
    print(f"throughput: {os.cpu_count()} cores, load {figures['load_before']:.1f} before", flush=True)
    figures["engines"] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, side in sides(arguments.engine, Mode(arguments.mode)).items():
            try:
                found = measured(side, plan, Path(folder))
            except LoadError as error:
                sys.exit(f"throughput: {error}")
            figures["engines"][name] = found
            report(name, found)
    figures["peak_memory_mb"] = peak_mb(os.getpid())
    print(f"\npeak memory of the asking process, which holds all pictures, {figures['peak_memory_mb']:.0f} MB")
    if arguments.json:
        print(json.dumps(figures))


def sides(engine: str, mode: Mode) -> dict[str, Side]:
    """By the name of the engine, and of the mode where it is not that asked for. The CLIP is "wide", which
    `benchmarks.quality` searches with, too."""
    clip = ClipProfile(name="small", models=(str(folders()[0]),), captioner="none", device="cpu")
    known = {"lite": Side(LITE, mode), "clip": Side(clip, mode), "clip_fast": Side(clip, Mode.FAST)}
    return {name: side for name, side in known.items() if engine in ("both", name.partition("_")[0])}


def measured(side: Side, plan: Plan, folder: Path) -> dict[str, Any]:
    """All figures of an engine. `folder` keeps the embeddings of labels from one worker to the next."""
    asking = questions(side, plan)
    figures: dict[str, Any] = {"mode": side.mode.value}
    records = folder / f"{side.profile.name}-{side.mode}.jsonl"
    with recording(records, folder):
        figures |= asyncio.run(_batched(side, plan, asking, records))
        figures["single"] = asyncio.run(_single(side, asking, records))
    return figures | of_sides(figures["batched"], figures["single"])


async def _single(side: Side, asking: Questions, records: Path) -> dict[str, Any]:
    async with worker(side, batch=1) as queue:
        await ask(queue, asking.first)
        began = time.monotonic()
        asked = await ask_all(queue, asking.jobs)
    return of_load(asked, read_records(records, began))


async def _batched(side: Side, plan: Plan, asking: Questions, records: Path) -> dict[str, Any]:
    """Everything that the worker as shipped is measured by, one load after the other."""
    figures: dict[str, Any] = {}
    lag, large_lag = LagMeter(), LagMeter()
    async with worker(side) as queue:
        await ask(queue, asking.first)
        began = time.monotonic()
        async with lag.running():
            asked = await ask_all(queue, asking.jobs)
        noted = read_records(records, began)
        figures["batched"] = of_load(asked, noted)
        figures["estimates"] = {
            "when_asked": of_estimates(asked, began),
            "after_a_full_batch": of_estimates(asked, full_batch_ended(noted)),
        }
        assert queue.worker_pid is not None
        figures["peak_memory_mb"] = peak_mb(queue.worker_pid)
        idle = [await ask_again(queue, one) for one in asked[: plan.repeats]]
        began = time.monotonic()
        async with lag.running():
            beside = await ask_beside(queue, asking, asked)
        figures["waits"] = of_beside(beside, read_records(records, began))
        figures["estimates"]["of_many"] = of_estimates(beside.many, began)
        figures["again"] = {
            "idle": quantiles([one.seconds for one in idle], "ms"),
            "busy": quantiles([one.seconds for one in beside.again], "ms"),
        }
        async with large_lag.running():
            await ask_large(queue, asking)
    figures["event_loop_lag"] = {"usual": quantiles(lag.samples, "ms"), "large": quantiles(large_lag.samples, "ms")}
    return figures


def report(name: str, found: dict[str, Any]) -> None:
    """Prints what the JSON has, for people."""
    batched, single = found["batched"], found["single"]
    print(f"\n{name}, {found['mode']}: {batched['jobs']} jobs")
    print(f"  {'':24}{'batched':>10}{'single':>10}{'ratio':>8}")
    _row("jobs a second", batched["jobs_per_second"], single["jobs_per_second"], found["ratio"])
    _row("images a batch", batched["images_a_batch"], single["images_a_batch"])
    _row("cores busy", batched["cores_busy"], single["cores_busy"])
    _row("processor ms an image", batched["cpu_ms_an_image"], single["cpu_ms_an_image"], found["cpu_ratio"])
    for stage, ratio in found["stage_ratios"].items():
        _row(f"ms: {stage}", batched["stage_ms"][stage], single["stage_ms"][stage], ratio)
    _row("ms: between batches", batched["between_ms"], single["between_ms"])
    _row("token rows a step", batched["rows_a_step"], single["rows_a_step"])
    waits, lag, again = found["waits"], found["event_loop_lag"], found["again"]
    for who in ("lone", "many"):
        p50, p95 = waits[who]["p50_s"], waits[who]["p95_s"]
        print(f"  wait, user with {'one job ' if who == 'lone' else 'the many'}  p50 {p50:.2f} s  p95 {p95:.2f} s")
    print(f"  batches that one job waits, its own among them: at most {waits['lone']['most_batches']} (target 3)")
    for when, told in found["estimates"].items():
        if told["announced"]:
            share = told["within_factor_two"]
            print(
                f"  estimates {when}: median {told['median_ratio']:.2f} of the truth, {share:.0%} within a factor of 2"
            )
    for when in ("idle", "busy"):
        print(
            f"  the same again, worker {when}: p50 {again[when]['p50_ms']:.1f} ms  p95 {again[when]['p95_ms']:.1f} ms"
        )
    for which in ("usual", "large"):
        print(
            f"  event loop late, {which} files: p99 {lag[which]['p99_ms']:.1f} ms  most {lag[which]['most_ms']:.1f} ms"
        )
    print(f"  peak memory of the worker {found['peak_memory_mb']:.0f} MB", flush=True)


def _row(name: str, batched: float, single: float, ratio: float | None = None) -> None:
    print(f"  {name:24}{batched:10.2f}{single:10.2f}{'' if ratio is None else f'{ratio:7.2f}x'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engine", choices=("lite", "clip", "both"), default="both")
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.TURBO.value)
    parser.add_argument("--jobs", type=int, help="how many at once (default 200; 60 with --quick)")
    parser.add_argument("--users", type=int, default=20, help="of how many people")
    parser.add_argument("--pixels", type=int, default=Plan().side, help="width and height of the pictures")
    parser.add_argument("--quick", action="store_true", help="fewer of all: under five minutes on two cores")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    return parser


if __name__ == "__main__":
    main()
