"""What every queue promises, whether its worker is a child process or runs by itself behind a socket."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pipelines
import pytest
from asking import Asked, events, failure, job, outcome, prompt, queue_of, until
from serving_kit import ServeProcess, connected, unix

from interrogator.address import Address
from interrogator.queue import QueueStatus, WorkerState
from interrogator.queue.supervised import SupervisedQueue
from interrogator.types import Done, Failed, Group, Measure, Measured, Mode, Options, Phrase, Progress, Queued, Stage

OpenQueue = Callable[..., AbstractAsyncContextManager[SupervisedQueue]]


@pytest.fixture(scope="module", params=["local", "unix", "tcp"])
def worker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address | None]:
    """Where a worker listens, for all tests together; None where each has a child of its own."""
    listen = {"local": None, "unix": unix(tmp_path_factory.mktemp("w")), "tcp": "tcp:127.0.0.1:0"}[request.param]
    if listen is None:
        yield None
        return
    with ServeProcess.running(listen) as server:
        address = server.address()
        server.is_ready()
        yield address


@pytest.fixture
def open_queue(worker: Address | None) -> OpenQueue:
    return queue_of if worker is None else functools.partial(connected, worker)


async def test_an_answer_arrives_whole(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        answer = await outcome(queue, job(b"a cat", options=Options(mode=Mode.BEST, style_only=True)))
        assert isinstance(answer, Done)
        found = answer.interrogation
        assert found.prompt == "a cat"
        assert (found.mode, found.style_only) == (Mode.BEST, True)
        assert found.caption == "a caption — ünïcode"
        assert found.phrases == (Phrase("soft light", "light", 0.5),)


async def test_a_measurement_arrives_whole_and_is_known_from_then_on(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        asked = Measure(prompts=("a cat, ünïcode", "a dog"), top=1)
        first, again = [await outcome(queue, job(b"measured", measure=asked)) for _ in range(2)]
        other = await outcome(queue, job(b"measured", measure=replace(asked, top=0)))
        prompt_of_it = await outcome(queue, job(b"measured"))
        for found in (first, again, other):
            assert isinstance(found, Measured)
        assert [one.phrases[0].text for one in first.measurement.explanations] == ["a cat, ünïcode", "a dog"]
        assert first.measurement.groups == (Group("light", (("soft light", 0.5),)),)
        assert again.measurement == replace(first.measurement, cached=True)
        assert (other.measurement.groups, other.measurement.cached) == ((), False)
        assert isinstance(prompt_of_it, Done)


async def test_a_measurement_fails_and_is_cancelled_as_a_prompt_is(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        measure = Measure(top=1)
        assert await failure(queue, job(pipelines.UNREADABLE, measure=measure)) == "unreadable_image"
        assert await failure(queue, job(pipelines.RAISES, measure=measure)) == "internal"
        asked = Asked(queue, job(pipelines.WAITS, measure=measure))
        await asked.working()
        await queue.cancel(asked.job.id)
        assert (await asked.last()).kind == "cancelled"
        assert await prompt(queue, job(b"a cat")) == "a cat"


async def test_progress_rises_and_is_complete_at_the_end(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        seen = await events(queue, job(pipelines.STEPS))
        steps = [event.done for event in seen if isinstance(event, Progress) and event.stage is Stage.SEARCH]
        assert steps == sorted(steps)
        assert steps[-1] == 100


async def test_jobs_that_come_together_are_all_answered_and_know_their_place(
    open_queue: OpenQueue, tmp_path: Path
) -> None:
    async with open_queue() as queue:
        holder = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
        await holder.working()
        others = [Asked(queue, job(image)) for image in (b"one", b"two", b"three")]
        for asked in others:
            await asked.waiting()
        assert queue.status() == QueueStatus(waiting=3, running=1, worker=WorkerState.READY, restarts=0)
        places = [[event.position for event in asked.seen if isinstance(event, Queued)] for asked in others]
        assert places == [[1], [2], [3]]
        (tmp_path / "open").touch()
        for asked, image in zip(others, ("one", "two", "three"), strict=True):
            answer = await asked.last()
            assert isinstance(answer, Done)
            assert answer.interrogation.prompt == image
        assert 1 in [event.position for event in others[2].seen if isinstance(event, Queued)]
        assert isinstance(await holder.last(), Done)


async def test_what_is_wrong_with_an_image_is_its_answer(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        assert await outcome(queue, job(pipelines.UNREADABLE)) == Failed(
            "unreadable_image", "This file is not an image."
        )


async def test_a_running_job_is_cancelled_and_the_next_one_runs(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        asked = Asked(queue, job(pipelines.WAITS))
        await asked.working()
        await queue.cancel(asked.job.id)
        answer = await asked.last()
        assert isinstance(answer, Failed)
        assert answer.kind == "cancelled"
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0


async def test_a_waiting_job_is_cancelled_without_having_run(open_queue: OpenQueue, tmp_path: Path) -> None:
    async with open_queue() as queue:
        holder = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
        await holder.working()
        asked = Asked(queue, job(pipelines.DIES))
        await asked.waiting()
        await queue.cancel(asked.job.id)
        assert isinstance(await asked.last(), Failed)
        (tmp_path / "open").touch()
        assert isinstance(await holder.last(), Done)
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0


async def test_closing_the_events_cancels_the_job(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        asked = Asked(queue, job(pipelines.WAITS))
        await asked.working()
        await asked.leave()
        assert queue.status().running == 0
        assert await prompt(queue, job(b"the next")) == "the next"


async def test_a_job_that_is_sent_again_after_a_cancellation_gets_an_answer_of_its_own(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        asked = Asked(queue, job(pipelines.WAITS))
        await asked.working()
        await queue.cancel(asked.job.id)
        again = await outcome(queue, job(b"again", id=asked.job.id))
        assert isinstance(again, Done)


async def test_cancelling_an_unknown_job_does_nothing(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        await queue.cancel(job(b"never sent").id)
        assert await prompt(queue, job(b"a cat")) == "a cat"


async def test_a_job_after_its_deadline_is_refused(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        assert await failure(queue, job(pipelines.DIES, deadline=time.time() - 1)) == "deadline"


@pytest.mark.parametrize("image", [pipelines.WAITS, pipelines.HOLDS + b"/nowhere"])
async def test_a_running_job_ends_at_its_deadline(open_queue: OpenQueue, image: bytes) -> None:
    async with open_queue() as queue:
        await queue.wait_ready()
        assert await failure(queue, job(image, deadline=time.time() + 0.2)) == "deadline"
        assert await prompt(queue, job(b"the next")) == "the next"


async def test_a_waiting_job_is_told_at_its_deadline(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        holder = Asked(queue, job(pipelines.WAITS))
        await holder.working()
        assert await failure(queue, job(pipelines.DIES, deadline=time.time() + 0.1)) == "deadline"
        await holder.leave()
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0


async def test_a_full_queue_refuses_at_once(open_queue: OpenQueue) -> None:
    async with open_queue(max_jobs=2) as queue:
        held = [Asked(queue, job(pipelines.WAITS, user=user)) for user in ("ann", "bob")]
        await held[0].working()
        assert await failure(queue, job(b"a cat", user="eve")) == "queue_full"
        for asked in held:
            await asked.leave()
        assert await prompt(queue, job(b"a cat", user="eve")) == "a cat"


async def test_a_user_has_a_share_of_the_queue(open_queue: OpenQueue) -> None:
    async with open_queue(max_jobs_per_user=1) as queue:
        hers = Asked(queue, job(pipelines.WAITS, user="ann"))
        await hers.working()
        assert await failure(queue, job(b"a cat", user="ann")) == "queue_full"
        nobodys = [Asked(queue, job(pipelines.WAITS)) for _ in range(3)]
        for asked in nobodys:
            await asked.waiting()
        await hers.leave()


async def test_the_queue_holds_a_bounded_number_of_bytes(open_queue: OpenQueue) -> None:
    async with open_queue(max_bytes=10) as queue:
        assert await failure(queue, job(b"x" * 11)) == "queue_full"
        assert await prompt(queue, job(b"x" * 10)) == "x" * 10


async def test_an_image_that_fits_in_no_frame_is_refused(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        assert await failure(queue, job(bytes(64 * 1024 * 1024))) == "image_too_large"


async def test_a_large_image_passes(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        assert len(await prompt(queue, job(b"x" * 20_000_000))) == 20_000_000


async def test_an_image_that_kills_the_worker_once_is_answered(open_queue: OpenQueue, tmp_path: Path) -> None:
    async with open_queue() as queue:
        deadly = pipelines.DIES_ONCE + bytes(tmp_path / "died")
        assert await prompt(queue, job(deadly)) == deadly.decode()


async def test_an_image_that_kills_the_worker_twice_is_given_up_and_the_others_are_answered(
    open_queue: OpenQueue,
) -> None:
    async with open_queue() as queue:
        deadly, *harmless = (Asked(queue, job(image)) for image in (pipelines.DIES, b"one", b"two"))
        given_up = await deadly.last()
        assert isinstance(given_up, Failed)
        assert given_up.kind == "worker_crashed"
        assert [type(await asked.last()) for asked in harmless] == [Done, Done]


async def test_it_knows_when_it_is_ready_and_what_the_worker_has_done(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        await queue.wait_ready()
        assert queue.status().worker is WorkerState.READY
        image = f"counted {time.time()}".encode()
        before = queue.status().counters
        await prompt(queue, job(pipelines.STEPS))
        await prompt(queue, job(image))
        await prompt(queue, job(image))
        await until(lambda: queue.status().counters.hits["results"] > before.hits.get("results", 0))
        counters = queue.status().counters
        assert counters.images == sum(size * count for size, count in counters.batches.items())
        assert counters.images > before.images
        assert counters.misses["captions"] > 0
        assert counters.stage_seconds[Stage.SEARCH] > 0


async def test_the_state_follows_a_worker_that_is_replaced(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        await queue.wait_ready()
        asked = Asked(queue, job(pipelines.DIES + b" slowly"))
        await until(lambda: queue.status().worker is not WorkerState.READY)
        assert isinstance(await asked.last(), Failed)
        await queue.wait_ready()
        assert await prompt(queue, job(b"the next")) == "the next"


async def test_after_closing_jobs_are_refused(open_queue: OpenQueue) -> None:
    async with open_queue() as queue:
        await queue.wait_ready()
    assert queue.status().worker is WorkerState.STOPPED
    assert await failure(queue, job(b"a cat")) == "cancelled"
