"""What the queues have in common: jobs come and go while workers do, and every job is answered once."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Self

from interrogator import wire
from interrogator.counters import WorkerCounters
from interrogator.errors import CancelledError, DeadlineError, InterrogatorError, from_kind
from interrogator.queue import QueueStatus, WorkerState
from interrogator.queue.config import QueueConfig
from interrogator.queue.link import Link, Patience
from interrogator.queue.mailbox import Happening, Started
from interrogator.queue.tickets import Ticket, Tickets, failed
from interrogator.types import Done, End, Event, Failed, Job, JobId, Measured, Progress, Queued, Stage

log = logging.getLogger(__name__)

Listener = Callable[[wire.AboutWorker], None]
"""Told what becomes of the worker, in the words of the wire; must not wait."""


def deaf(_news: wire.AboutWorker) -> None:
    """A listener that does nothing."""


class SupervisedQueue(ABC):
    """An `interrogator.queue.InterrogationQueue`. Leaving its `async with` ends the link; what waits then fails.

    Everything runs in the event loop that entered it. It starts no task when a job is submitted, so that it may be
    entered before, and outlive, whoever uses it.
    """

    def __init__(self, config: QueueConfig, listener: Listener, retry_seconds: float | None = None) -> None:
        """`retry_seconds`: how often a worker that was given up is tried again by itself; None is never."""
        self._config = config
        self._listener = listener
        self._retry_seconds = retry_seconds
        self._tickets = Tickets(config)
        self._link: Link | None = None
        self._state = WorkerState.STOPPED
        self._starts = 0
        self._counters = WorkerCounters()
        self._worked = False  # whether the present worker has got as far as working on a job that has ended
        self._leaving = False  # whether it has said that it is being stopped
        self._complaint = ""  # why there is no worker, as it was logged last
        self._wanted = asyncio.Event()
        self._readiness: asyncio.Future[InterrogatorError | None] | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @abstractmethod
    async def _open(self) -> Link:
        """A new worker. Raises `OSError` or `ProtocolError` where there is none now, and an `InterrogatorError` where
        it would be the same if it were tried again at once."""

    @abstractmethod
    def _unable(self) -> InterrogatorError:
        """Why jobs fail when there was no worker for too long."""

    def _unsuitable(self, _ready: wire.Ready) -> InterrogatorError | None:
        """Why a worker that is ready must not be asked after all."""
        return None

    async def __aenter__(self) -> Self:
        self._expect(WorkerState.STARTING)
        self._supervisor = asyncio.create_task(self._supervise(), name="worker-supervisor")
        self._supervisor.add_done_callback(self._supervision_ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        supervisor, self._supervisor = self._supervisor, None
        assert supervisor is not None
        supervisor.cancel()
        await asyncio.wait([supervisor])
        self._give_up(_stopping())

    async def wait_ready(self) -> None:
        """Return once the worker takes jobs. Raises an `InterrogatorError` where it could not be started."""
        assert self._readiness is not None, "the queue has not been entered"
        if problem := await asyncio.shield(self._readiness):
            raise problem

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        """As `InterrogationQueue.submit`; the job is sent when the first event is asked for."""
        async with aclosing(self.follow(job)) as happenings:
            async for event in happenings:
                if not isinstance(event, Started):
                    yield event

    async def follow(self, job: Job, *, alone: bool = False) -> AsyncGenerator[Happening, None]:
        """As `submit`, and when the job is begun. `alone` where it was running when a worker died: it is tried only
        once more, and no other job beside it."""
        if refusal := self._refusal(job):
            yield failed(refusal)
            return
        ticket = self._tickets.add(job, self._too_late, alone=alone)
        self._wanted.set()
        self._send(ticket)
        try:
            while True:
                event = await ticket.mailbox.get()
                yield event
                if isinstance(event, End):
                    return
        finally:
            self._abandon(ticket, CancelledError())

    async def cancel(self, job_id: JobId) -> None:
        """As `InterrogationQueue.cancel`: the person is told at once, the worker stops within a search step."""
        for ticket in [ticket for ticket in self._tickets if ticket.job.id == job_id]:
            self._abandon(ticket, CancelledError())

    def status(self) -> QueueStatus:
        """As `InterrogationQueue.status`."""
        running = self._tickets.running
        return QueueStatus(
            waiting=len(self._tickets) - running,
            running=running,
            worker=self._state,
            restarts=max(0, self._starts - 1),
            counters=self._counters,
        )

    # Jobs

    def _refusal(self, job: Job) -> InterrogatorError | None:
        if self._supervisor is None:
            return _stopping()
        if self._supervisor.done():
            return self._unable()
        return self._tickets.refusal(job)

    def _send(self, ticket: Ticket) -> None:
        if self._link:
            self._link.send(wire.Submit(replace(ticket.job, id=ticket.id), alone=ticket.deaths > 0))

    def _too_late(self, ticket: Ticket) -> None:
        self._abandon(ticket, DeadlineError())

    def _abandon(self, ticket: Ticket, reason: InterrogatorError) -> None:
        """End a job that the worker may still hold; one that has ended stays as it is."""
        if ticket not in self._tickets:
            return
        if self._link:
            self._link.send(wire.Cancel(ticket.id))
            if self._state is WorkerState.READY:
                self._link.expect_end(ticket.id, self._config.silence_seconds)
        self._worked |= ticket.running
        self._tickets.conclude(ticket, failed(reason))

    def _give_up(self, reason: InterrogatorError) -> None:
        """No worker, and none to come by itself, or not soon."""
        self._state = WorkerState.STOPPED
        for ticket in self._tickets:
            self._tickets.conclude(ticket, failed(reason))
        if self._readiness and not self._readiness.done():
            self._readiness.set_result(reason)
        self._listener(wire.Fatal(reason.kind, str(reason)))

    # The worker

    async def _supervise(self) -> None:
        """Keep a worker; after repeated failures, wait until somebody submits a job again or `retry_seconds` have
        passed, which is one more try."""
        failures, backoff = 0, self._config.backoff_seconds
        while True:
            self._worked = self._leaving = False
            problem = await self._run_worker()
            blamed = self._settle_blame()
            idle = self._state is WorkerState.READY and not self._tickets
            failures = 0 if self._worked or blamed or idle else failures + 1
            if problem is None and failures < self._config.max_failures:
                self._expect(WorkerState.RESTARTING)
                backoff = self._config.backoff_seconds if self._worked else backoff
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, self._config.max_backoff_seconds)
            else:
                self._wanted.clear()
                self._give_up(problem or self._unable())
                failures = 0 if await self._is_wanted() else self._config.max_failures - 1
                backoff = self._config.backoff_seconds
                self._expect(WorkerState.STARTING)

    async def _is_wanted(self) -> bool:
        """Wait for a job, or for the time to try again; whether it was a job."""
        try:
            async with asyncio.timeout(self._retry_seconds):
                await self._wanted.wait()
        except TimeoutError:
            return False
        return True

    def _supervision_ended(self, supervisor: asyncio.Task[None]) -> None:
        """It never ends but by being cancelled or by a mistake of ours, after which nobody must wait for a worker."""
        if not supervisor.cancelled() and (error := supervisor.exception()):
            log.critical("the worker is no longer supervised", exc_info=error)
            self._give_up(self._unable())

    def _expect(self, state: WorkerState) -> None:
        """A worker is on its way."""
        self._state = state
        if self._readiness is None or self._readiness.done():
            self._readiness = asyncio.get_running_loop().create_future()
        self._listener(wire.Loading(Progress(Stage.LOAD)))

    async def _run_worker(self) -> InterrogatorError | None:
        """One life of the worker. The error that says why another would end the same way, else None."""
        try:
            link = await self._open()
        except (OSError, wire.ProtocolError) as error:
            self._complain(f"{type(error).__name__}: {error}")
            return None
        except InterrogatorError as error:
            self._complain(str(error))
            return error
        self._link = link
        self._starts += 1
        link.watch(Patience(self._config.loading_heartbeat_seconds, self._config.loading_stall_seconds))
        for ticket in self._tickets:
            self._send(ticket)
        problem: InterrogatorError | None = None
        try:
            async with aclosing(link.messages()) as messages:
                async for message in messages:
                    if problem := self._problem(message):
                        break
                    self._receive(link, message)
        except wire.ProtocolError:
            log.exception("%s does not keep to the protocol", link.name)
        finally:
            self._link = None
            ending = await link.stop(self._config.grace_seconds)
        if problem is None:
            log.warning("%s %s", link.name, ending)
        else:
            self._complain(str(problem))
        return problem

    def _problem(self, message: wire.FromWorker) -> InterrogatorError | None:
        if isinstance(message, wire.Fatal):
            return from_kind(message.kind, message.message)
        return self._unsuitable(message) if isinstance(message, wire.Ready) else None

    def _complain(self, why: str) -> None:
        """Once in the log for each reason, not for each try."""
        log.log(logging.DEBUG if why == self._complaint else logging.ERROR, "no worker can be asked: %s", why)
        self._complaint = why

    def _receive(self, link: Link, message: wire.FromWorker) -> None:
        match message:
            case wire.Ready():
                self._state = WorkerState.READY
                self._complaint = ""
                link.watch(Patience(self._config.heartbeat_seconds, self._config.stall_seconds))
                if self._readiness and not self._readiness.done():
                    self._readiness.set_result(None)
                self._listener(message)
            case wire.Loading(progress):
                if self._state is WorkerState.READY:
                    self._expect(WorkerState.RESTARTING)
                for ticket in self._tickets:
                    ticket.mailbox.put(progress)
                self._listener(message)
            case wire.Statistics(counters):
                self._counters = counters
                self._listener(message)
            case wire.Leaving():
                self._leaving = True
            case wire.JobsStarted(ids):
                for job_id in ids:
                    if started := self._tickets.find(job_id):
                        self._tickets.start(started)
            case wire.JobQueued() | wire.JobProgress() | wire.JobDone() | wire.JobMeasured() | wire.JobFailed():
                if known := self._tickets.find(message.id):  # else it was cancelled meanwhile
                    self._pass_on(known, message)

    def _pass_on(self, ticket: Ticket, message: wire.AboutJob) -> None:
        match message:
            case wire.JobQueued(position=position, eta=eta):
                ticket.running = False  # it may have been, in a worker behind this one
                ticket.mailbox.put(Queued(position, eta))
            case wire.JobProgress(progress=progress):
                ticket.mailbox.put(progress)
            case wire.JobDone(interrogation=interrogation):
                self._worked = True
                self._tickets.conclude(ticket, Done(interrogation))
            case wire.JobMeasured(measurement=measurement):
                self._worked = True
                self._tickets.conclude(ticket, Measured(measurement))
            case wire.JobFailed(kind=kind, message=text):
                self._worked = True
                self._tickets.conclude(ticket, Failed(kind, text))

    def _settle_blame(self) -> bool:
        """Whether a job may have been the cause of the worker's end."""
        if self._leaving:
            self._tickets.stop_running()
            return False
        return self._tickets.blame()


def _stopping() -> CancelledError:
    return CancelledError("Interrogator is stopping. Please send the image again in a minute.")
