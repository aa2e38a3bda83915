"""What the worker's main thread does: whether it gets on, and what it has done so far. Thread-safe."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from interrogator.counters import WorkerCounters
from interrogator.types import Stage

RESULTS = "results"  # the cache of whole answers; the others are `interrogator.features`'

CacheUses = Mapping[str, tuple[int, int]]
"""Hits and misses by the name of a cache."""


class Activity:
    """The main thread tells what it does; the heartbeat's asks. It counts as at work, on loading, from the start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sign: float | None = clock()
        self._lock = threading.Lock()
        self._batches: Counter[int] = Counter()
        self._known = 0
        self._stage: Stage | None = None
        self._stage_begun = 0.0
        self._stage_seconds: dict[Stage, float] = {}

    @property
    def stalled(self) -> float:
        """Seconds without a sign that the work at hand gets on; 0 where there is no work."""
        sign = self._sign
        return 0.0 if sign is None else max(0.0, self._clock() - sign)

    def gets_on(self, stage: Stage | None = None) -> None:
        """A sign: the work has begun, or has come to this stage or further in it."""
        now = self._clock()
        self._sign = now
        if stage is not None and stage is not self._stage:
            self._end_stage(now)
            self._stage, self._stage_begun = stage, now

    def rests(self) -> None:
        """There is nothing to do until further notice."""
        self._end_stage(self._clock())
        self._sign = None

    def computed(self, size: int) -> None:
        """A batch of so many images is over."""
        self._end_stage(self._clock())
        with self._lock:
            self._batches[size] += 1

    def knew(self) -> None:
        """An answer was known already."""
        with self._lock:
            self._known += 1

    def counters(self, uses: CacheUses) -> WorkerCounters:
        """Everything so far, with what the pipeline's caches tell of theirs."""
        with self._lock:
            images = sum(size * count for size, count in self._batches.items())
            hits = {RESULTS: self._known, **{name: hits for name, (hits, _) in uses.items()}}
            misses = {RESULTS: images, **{name: misses for name, (_, misses) in uses.items()}}
            return WorkerCounters(
                images=images,
                batches=dict(self._batches),
                hits=hits,
                misses=misses,
                stage_seconds=dict(self._stage_seconds),
            )

    def _end_stage(self, now: float) -> None:
        if self._stage is None:
            return
        with self._lock:
            self._stage_seconds[self._stage] = self._stage_seconds.get(self._stage, 0.0) + now - self._stage_begun
        self._stage = None
