"""The queue on one machine: a worker process that is started, watched and, where it dies, started again."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from interrogator import wire
from interrogator.errors import (
    CancelledError,
    DeadlineError,
    ImageTooLargeError,
    InterrogatorError,
    WorkerCrashedError,
    from_kind,
)
from interrogator.queue import QueueStatus, WorkerState
from interrogator.queue.bounds import queue_is_full, share_is_taken
from interrogator.queue.mailbox import Mailbox
from interrogator.queue.process import WorkerProcess, worker_command
from interrogator.types import DEFAULT_PROFILE, Done, Event, Failed, Job, JobId, Queued

DEATHS_OF_A_JOB = 2  # a job that was running at so many deaths of the worker is not tried again
FRAME_OVERHEAD = 64 * 1024  # what a job's frame holds beside the image, generously

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalQueueConfig:
    """Bounds and patience. Bytes are of the images of all unfinished jobs; users without a key share no bound."""

    max_jobs: int = 100
    max_jobs_per_user: int = 5
    max_bytes: int = 512 * 1024 * 1024
    max_failures: int = 3  # lives of the worker in a row that came to nothing, before the jobs that wait are failed
    backoff_seconds: float = 0.25
    max_backoff_seconds: float = 30.0
    grace_seconds: float = 3.0
    heartbeat_seconds: float = 20.0  # without a sign of life from a worker that was ready, before it is killed
    silence_seconds: float = 30.0  # without a word from a worker that was told to drop a job, before it is killed
    pipeline: str | None = None  # "module:function" in place of `interrogator.pipeline.load_pipeline`
    command: tuple[str, ...] | None = None  # in place of our worker, for one that speaks the same protocol


@dataclass(eq=False, slots=True)
class _Ticket:
    """A job that has not ended. The worker knows it by an id of this submission, so that a job which is sent again
    after a cancellation is not taken for the one before."""

    id: JobId
    job: Job
    mailbox: Mailbox = field(default_factory=Mailbox)
    running: bool = False
    deaths: int = 0
    alarm: asyncio.TimerHandle | None = None


class LocalQueue:
    """An `interrogator.queue.InterrogationQueue`. Leaving its `async with` ends the worker; what waits then fails.

    Everything runs in the event loop that entered it. It starts no task when a job is submitted, so that it may be
    entered before, and outlive, whoever uses it.
    """

    def __init__(self, profile: str = DEFAULT_PROFILE, config: LocalQueueConfig | None = None) -> None:
        self._config = config or LocalQueueConfig()
        self._command = self._config.command or worker_command(profile, self._config.pipeline)
        self._tickets: dict[JobId, _Ticket] = {}
        self._submissions = itertools.count(1)
        self._worker: WorkerProcess | None = None
        self._state = WorkerState.STOPPED
        self._starts = 0
        self._worked = False  # whether the present worker has got as far as working on a job that has ended
        self._wanted = asyncio.Event()
        self._readiness: asyncio.Future[InterrogatorError | None] | None = None
        self._supervisor: asyncio.Task[None] | None = None

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

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        return self._worker.pid if self._worker else None

    async def wait_ready(self) -> None:
        """Return once the worker takes jobs. Raises an `InterrogatorError` where it could not be started."""
        assert self._readiness is not None, "the queue has not been entered"
        if problem := await asyncio.shield(self._readiness):
            raise problem

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        """As `InterrogationQueue.submit`; the job is sent when the first event is asked for."""
        if refusal := self._refusal(job):
            yield _failed(refusal)
            return
        ticket = self._accept(job)
        try:
            while True:
                event = await ticket.mailbox.get()
                yield event
                if isinstance(event, Done | Failed):
                    return
        finally:
            self._abandon(ticket, CancelledError())

    async def cancel(self, job_id: JobId) -> None:
        """As `InterrogationQueue.cancel`: the person is told at once, the worker stops within a search step."""
        for ticket in [ticket for ticket in self._tickets.values() if ticket.job.id == job_id]:
            self._abandon(ticket, CancelledError())

    def status(self) -> QueueStatus:
        """As `InterrogationQueue.status`."""
        running = sum(ticket.running for ticket in self._tickets.values())
        waiting = len(self._tickets) - running
        return QueueStatus(waiting=waiting, running=running, worker=self._state, restarts=max(0, self._starts - 1))

    # Jobs

    def _refusal(self, job: Job) -> InterrogatorError | None:
        if self._supervisor is None:
            return _stopping()
        if self._supervisor.done():
            return _unable()
        if len(job.image) > wire.MAX_FRAME_BYTES - FRAME_OVERHEAD:
            return ImageTooLargeError("The image file is too large for the queue. Please send a smaller one.")
        if job.deadline is not None and job.deadline <= time.time():
            return DeadlineError()
        return self._overflow(job)

    def _overflow(self, job: Job) -> InterrogatorError | None:
        held = sum(len(ticket.job.image) for ticket in self._tickets.values())
        if len(self._tickets) >= self._config.max_jobs or held + len(job.image) > self._config.max_bytes:
            return queue_is_full(len(self._tickets))
        theirs = sum(ticket.job.user == job.user for ticket in self._tickets.values())
        if job.user and theirs >= self._config.max_jobs_per_user:
            return share_is_taken(theirs)
        return None

    def _accept(self, job: Job) -> _Ticket:
        ticket = _Ticket(JobId(f"{next(self._submissions)}"), job)
        self._tickets[ticket.id] = ticket
        if job.deadline is not None:
            loop = asyncio.get_running_loop()
            ticket.alarm = loop.call_later(job.deadline - time.time(), self._abandon, ticket, DeadlineError())
        self._wanted.set()
        self._send(ticket)
        return ticket

    def _send(self, ticket: _Ticket) -> None:
        if self._worker:
            self._worker.send(wire.Submit(replace(ticket.job, id=ticket.id), alone=ticket.deaths > 0))

    def _abandon(self, ticket: _Ticket, reason: InterrogatorError) -> None:
        """End a job that the worker may still hold; one that has ended stays as it is."""
        if ticket.id not in self._tickets:
            return
        if self._worker:
            self._worker.send(wire.Cancel(ticket.id))
            if self._state is WorkerState.READY:
                self._worker.expect_end(ticket.id, self._config.silence_seconds)
        self._worked |= ticket.running
        self._conclude(ticket, _failed(reason))

    def _conclude(self, ticket: _Ticket, event: Done | Failed) -> None:
        if ticket.alarm:
            ticket.alarm.cancel()
        del self._tickets[ticket.id]
        ticket.mailbox.put(event)

    def _give_up(self, reason: InterrogatorError) -> None:
        """No worker, and none to come by itself."""
        self._state = WorkerState.STOPPED
        for ticket in list(self._tickets.values()):
            self._conclude(ticket, _failed(reason))
        if self._readiness and not self._readiness.done():
            self._readiness.set_result(reason)

    # The worker

    async def _supervise(self) -> None:
        """Keep a worker alive; after repeated failures, wait until somebody submits a job again."""
        failures, backoff = 0, self._config.backoff_seconds
        while True:
            self._worked = False
            problem = await self._run_worker()
            blamed = self._blame_running_jobs()
            idle = self._state is WorkerState.READY and not self._tickets
            failures = 0 if self._worked or blamed or idle else failures + 1
            if problem is None and failures < self._config.max_failures:
                self._expect(WorkerState.RESTARTING)
                backoff = self._config.backoff_seconds if self._worked else backoff
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, self._config.max_backoff_seconds)
            else:
                self._wanted.clear()
                self._give_up(problem or _unable())
                await self._wanted.wait()
                failures, backoff = 0, self._config.backoff_seconds
                self._expect(WorkerState.STARTING)

    def _supervision_ended(self, supervisor: asyncio.Task[None]) -> None:
        """It never ends but by being cancelled or by a mistake of ours, after which nobody must wait for a worker."""
        if not supervisor.cancelled() and (error := supervisor.exception()):
            log.critical("the worker is no longer supervised", exc_info=error)
            self._give_up(_unable())

    def _expect(self, state: WorkerState) -> None:
        """A worker is on its way."""
        self._state = state
        if self._readiness is None or self._readiness.done():
            self._readiness = asyncio.get_running_loop().create_future()

    async def _run_worker(self) -> InterrogatorError | None:
        """One life of the worker. The error that says why another would end the same way, else None."""
        self._starts += 1
        try:
            worker = await WorkerProcess.start(self._command)
        except OSError:
            log.exception("the worker could not be started")
            return None
        self._worker = worker
        for ticket in self._tickets.values():
            self._send(ticket)
        problem: InterrogatorError | None = None
        try:
            async for message in worker.messages():
                if isinstance(message, wire.Fatal):
                    problem = from_kind(message.kind, message.message)
                else:
                    self._receive(message)
        except wire.ProtocolError:
            log.exception("worker %d does not keep to the protocol", worker.pid)
        finally:
            self._worker = None
            status = await worker.stop(self._config.grace_seconds)
        if problem is None:
            log.warning("worker %d ended with status %d:\n%s", worker.pid, status, worker.last_words())
        else:
            log.error("worker %d cannot work: %s", worker.pid, problem)
        return problem

    def _receive(self, message: wire.FromWorker) -> None:
        match message:
            case wire.Ready():
                self._state = WorkerState.READY
                if self._worker:
                    self._worker.watch(self._config.heartbeat_seconds)
                if self._readiness and not self._readiness.done():
                    self._readiness.set_result(None)
            case wire.Loading(progress):
                for ticket in self._tickets.values():
                    ticket.mailbox.put(progress)
            case wire.JobsStarted(ids):
                for job_id in ids:
                    if started := self._tickets.get(job_id):
                        started.running = True
            case wire.JobQueued() | wire.JobProgress() | wire.JobDone() | wire.JobFailed():
                if known := self._tickets.get(message.id):  # else it was cancelled meanwhile
                    self._pass_on(known, message)

    def _pass_on(self, ticket: _Ticket, message: wire.AboutJob) -> None:
        match message:
            case wire.JobQueued(position=position, eta=eta):
                ticket.mailbox.put(Queued(position, eta))
            case wire.JobProgress(progress=progress):
                ticket.mailbox.put(progress)
            case wire.JobDone(interrogation=interrogation):
                self._worked = True
                self._conclude(ticket, Done(interrogation))
            case wire.JobFailed(kind=kind, message=text):
                self._worked = True
                self._conclude(ticket, Failed(kind, text))

    def _blame_running_jobs(self) -> bool:
        """The worker has died. What it was running may be the cause: tried once more, alone, not twice."""
        suspects = [ticket for ticket in self._tickets.values() if ticket.running]
        for ticket in suspects:
            ticket.running = False
            ticket.deaths += 1
            if ticket.deaths >= DEATHS_OF_A_JOB:
                self._conclude(ticket, _failed(_crashed()))
        return bool(suspects)


def _failed(error: InterrogatorError) -> Failed:
    return Failed(error.kind, str(error))


def _unable() -> WorkerCrashedError:
    return WorkerCrashedError("The image model cannot be started at the moment. Please try again later.")


def _crashed() -> WorkerCrashedError:
    return WorkerCrashedError("The image model crashed twice on this image, so it was given up. Try another file.")


def _stopping() -> CancelledError:
    return CancelledError("Interrogator is stopping. Please send the image again in a minute.")
