"""The queue on one machine: a worker process that is started, watched and, where it dies, started again."""

from __future__ import annotations

from interrogator.errors import WorkerCrashedError
from interrogator.queue.config import LocalQueueConfig
from interrogator.queue.process import WorkerProcess, worker_command
from interrogator.queue.supervised import Listener, SupervisedQueue, deaf
from interrogator.types import DEFAULT_PROFILE

__all__ = ["LocalQueue", "LocalQueueConfig"]


class LocalQueue(SupervisedQueue):
    """A `SupervisedQueue` whose worker is a child process; it ends with the queue."""

    def __init__(
        self, profile: str = DEFAULT_PROFILE, config: LocalQueueConfig | None = None, listener: Listener = deaf
    ) -> None:
        """`profile` is a name, or what `interrogator.profiles.to_argument` writes."""
        chosen = config or LocalQueueConfig()
        super().__init__(chosen, listener)
        self._command = chosen.command or worker_command(profile, chosen.pipeline, chosen.beat_seconds)

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        return self._link.pid if isinstance(self._link, WorkerProcess) else None

    async def _open(self) -> WorkerProcess:
        return await WorkerProcess.start(self._command)

    def _unable(self) -> WorkerCrashedError:
        return WorkerCrashedError("The image model cannot be started at the moment. Please try again later.")
