"""The jobs that have not ended: which are refused, which run, and which are to blame where a worker dies."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from interrogator import wire
from interrogator.errors import DeadlineError, ImageTooLargeError, InterrogatorError, WorkerCrashedError
from interrogator.queue.bounds import queue_is_full, share_is_taken
from interrogator.queue.config import QueueConfig
from interrogator.queue.mailbox import Mailbox, Started
from interrogator.types import End, Failed, Job, JobId

DEATHS_OF_A_JOB = 2  # a job that was running at so many deaths of the worker is not tried again
FRAME_OVERHEAD = 64 * 1024  # what a job's frame holds beside the image, generously


@dataclass(eq=False, slots=True)
class Ticket:
    """A job that has not ended. The worker knows it by an id of this submission, so that a job which is sent again
    after a cancellation is not taken for the one before."""

    id: JobId
    job: Job
    mailbox: Mailbox = field(default_factory=Mailbox)
    running: bool = False
    deaths: int = 0
    alarm: asyncio.TimerHandle | None = None


class Tickets:
    """All of them. Everything runs in one event loop."""

    def __init__(self, config: QueueConfig) -> None:
        self._config = config
        self._unfinished: dict[JobId, Ticket] = {}
        self._submissions = itertools.count(1)

    def __len__(self) -> int:
        return len(self._unfinished)

    def __iter__(self) -> Iterator[Ticket]:
        """In the order in which they came; tickets may end meanwhile."""
        return iter(list(self._unfinished.values()))

    def __contains__(self, ticket: Ticket) -> bool:
        return ticket.id in self._unfinished

    @property
    def running(self) -> int:
        """How many run."""
        return sum(ticket.running for ticket in self._unfinished.values())

    def find(self, ticket_id: JobId) -> Ticket | None:
        """The ticket of that id, where it has not ended."""
        return self._unfinished.get(ticket_id)

    def refusal(self, job: Job) -> InterrogatorError | None:
        """Why this job cannot be taken now."""
        if len(job.image) > wire.MAX_FRAME_BYTES - FRAME_OVERHEAD:
            return ImageTooLargeError("The image file is too large for the queue. Please send a smaller one.")
        if job.deadline is not None and job.deadline <= time.time():
            return DeadlineError()
        held = sum(len(ticket.job.image) for ticket in self._unfinished.values())
        if len(self) >= self._config.max_jobs or held + len(job.image) > self._config.max_bytes:
            return queue_is_full(len(self))
        theirs = sum(ticket.job.user == job.user for ticket in self._unfinished.values())
        if job.user and theirs >= self._config.max_jobs_per_user:
            return share_is_taken(theirs)
        return None

    def add(self, job: Job, too_late: Callable[[Ticket], None], *, alone: bool = False) -> Ticket:
        """Take the job in; `too_late` is called at its deadline. `alone` where it was running at a death before."""
        ticket = Ticket(JobId(f"{next(self._submissions)}"), job, deaths=int(alone))
        self._unfinished[ticket.id] = ticket
        if job.deadline is not None:
            loop = asyncio.get_running_loop()
            ticket.alarm = loop.call_later(job.deadline - time.time(), too_late, ticket)
        return ticket

    def start(self, ticket: Ticket) -> None:
        """The worker runs it."""
        if not ticket.running:
            ticket.running = True
            ticket.mailbox.put(Started())

    def conclude(self, ticket: Ticket, event: End) -> None:
        """Its last event."""
        if ticket.alarm:
            ticket.alarm.cancel()
        del self._unfinished[ticket.id]
        ticket.mailbox.put(event)

    def stop_running(self) -> None:
        """The worker has gone, and none of them is to blame."""
        for ticket in self:
            ticket.running = False

    def blame(self) -> bool:
        """The worker has died. What it was running may be the cause: tried once more, alone, not twice. Whether there
        was any."""
        suspects = [ticket for ticket in self if ticket.running]
        for ticket in suspects:
            ticket.running = False
            ticket.deaths += 1
            if ticket.deaths >= DEATHS_OF_A_JOB:
                self.conclude(ticket, failed(_crashed()))
        return bool(suspects)


def failed(error: InterrogatorError) -> Failed:
    """The event."""
    return Failed(error.kind, str(error))


def _crashed() -> WorkerCrashedError:
    return WorkerCrashedError("The image model crashed twice on this image, so it was given up. Try another file.")
