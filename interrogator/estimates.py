"""How long a batch will take, learnt from those before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from interrogator.fairness import length_class
from interrogator.types import Mode, Options

MEMORY = 0.8
"""The weight of a batch beside the next one of the same mode: about five count, so that a change is soon noticed."""
_ONE_SIZE = 1e-3  # spread of the sizes, relative, below which nothing can be told of their influence


@dataclass(slots=True)
class _Fit:
    """Seconds of a batch by its number of jobs: a line through the last ones (weighted least squares), which neither
    begins nor falls below zero."""

    weight: float = 0.0
    jobs: float = 0.0
    jobs_squared: float = 0.0
    seconds: float = 0.0
    jobs_by_seconds: float = 0.0

    def add(self, jobs: int, seconds: float) -> None:
        self.weight = self.weight * MEMORY + 1
        self.jobs = self.jobs * MEMORY + jobs
        self.jobs_squared = self.jobs_squared * MEMORY + jobs * jobs
        self.seconds = self.seconds * MEMORY + seconds
        self.jobs_by_seconds = self.jobs_by_seconds * MEMORY + jobs * seconds

    def at(self, jobs: int) -> float:
        spread = self.weight * self.jobs_squared - self.jobs**2
        if spread <= _ONE_SIZE * self.weight * self.jobs_squared:
            # All were of one size. Between a batch that costs the same whatever its size and one that costs as much as
            # its jobs, the geometric mean is the least wrong.
            return self.seconds / self.weight * math.sqrt(jobs * self.weight / self.jobs)
        per_job = (self.weight * self.jobs_by_seconds - self.jobs * self.seconds) / spread
        overhead = (self.seconds - per_job * self.jobs) / self.weight
        if per_job < 0:
            return self.seconds / self.weight
        if overhead < 0:
            return jobs * self.jobs_by_seconds / self.jobs_squared
        return overhead + per_job * jobs


class Estimates:
    """Learns by profile and mode. Not thread-safe."""

    def __init__(self) -> None:
        self._fits: dict[tuple[str, Mode], _Fit] = {}

    def learn(self, batch: Sequence[Options], seconds: float) -> None:
        """A batch of these jobs took so long."""
        for key in {(job.profile, job.mode) for job in batch}:
            self._fits.setdefault(key, _Fit()).add(len(batch), seconds)

    def predict(self, batch: Sequence[Options]) -> float | None:
        """Seconds that a batch of these jobs, at least one, will take; None where nothing is known of some of them.

        Of a mode that has not been seen, as of another of its length class.
        """
        seconds = 0.0
        for job in batch:
            fit = self._fit_for(job)
            if fit is None:
                return None
            seconds += fit.at(len(batch))
        return seconds / len(batch)

    def _fit_for(self, job: Options) -> _Fit | None:
        if known := self._fits.get((job.profile, job.mode)):
            return known
        alike = (
            fit
            for (profile, mode), fit in self._fits.items()
            if profile == job.profile and length_class(mode) == length_class(job.mode)
        )
        return next(alike, None)
