"""How the tests of the queue speak of it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from interrogator.queue import InterrogationQueue
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.types import Done, End, Event, Failed, Job, JobId, Progress, Queued

PATIENCE = 60  # seconds after which a test gives up; none should come near

_numbers = itertools.count(1)


def job(image: bytes, **fields: Any) -> Job:
    return Job(**{"id": JobId(f"job-{next(_numbers)}"), "image": image, **fields})


@asynccontextmanager
async def queue_of(pipeline: str = "scripted", **bounds: Any) -> AsyncIterator[LocalQueue]:
    config = LocalQueueConfig(
        pipeline=f"pipelines:{pipeline}", backoff_seconds=0.01, max_backoff_seconds=0.02, **bounds
    )
    async with asyncio.timeout(PATIENCE), LocalQueue(config=config) as queue:
        yield queue


async def until(true: Callable[[], bool]) -> None:
    """Return once it is true of what tells nobody when it changes."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def events(queue: InterrogationQueue, asked: Job) -> list[Event]:
    return [event async for event in queue.submit(asked)]


async def outcome(queue: InterrogationQueue, asked: Job) -> End:
    """The last event; that there is one, and none like it before, is checked for every job of these tests."""
    *before, last = await events(queue, asked)
    assert all(isinstance(event, Queued | Progress) for event in before)
    assert isinstance(last, End)
    return last


async def prompt(queue: InterrogationQueue, asked: Job) -> str:
    answer = await outcome(queue, asked)
    assert isinstance(answer, Done), answer
    return answer.interrogation.prompt


async def failure(queue: InterrogationQueue, asked: Job) -> str:
    answer = await outcome(queue, asked)
    assert isinstance(answer, Failed), answer
    assert answer.message
    return answer.kind


class Asked:
    """A job whose events are followed by a task, as a bot does."""

    def __init__(self, queue: InterrogationQueue, asked: Job) -> None:
        self.job = asked
        self.seen: list[Event] = []
        self._working = asyncio.Event()
        self._waiting = asyncio.Event()
        self._task = asyncio.create_task(self._follow(queue))

    async def working(self) -> None:
        """Return once the worker has reported progress that is not of loading."""
        await self._working.wait()

    async def waiting(self) -> None:
        await self._waiting.wait()

    async def last(self) -> Done | Failed:
        return await self._task

    async def leave(self) -> None:
        """Stop listening, as a person who goes away."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _follow(self, queue: InterrogationQueue) -> Done | Failed:
        async for event in queue.submit(self.job):
            self.seen.append(event)
            if isinstance(event, Queued):
                self._waiting.set()
            elif isinstance(event, Progress) and event.stage == "search":
                self._working.set()
            elif isinstance(event, Done | Failed):
                return event
        raise AssertionError("no last event")


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
