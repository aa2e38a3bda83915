"""What two sides are compared by: seconds, extra peak memory, medians, and bootstrap intervals."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

import numpy as np
import psutil
import torch

T = TypeVar("T")

SAMPLE_SECONDS = 0.005
"""How often the memory of the process is read."""


@dataclass(frozen=True, slots=True)
class Measured(Generic[T]):
    """What an action returned, how long it took, the processor time of all its threads (which other load on the machine
    changes little), and by how much memory rose above what was held before it."""

    value: T
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the 95% bootstrap interval around it."""

    mean: float
    low: float
    high: float


def measure(action: Callable[[], T], device: str = "cpu") -> Measured[T]:
    """Run it once. The memory is that of the process where `device` is a CPU, read by a thread beside it, else that
    which torch had allocated on the device."""
    watch = _DeviceMemory(device) if device.startswith("cuda") else _ProcessMemory()
    with watch:
        began, cpu_began = time.perf_counter(), time.process_time()
        value = action()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    return Measured(value, seconds, cpu_seconds, watch.extra / 1e6)


def middle(runs: Sequence[Measured[T]]) -> Measured[T]:
    """The first run's value with the medians of the seconds, and the highest of the peaks."""
    return Measured(
        runs[0].value,
        median(run.seconds for run in runs),
        median(run.cpu_seconds for run in runs),
        max(run.peak_mb for run in runs),
    )


def bootstrap(values: Sequence[float], resamples: int = 4000, seed: int = 0) -> Interval:
    """The mean of the values and its 95% percentile interval. Paired sides are compared by their differences."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("no values: nothing to take a mean of")
    random = np.random.default_rng(seed)
    means = sample[random.integers(0, sample.size, (resamples, sample.size))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(sample.mean()), float(low), float(high))


class _ProcessMemory:
    """Resident memory of this process above what it was at the start."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._held = self._peak = 0

    def __enter__(self) -> None:
        _give_back()
        self._held = self._peak = self._resident()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._peak = max(self._peak, self._resident())
        self._over.set()
        self._thread.join()

    @property
    def extra(self) -> int:
        return self._peak - self._held

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> int:
        return int(self._process.memory_info().rss)


class _DeviceMemory:
    """Memory that torch allocated on the device above what it held at the start."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._held = self.extra = 0

    def __enter__(self) -> None:
        gc.collect()
        torch.cuda.synchronize(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        self._held = torch.cuda.memory_allocated(self._device)

    def __exit__(self, *_: object) -> None:
        self.extra = torch.cuda.max_memory_allocated(self._device) - self._held


def _give_back() -> None:
    """Return freed memory to the system, so that what one side left behind does not hide what the next one takes."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; other C libraries have none
        if trim is not None:
            trim(0)
