"""What waits in the worker and what runs. Thread-safe: one thread adds and cancels, another takes."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

from interrogator.estimates import Estimates
from interrogator.fairness import Line, timed_as
from interrogator.sharing import Run, Ticket, Work
from interrogator.types import JobId, Options

Announce = Callable[[JobId, int, float | None], None]
"""Told a waiting job's position (1 is next) and the seconds until its answer (None where that is not known), whenever
the position has changed or the seconds have notably."""

NOTABLE = 0.25  # of the seconds announced before
OVERDUE = 0.1  # of the seconds expected of a batch: what is left at least, as long as it is not over


class Scheduler:
    """Hands out batches in the order of `interrogator.fairness`; equal work that runs or waits is done once.

    What waits when somebody asks for work is the next batch, at once, up to `batch` works. Positions are announced
    under the lock, so that none is announced of a job that has been taken.
    """

    def __init__(
        self, announce: Announce, estimates: Estimates, batch: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._announce = announce
        self._estimates = estimates
        self._batch = batch
        self._clock = clock
        self._line = Line()
        self._running: dict[Work, Run] = {}
        self._started = 0.0
        self._expected: float | None = 0.0  # seconds of the batch that runs
        self._changed = threading.Condition()

    def resize(self, batch: int) -> None:
        """Hand out up to so many works at once from now on."""
        with self._changed:
            self._batch = batch
            self._announce_places()

    def add(self, ticket: Ticket) -> bool:
        """Put the ticket into the line; True where it takes part in a run that has begun."""
        with self._changed:
            running = self._running.get(ticket.work)
            if running is not None and running.join(ticket):
                self._tell(ticket, 1, self._rest())
                return True
            self._line.add(ticket)
            self._announce_places()
            self._changed.notify()
            return False

    def cancel(self, job_id: JobId) -> Ticket | None:
        """The ticket, which waits no more, or whose run goes on for others. None for one that was the last of its run,
        which is told to stop, and for an unknown id."""
        with self._changed:
            for run in self._running.values():
                if job_id in run.ids:
                    return run.cancel(job_id)
            ticket = self._line.find(job_id)
            if ticket is not None:
                self._line.remove(ticket)
                self._announce_places()
            return ticket

    def take(self) -> list[Run]:
        """Wait for work; the next batch to run. The one taken before has been told to be over, by `end`."""
        with self._changed:
            self._changed.wait_for(lambda: self._line)
            batch = [Run(tickets) for tickets in self._line.take(self._batch)]
            self._running.update((run.first.work, run) for run in batch)
            self._started = self._clock()
            expected = self._estimates.predict([timed_as(run.first.job) for run in batch])
            until = max(_seconds_left(run.tickets) for run in batch)  # who waits no longer is not computed on for
            self._expected = None if expected is None else min(expected, until)
            self._announce_places()
            return batch

    def end(self, computed: Sequence[Options] = (), seconds: float = 0.0, *, cut: bool = False) -> None:
        """The batch taken last is over. These jobs were computed in it, in so many seconds; none of them where that
        says nothing of other batches. `cut` where the limit of `Options.seconds` ended a search."""
        with self._changed:
            self._running.clear()
            self._expected = 0.0
            self._estimates.learn(computed, seconds, cut=cut)

    def _rest(self) -> float | None:
        """Seconds until the batch that runs is over; None where that is not known."""
        if self._expected is None:
            return None
        return max(self._expected - (self._clock() - self._started), OVERDUE * self._expected)

    def _announce_places(self) -> None:
        position, eta = 1, self._rest()
        for batch in self._line.plan(self._batch):
            seconds = self._estimates.predict([timed_as(tickets[0].job) for tickets in batch])
            if eta is not None and seconds is not None:
                left = max(_seconds_left(tickets) for tickets in batch)
                eta += min(seconds, max(left - eta, 0.0))
            else:
                eta = None
            for tickets in batch:
                for ticket in tickets:
                    self._tell(ticket, position, eta)
                position += 1

    def _tell(self, ticket: Ticket, position: int, eta: float | None) -> None:
        if eta is not None:
            eta = min(eta, _seconds_left([ticket]))
        if ticket.position != position or _notably(ticket.eta, eta):
            ticket.position, ticket.eta = position, eta
            self._announce(ticket.job.id, position, eta)


def _seconds_left(tickets: Sequence[Ticket]) -> float:
    """Until the last of their deadlines; infinity where one has none."""
    deadlines = [math.inf if ticket.job.deadline is None else ticket.job.deadline for ticket in tickets]
    return max(max(deadlines) - time.time(), 0.0)


def _notably(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(now - before) > NOTABLE * before
