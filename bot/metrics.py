"""What is counted and timed, for Prometheus. Nothing of a person or a prompt is in a name or a label."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from interrogator.counters import WorkerCounters
from interrogator.queue import QueueStatus, WorkerState
from interrogator.types import Done, Event, Failed, Measured, Mode, Progress, Stage

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """The counters of one bot, in a registry of its own. `status` is asked at each look at them."""

    def __init__(self, status: Callable[[], QueueStatus]) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._waits = Histogram(
            "interrogator_wait_seconds",
            "From the queue to the first stage of work on an image.",
            buckets=SECONDS,
            registry=registry,
        )
        self._totals = Histogram(
            "interrogator_job_seconds",
            "From the queue to the answer or failure of an image.",
            buckets=SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "interrogator_stage_seconds",
            "Time in one stage of the work on an image.",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._answers = Counter("interrogator_answers", "Images answered.", ["mode"], registry=registry)
        self._errors = Counter("interrogator_errors", "Images not answered.", ["kind"], registry=registry)
        self._cached = Counter(
            "interrogator_cached_answers",
            "Answers that came without any work on their image.",
            registry=registry,
        )
        self._lag = Histogram(
            "interrogator_event_loop_lag_seconds",
            "How late the event loop woke a task that slept.",
            buckets=LAG_SECONDS,
            registry=registry,
        )
        for mode in Mode:
            self._answers.labels(mode.value)
        registry.register(_QueueCollector(status))

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def watch(self, clock: Callable[[], float] = time.monotonic) -> JobWatch:
        """For one job, from now on."""
        return JobWatch(self._waits, self._totals, self._stages, self._cached, clock)

    def answered(self, mode: Mode) -> None:
        """An answer was found and, as far as Discord took it, shown."""
        self._answers.labels(mode.value).inc()

    def failed(self, kind: str) -> None:
        """An image was not answered; `kind` as in `interrogator.errors`."""
        self._errors.labels(kind).inc()

    def lagged(self, seconds: float) -> None:
        """The event loop was so late."""
        self._lag.observe(max(seconds, 0.0))


class JobWatch:
    """Times one job by its events. Loading is of the worker, not of a job: it counts as waiting."""

    def __init__(
        self, waits: Histogram, totals: Histogram, stages: Histogram, cached: Counter, clock: Callable[[], float]
    ) -> None:
        self._waits, self._totals, self._stages, self._cached = waits, totals, stages, cached
        self._clock = clock
        self._begun = clock()
        self._stage: Stage | None = None
        self._stage_begun = self._begun

    def saw(self, event: Event) -> None:
        """The next event of the job."""
        now = self._clock()
        match event:
            case Progress(stage) if stage is not Stage.LOAD and stage is not self._stage:
                if self._stage is None:
                    self._waits.observe(now - self._begun)
                self._end_stage(now)
                self._stage, self._stage_begun = stage, now
            case Done() | Measured() | Failed():
                self._end_stage(now)
                self._totals.observe(now - self._begun)
                if not isinstance(event, Failed) and self._stage is None:
                    self._cached.inc()

    def _end_stage(self, now: float) -> None:
        if self._stage is not None:
            self._stages.labels(self._stage.value).observe(now - self._stage_begun)


class _QueueCollector(Collector):
    """The queue and its worker as they are when they are looked at."""

    def __init__(self, status: Callable[[], QueueStatus]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        status = self._status()
        jobs = GaugeMetricFamily("interrogator_jobs", "Jobs in the queue.", labels=["state"])
        jobs.add_metric(["waiting"], status.waiting)
        jobs.add_metric(["running"], status.running)
        yield jobs
        ready = status.worker is WorkerState.READY
        yield GaugeMetricFamily("interrogator_worker_ready", "Whether the worker takes jobs.", value=float(ready))
        yield CounterMetricFamily("interrogator_worker_restarts", "Restarts of the worker.", value=status.restarts)
        yield from _of_worker(status.counters)


def _of_worker(counters: WorkerCounters) -> Iterable[Metric]:
    """What the worker has counted since it was started; Prometheus takes a lower number for a new start."""
    yield CounterMetricFamily("interrogator_worker_images", "Images that the worker computed.", value=counters.images)
    batches = HistogramMetricFamily("interrogator_worker_batch_images", "Images computed together.")
    bounds = [(f"{bound}.0", _up_to(bound, counters)) for bound in BATCH_SIZES]
    total = sum(size * count for size, count in counters.batches.items())
    batches.add_metric([], [*bounds, ("+Inf", sum(counters.batches.values()))], total)
    yield batches
    hits = CounterMetricFamily("interrogator_worker_cache_hits", "What was known already.", labels=["cache"])
    misses = CounterMetricFamily("interrogator_worker_cache_misses", "What had to be computed.", labels=["cache"])
    for family, counts in ((hits, counters.hits), (misses, counters.misses)):
        for cache, count in counts.items():
            family.add_metric([cache], count)
        yield family
    stages = CounterMetricFamily(
        "interrogator_worker_stage_seconds", "The worker's time in a stage, a batch counting once.", labels=["stage"]
    )
    for stage, seconds in counters.stage_seconds.items():
        stages.add_metric([stage.value], seconds)
    yield stages


def _up_to(bound: int, counters: WorkerCounters) -> int:
    return sum(count for size, count in counters.batches.items() if size <= bound)
