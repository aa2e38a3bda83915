"""The seam between who asks (bot, command line) and who answers (a worker: a child process, or one that runs apart)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from interrogator.counters import WorkerCounters
from interrogator.types import Event, Job, JobId


class WorkerState(StrEnum):
    """Where the worker stands."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """A snapshot: jobs that wait, jobs that run, the worker's state and how often it was restarted, or found again.
    `counters` are what the worker told last; a restart sets them back."""

    waiting: int
    running: int
    worker: WorkerState
    restarts: int
    counters: WorkerCounters = field(default_factory=WorkerCounters, compare=False)


class InterrogationQueue(Protocol):
    """What the bot knows of the models."""

    def submit(self, job: Job) -> AsyncIterator[Event]:
        """Events of the job; the last is an `End`, and exactly one of them comes. Closing the iterator
        before that cancels the job. Never raises for what may go wrong with a job: that is `Failed`."""

    async def cancel(self, job_id: JobId) -> None:
        """Stop the job within one search step; it ends with `Failed("cancelled")`. Unknown ids are ignored."""

    def status(self) -> QueueStatus:
        """Never blocks."""
