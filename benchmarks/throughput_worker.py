"""The pipeline that a worker of `benchmarks.throughput` serves: the shipped one, with a stopwatch beside it.

What a batch took goes to a file, a line a batch: the file is named by the environment variable `RECORDS`. Times are of
`time.monotonic`, which is the same clock in all processes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from interrogator.types import Progress, Stage

if TYPE_CHECKING:
    from interrogator.engines import Report
    from interrogator.pipeline import Outcome, Pipeline
    from interrogator.profiles import Profile
    from interrogator.request import Request

RECORDS = "THROUGHPUT_RECORDS"


class Record(msgspec.Struct, frozen=True):
    """A batch of `size` images: when it `began` and `ended`, the processor time of all threads, and how long it was in
    each stage, by name. `steps` are those of the longest search, `rows` the token rows that a text tower computed."""

    began: float
    ended: float
    size: int
    cpu_seconds: float
    stages: dict[str, float]
    steps: int
    rows: int

    @property
    def seconds(self) -> float:
        """From begin to end."""
        return self.ended - self.began


class Stopwatch:
    """How long a batch is in each stage, by what its requests report: the recipe and the engine are not touched."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.steps = 0
        self._stage: Stage | None = None
        self._since = 0.0

    def beside(self, report: Report) -> Report:
        """A report of one request that is heard here, too."""
        steps = 0

        def told(progress: Progress) -> None:
            nonlocal steps
            self.enter(progress.stage)
            steps += progress.stage is Stage.SEARCH
            self.steps = max(self.steps, steps)
            report(progress)

        return told

    def enter(self, stage: Stage | None) -> None:
        """From now on the batch is in this stage; None: it is over."""
        if stage is self._stage:
            return
        now = time.monotonic()
        if self._stage is not None:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now


class Watched:
    """The pipeline, as a worker uses it."""

    def __init__(self, pipeline: Pipeline, records: Path) -> None:
        self.batch_limit = pipeline.batch_limit
        self.features = pipeline.features
        self._pipeline = pipeline
        self._records = records

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """As `Pipeline.run`."""
        watch, rows = Stopwatch(), self._rows
        began, cpu = time.monotonic(), time.process_time()
        outcomes = self._pipeline.run([replace(one, report=watch.beside(one.report)) for one in requests])
        watch.enter(None)
        record = Record(
            began=began,
            ended=time.monotonic(),
            size=len(requests),
            cpu_seconds=time.process_time() - cpu,
            stages=watch.seconds,
            steps=watch.steps,
            rows=self._rows - rows,
        )
        with self._records.open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
        return outcomes

    @property
    def _rows(self) -> int:
        """Token rows so far; 0 for an engine that does not count them."""
        return int(getattr(getattr(self._pipeline.engine.text, "tower", None), "computed", 0))


def watched(profile: Profile, report: Report) -> Watched:
    """For `interrogator.worker --pipeline`."""
    from interrogator.pipeline import load_serving  # noqa: PLC0415 - loads torch, which who reads records does not need

    return Watched(load_serving(profile, report), Path(os.environ[RECORDS]))


def read_records(file: Path, since: float = 0.0, until: float = float("inf")) -> list[Record]:
    """The batches that began and ended within these times, in order."""
    lines = file.read_bytes().splitlines() if file.exists() else []
    records = [msgspec.json.decode(line, type=Record) for line in lines]
    return [record for record in records if since <= record.began and record.ended <= until]
