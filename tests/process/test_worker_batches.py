"""What a real worker process does at once, together, and only once."""

from __future__ import annotations

import time
from pathlib import Path

import pipelines
import pytest
from asking import Asked, failure, job, outcome, queue_of

from interrogator.queue import QueueStatus, WorkerState
from interrogator.queue.local import LocalQueue
from interrogator.queue.process import worker_command
from interrogator.types import Done, Failed, Interrogation, Job, Mode, Options, Queued


async def answer(queue: LocalQueue, asked: Job) -> Interrogation:
    return answered(await outcome(queue, asked))


def answered(event: Done | Failed) -> Interrogation:
    assert isinstance(event, Done), event
    return event.interrogation


async def holder_of(queue: LocalQueue, door: Path) -> Asked:
    """A job that runs until the file is there."""
    holder = Asked(queue, job(pipelines.HOLDS + bytes(door)))
    await holder.working()
    return holder


async def test_what_waits_runs_together_and_a_lone_job_by_itself(tmp_path: Path) -> None:
    async with queue_of("together") as queue:
        assert (await answer(queue, job(b"alone"))).similarity == 1
        holder = await holder_of(queue, tmp_path / "open")
        others = [Asked(queue, job(b"%d" % number)) for number in range(5)]
        for asked in others:
            await asked.waiting()
        (tmp_path / "open").touch()
        assert [answered(await asked.last()).similarity for asked in others] == [4, 4, 4, 4, 1]
        assert isinstance(await holder.last(), Done)


async def test_a_worker_takes_no_more_at_once_than_it_was_told(tmp_path: Path) -> None:
    command = (*worker_command("lite", "pipelines:together"), "--batch", "2")
    async with queue_of(command=command) as queue:
        holder = await holder_of(queue, tmp_path / "open")
        others = [Asked(queue, job(b"%d" % number)) for number in range(3)]
        for asked in others:
            await asked.waiting()
        (tmp_path / "open").touch()
        assert [answered(await asked.last()).similarity for asked in others] == [2, 2, 1]
        assert isinstance(await holder.last(), Done)


async def test_who_died_with_a_worker_is_tried_again_alone(tmp_path: Path) -> None:
    async with queue_of("together") as queue:
        holder = await holder_of(queue, tmp_path / "open")
        deadly, *harmless = (Asked(queue, job(image)) for image in (pipelines.DIES, b"one", b"two"))
        for asked in (deadly, *harmless):
            await asked.waiting()
        (tmp_path / "open").touch()
        assert isinstance(await holder.last(), Done)
        assert [answered(await asked.last()).similarity for asked in harmless] == [1, 1]
        given_up = await deadly.last()
        assert isinstance(given_up, Failed)
        assert given_up.kind == "worker_crashed"
        assert queue.status().restarts == 2


async def test_who_waits_is_told_how_long_once_that_is_known(tmp_path: Path) -> None:
    async with queue_of() as queue:
        await answer(queue, job(pipelines.SLEEPS + b"0.2"))
        await holder_of(queue, tmp_path / "open")
        waiting = Asked(queue, job(b"a cat"))
        await waiting.waiting()
        (queued,) = [event for event in waiting.seen if isinstance(event, Queued)]
        assert queued.position == 1
        assert queued.eta is not None
        assert queued.eta > 0.1


async def test_an_image_that_was_answered_is_answered_at_once_while_another_runs(tmp_path: Path) -> None:
    async with queue_of() as queue:
        first = await answer(queue, job(b"a cat"))
        assert not first.cached
        await holder_of(queue, tmp_path / "open")
        seconds = []
        for _ in range(10):
            started = time.perf_counter()
            again = await answer(queue, job(b"a cat"))
            seconds.append(time.perf_counter() - started)
            assert again.cached
            assert again.prompt == first.prompt
        assert min(seconds) < 0.05
        assert queue.status() == QueueStatus(waiting=0, running=1, worker=WorkerState.READY, restarts=0)


@pytest.mark.parametrize("other", [job(b"a cat", options=Options(mode=Mode.BEST)), job(b"a cat.")])
async def test_another_mode_or_image_is_not_answered_with_what_is_known(other: Job) -> None:
    async with queue_of() as queue:
        await answer(queue, job(b"a cat"))
        found = await answer(queue, other)
        assert not found.cached
        assert (found.prompt, found.mode) == (other.image.decode(), other.options.mode)


async def test_an_answer_that_was_cut_short_or_failed_is_not_kept() -> None:
    async with queue_of() as queue:
        for _ in range(2):
            assert not (await answer(queue, job(pipelines.HURRIES))).cached
            assert await failure(queue, job(pipelines.RAISES)) == "internal"


async def test_equal_jobs_share_a_run_and_each_is_told_of_its_progress_and_answered(tmp_path: Path) -> None:
    async with queue_of() as queue:
        first = await holder_of(queue, tmp_path / "open")
        second = await holder_of(queue, tmp_path / "open")  # of one at a time: it runs with the first
        assert queue.status().running == 2
        (tmp_path / "open").touch()
        for asked in (first, second):
            assert not answered(await asked.last()).cached


@pytest.mark.parametrize("place", [0, 1])
async def test_cancelling_one_of_equal_jobs_leaves_the_other_running(tmp_path: Path, place: int) -> None:
    async with queue_of() as queue:
        both = [await holder_of(queue, tmp_path / "open") for _ in range(2)]
        cancelled, other = both[place], both[1 - place]
        await queue.cancel(cancelled.job.id)
        assert isinstance(await cancelled.last(), Failed)
        (tmp_path / "open").touch()
        assert isinstance(await other.last(), Done)


async def test_when_all_equal_jobs_are_cancelled_the_run_stops() -> None:
    async with queue_of() as queue:
        for asked in [Asked(queue, job(pipelines.WAITS)) for _ in range(2)]:
            await asked.working()
            await queue.cancel(asked.job.id)
        assert (await answer(queue, job(b"the next"))).prompt == "the next"
        assert queue.status().restarts == 0


async def test_one_of_equal_jobs_ends_at_its_deadline_and_the_other_goes_on(tmp_path: Path) -> None:
    async with queue_of() as queue:
        first = await holder_of(queue, tmp_path / "open")
        hasty = job(first.job.image, deadline=time.time() + 0.2)
        assert await failure(queue, hasty) == "deadline"
        (tmp_path / "open").touch()
        assert isinstance(await first.last(), Done)
