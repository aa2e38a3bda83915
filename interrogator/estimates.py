"""How long a batch will take, learnt from those before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from interrogator.fairness import length_class
from interrogator.types import Mode, Options

MEMORY = 0.8
"""The weight of a batch beside the next one of the same mode: about five count, so that a change is soon noticed."""
LIMITS = 16  # of the search's time, whose batches are remembered, of one profile and mode
_ONE_SIZE = 1e-3  # spread of the sizes, relative, below which nothing can be told of their influence


@dataclass(slots=True)
class _Fit:
    """Seconds of a batch by its number of jobs: a line through the last ones (weighted least squares), which neither
    begins nor falls below zero. `cut` where a search of the last one was ended by its limit."""

    weight: float = 0.0
    jobs: float = 0.0
    jobs_squared: float = 0.0
    seconds: float = 0.0
    jobs_by_seconds: float = 0.0
    cut: bool = False

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
    """Learns by profile, mode and the limit of the search's time (`Options.seconds`), so that searches that are cut say
    nothing of those that may go on. Not thread-safe."""

    def __init__(self) -> None:
        self._fits: dict[tuple[str, Mode], dict[float | None, _Fit]] = {}
        self._besides: dict[str, _Fit] = {}  # by profile: what a batch takes beside the searches that are cut

    def learn(self, batch: Sequence[Options], seconds: float, *, cut: bool = False) -> None:
        """A batch of these jobs, which share a profile, took so long; `cut` where a search was ended by its limit."""
        for profile, mode, limit in {(job.profile, job.mode, job.seconds) for job in batch}:
            fits = self._fits.setdefault((profile, mode), {})
            fit = fits[limit] = fits.pop(limit, _Fit())  # last now: the first is the one not seen for longest
            fit.add(len(batch), seconds)
            fit.cut = cut
            if len(fits) > LIMITS:
                del fits[next(iter(fits))]
        limits = {job.seconds for job in batch}
        if cut and len(limits) == 1 and (limit := limits.pop()) is not None:
            self._besides.setdefault(batch[0].profile, _Fit()).add(len(batch), max(seconds - limit, 0.0))

    def predict(self, batch: Sequence[Options]) -> float | None:
        """Seconds that a batch of these jobs, at least one, will take; None where nothing is known of some of them.

        Of a mode that has not been seen, as of another of its length class. Once a search has been cut, no more is
        said of one with a limit than that allows.
        """
        seconds = 0.0
        for job in batch:
            expected = self._expected(job, len(batch))
            if expected is None:
                return None
            seconds += min(expected, self._most(job, len(batch)))
        return seconds / len(batch)

    def _expected(self, job: Options, jobs: int) -> float | None:
        alike = (mode for mode in Mode if length_class(mode) == length_class(job.mode))
        for mode in (job.mode, *alike):
            found = self._of_mode(mode, job, jobs)
            if found is not None:
                return found
        return None

    def _of_mode(self, mode: Mode, job: Options, jobs: int) -> float | None:
        """By the batches with the same limit; else by those whose limit was the least narrow, if it was wide enough."""
        fits = self._fits.get((job.profile, mode), {})
        if job.seconds in fits:
            return fits[job.seconds].at(jobs)
        if not fits:
            return None
        widest = max(fits, key=_width)
        if _width(widest) >= _width(job.seconds) or not fits[widest].cut:
            return fits[widest].at(jobs)
        most = self._most(job, jobs)
        return most if math.isfinite(most) else None

    def _most(self, job: Options, jobs: int) -> float:
        """What the limit allows; infinity where there is none, or it is not known what takes time beside the search."""
        besides = self._besides.get(job.profile)
        if job.seconds is None or besides is None:
            return math.inf
        return job.seconds + besides.at(jobs)


def _width(limit: float | None) -> float:
    return math.inf if limit is None else limit
