"""Several profiles at once, each with a queue and a worker of its own: a job goes to that of its profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Self

from interrogator.counters import WorkerCounters
from interrogator.errors import UnsupportedOptionError
from interrogator.queue import QueueStatus
from interrogator.queue.supervised import SupervisedQueue
from interrogator.queue.tickets import failed
from interrogator.types import Event, Job, JobId


class SeveralQueues:
    """An `interrogator.queue.InterrogationQueue`. Bounds are of each queue. Leaving its `async with` ends all."""

    def __init__(self, queues: Mapping[str, SupervisedQueue]) -> None:
        """By the profile that each serves; the first is the one whose state counts."""
        self._queues = dict(queues)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for queue in self._queues.values():
                await opening.enter_async_context(queue)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.__aexit__(kind, error, traceback)

    async def wait_ready(self) -> None:
        """Return once every worker takes jobs. Raises an `InterrogatorError` where one could not be started."""
        for queue in self._queues.values():
            await queue.wait_ready()

    async def submit(self, job: Job) -> AsyncGenerator[Event, None]:
        """As `InterrogationQueue.submit`."""
        queue = self._queues.get(job.options.profile)
        if queue is None:
            name, known = job.options.profile[:40], ", ".join(self._queues)
            yield failed(UnsupportedOptionError(f"The profile “{name}” is not loaded. Choose one of these: {known}."))
            return
        async with aclosing(queue.submit(job)) as events:
            async for event in events:
                yield event

    async def cancel(self, job_id: JobId) -> None:
        """As `InterrogationQueue.cancel`."""
        for queue in self._queues.values():
            await queue.cancel(job_id)

    def status(self) -> QueueStatus:
        """As `InterrogationQueue.status`: jobs, restarts and counters of all, the state of the first's worker."""
        each = [queue.status() for queue in self._queues.values()]
        return QueueStatus(
            waiting=sum(one.waiting for one in each),
            running=sum(one.running for one in each),
            worker=each[0].worker,
            restarts=sum(one.restarts for one in each),
            counters=added([one.counters for one in each]),
        )


def added(counters: Iterable[WorkerCounters]) -> WorkerCounters:
    """What several workers have counted, together."""
    images = 0
    batches: Counter[int] = Counter()
    hits: Counter[str] = Counter()
    misses: Counter[str] = Counter()
    seconds = WorkerCounters().stage_seconds
    for one in counters:
        images += one.images
        batches.update(one.batches)
        hits.update(one.hits)
        misses.update(one.misses)
        for stage, spent in one.stage_seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
    return WorkerCounters(
        images=images, batches=dict(batches), hits=dict(hits), misses=dict(misses), stage_seconds=seconds
    )
