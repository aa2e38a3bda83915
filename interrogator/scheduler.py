"""What waits in the worker and in which order it runs. Thread-safe: one thread adds and cancels, another takes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from interrogator.types import Job, JobId

Announce = Callable[[JobId, int], None]
"""Told a waiting job's position (1 is next) whenever it has changed."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A job in the worker. `cancelled` is set from any thread and read by the one that runs the job."""

    job: Job
    position: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def expired(self) -> bool:
        """True once the deadline has passed."""
        return self.job.deadline is not None and time.time() >= self.job.deadline


class Scheduler:
    """First come, first served, one job a batch.

    Positions are announced under the lock, so that none is announced of a job that has been taken.
    """

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self._waiting: deque[Ticket] = deque()
        self._running: dict[JobId, Ticket] = {}
        self._changed = threading.Condition()

    def add(self, job: Job) -> None:
        """Put the job last."""
        with self._changed:
            self._waiting.append(Ticket(job))
            self._announce_positions()
            self._changed.notify()

    def cancel(self, job_id: JobId) -> Ticket | None:
        """Take a waiting job out and return it; a running one is told to stop, and None is returned."""
        with self._changed:
            if job_id in self._running:
                self._running[job_id].cancelled.set()
                return None
            ticket = next((ticket for ticket in self._waiting if ticket.job.id == job_id), None)
            if ticket is not None:
                self._waiting.remove(ticket)
                self._announce_positions()
            return ticket

    def take(self) -> list[Ticket]:
        """Wait for work; the next batch to run. The batch taken before is over."""
        with self._changed:
            self._running.clear()
            self._changed.wait_for(lambda: self._waiting)
            batch = [self._waiting.popleft()]
            self._running.update((ticket.job.id, ticket) for ticket in batch)
            self._announce_positions()
            return batch

    def _announce_positions(self) -> None:
        for position, ticket in enumerate(self._waiting, start=1):
            if ticket.position != position:
                ticket.position = position
                self._announce(ticket.job.id, position)
