"""Several profiles, each with a worker of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pipelines
import pytest
import pytest_asyncio
from asking import PATIENCE, Asked, failure, job, prompt, until

from interrogator.counters import WorkerCounters
from interrogator.queue import WorkerState
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.queue.several import SeveralQueues, added
from interrogator.types import Options, Stage

LITE, SD1 = Options(), Options(profile="sd1")


@pytest_asyncio.fixture
async def queue() -> AsyncIterator[SeveralQueues]:
    config = LocalQueueConfig(pipeline="pipelines:scripted", backoff_seconds=0.01, max_backoff_seconds=0.02)
    queues = {"lite": LocalQueue("lite", config), "sd1": LocalQueue("sd1", config)}
    async with asyncio.timeout(PATIENCE), SeveralQueues(queues) as several:
        await several.wait_ready()
        yield several


async def test_a_job_goes_to_the_worker_of_its_profile_and_keeps_no_other_waiting(queue: SeveralQueues) -> None:
    held = Asked(queue, job(pipelines.WAITS, options=SD1))
    await held.working()
    assert await prompt(queue, job(b"a cat", options=LITE)) == "a cat"
    assert (queue.status().running, queue.status().waiting, queue.status().worker) == (1, 0, WorkerState.READY)
    await queue.cancel(held.job.id)
    assert (await held.last()).kind == "cancelled"
    assert await prompt(queue, job(b"a dog", options=SD1)) == "a dog"


async def test_who_goes_away_leaves_no_job_behind(queue: SeveralQueues) -> None:
    held = Asked(queue, job(pipelines.WAITS, options=SD1))
    await held.working()
    await held.leave()
    await until(lambda: queue.status().running == 0)


async def test_a_profile_without_a_worker_is_refused(queue: SeveralQueues) -> None:
    assert await failure(queue, job(b"a cat", options=Options(profile="sdxl"))) == "unsupported_option"


@pytest.mark.parametrize("profile", ["lite", "sd1"])
async def test_a_worker_that_dies_is_replaced_and_the_other_goes_on(queue: SeveralQueues, profile: str) -> None:
    assert await failure(queue, job(pipelines.DIES, options=Options(profile=profile))) == "worker_crashed"
    for options in (LITE, SD1):
        assert await prompt(queue, job(b"a cat", options=options)) == "a cat"
    assert queue.status().restarts == 2


def test_what_workers_have_counted_is_added() -> None:
    one = WorkerCounters(
        images=3, batches={1: 1, 2: 1}, hits={"a": 1}, misses={"a": 2}, stage_seconds={Stage.READ: 1.5}
    )
    two = WorkerCounters(images=2, batches={2: 1}, hits={"b": 4}, stage_seconds={Stage.READ: 0.5, Stage.RANK: 1.0})
    assert added([one, two]) == WorkerCounters(
        images=5,
        batches={1: 1, 2: 2},
        hits={"a": 1, "b": 4},
        misses={"a": 2},
        stage_seconds={Stage.READ: 2.0, Stage.RANK: 1.0},
    )
