"""The same work is done once: who asks for what, and one run for all that ask for the same."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from interrogator.errors import CancelledError, DeadlineError, InterrogatorError
from interrogator.types import Job, JobId, Measure, Options


@dataclass(frozen=True, slots=True)
class Work:
    """What is computed, whoever asks for it. Equal works have equal answers."""

    sha256: str
    options: Options
    measure: Measure | None = None


def work_of(job: Job) -> Work:
    """What the job asks for."""
    return Work(hashlib.sha256(job.image).hexdigest(), job.options, job.measure)


@dataclass(eq=False, slots=True)
class Ticket:
    """A job in the worker. `alone`: it may have killed a worker, so nothing else may run beside it. `position` and
    `eta` are what was announced last; 0 before that."""

    job: Job
    work: Work
    alone: bool = False
    position: int = 0
    eta: float | None = None

    @property
    def expired(self) -> bool:
        """True once the deadline has passed."""
        return self.job.deadline is not None and time.time() >= self.job.deadline


@dataclass(eq=False, slots=True)
class Run:
    """One run of the pipeline, for all tickets of the same work; there is at least one at the start.

    Thread-safe: tickets join and are cancelled while it runs. Each leaves it exactly once: by `cancel`, by
    `dismiss_late` or by `close`.
    """

    tickets: list[Ticket]
    first: Ticket = field(init=False)
    _cancelled: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self.first = self.tickets[0]

    @property
    def ids(self) -> tuple[JobId, ...]:
        """The jobs that are in it now."""
        with self._lock:
            return tuple(ticket.job.id for ticket in self.tickets)

    @property
    def reason_to_stop(self) -> InterrogatorError | None:
        """Why nobody wants the answer any more; None as long as somebody does."""
        with self._lock:
            if self._cancelled:
                return CancelledError()
            return None if self.tickets else DeadlineError()

    def join(self, ticket: Ticket) -> bool:
        """Take the ticket in; False where it is too late for that, or where the ticket must run alone and this run has
        company."""
        with self._lock:
            fits = self.first.alone or not ticket.alone
            if self._closed or self._cancelled or not self.tickets or not fits:
                return False
            self.tickets.append(ticket)
            return True

    def cancel(self, job_id: JobId) -> Ticket | None:
        """The ticket, which has left, where others remain. The last one stays, so that its end is told when the run
        has really stopped; then, and for an unknown id, None."""
        with self._lock:
            ticket = _find(self.tickets, job_id)
            if ticket is None:
                return None
            if len(self.tickets) == 1:
                self._cancelled = True
                return None
            self.tickets.remove(ticket)
            return ticket

    def dismiss_late(self) -> list[Ticket]:
        """The tickets whose deadline has passed; they have left."""
        with self._lock:
            late = [ticket for ticket in self.tickets if ticket.expired]
            self.tickets = [ticket for ticket in self.tickets if ticket not in late]
            return late

    def close(self) -> list[Ticket]:
        """The tickets that are still there, which have left; nobody joins any more."""
        with self._lock:
            self._closed = True
            tickets, self.tickets = self.tickets, []
            return tickets


def _find(tickets: Sequence[Ticket], job_id: JobId) -> Ticket | None:
    return next((ticket for ticket in tickets if ticket.job.id == job_id), None)
