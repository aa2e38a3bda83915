"""The queue with a real worker process and a scripted pipeline."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pipelines
import pytest
from asking import Asked, events, failure, job, outcome, prompt, queue_of

from interrogator.queue import QueueStatus, WorkerState
from interrogator.types import Done, Failed, Mode, Options, Phrase, Progress, Queued, Stage


async def test_an_answer_arrives_whole() -> None:
    async with queue_of() as queue:
        answer = await outcome(queue, job(b"a cat", options=Options(mode=Mode.BEST, style_only=True)))
        assert isinstance(answer, Done)
        found = answer.interrogation
        assert found.prompt == "a cat"
        assert (found.mode, found.style_only) == (Mode.BEST, True)
        assert found.caption == "a caption — ünïcode"
        assert found.phrases == (Phrase("soft light", "light", 0.5),)


async def test_who_waits_for_the_models_sees_them_load() -> None:
    async with queue_of() as queue:
        seen = await events(queue, job(b"a cat"))
        loading = [event for event in seen if isinstance(event, Progress) and event.stage is Stage.LOAD]
        assert loading[-1] == Progress(Stage.LOAD, 2, 2)


async def test_progress_rises_and_is_complete_at_the_end() -> None:
    async with queue_of() as queue:
        seen = await events(queue, job(pipelines.STEPS))
        steps = [event.done for event in seen if isinstance(event, Progress) and event.stage is Stage.SEARCH]
        assert steps == sorted(steps)
        assert steps[-1] == 100


async def test_jobs_that_come_together_are_all_answered_and_know_their_place(tmp_path: Path) -> None:
    async with queue_of() as queue:
        holder = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
        await holder.working()
        others = [Asked(queue, job(image)) for image in (b"one", b"two", b"three")]
        for asked in others:
            await asked.waiting()
        assert queue.status() == QueueStatus(waiting=3, running=1, worker=WorkerState.READY, restarts=0)
        assert [asked.seen for asked in others] == [[Queued(1)], [Queued(2)], [Queued(3)]]
        (tmp_path / "open").touch()
        for asked, image in zip(others, ("one", "two", "three"), strict=True):
            answer = await asked.last()
            assert isinstance(answer, Done)
            assert answer.interrogation.prompt == image
        assert 1 in [event.position for event in others[2].seen if isinstance(event, Queued)]
        assert isinstance(await holder.last(), Done)


async def test_what_is_wrong_with_an_image_is_its_answer() -> None:
    async with queue_of() as queue:
        assert await outcome(queue, job(pipelines.UNREADABLE)) == Failed(
            "unreadable_image", "This file is not an image."
        )


async def test_an_unexpected_error_reaches_the_log_and_not_the_person(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_of() as queue:
        answer = await outcome(queue, job(pipelines.RAISES))
        assert isinstance(answer, Failed)
        assert answer.kind == "internal"
        assert "secret" not in answer.message
        reference = answer.message.split("reference ")[1].split(")")[0]
        assert reference in caplog.text
        assert "ZeroDivisionError: a secret detail" in caplog.text
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0


async def test_what_a_library_prints_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "interrogator.worker")
    async with queue_of() as queue:
        assert await prompt(queue, job(pipelines.PRINTS)) == "print"
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0
    assert "a stray line" in caplog.text


async def test_a_running_job_is_cancelled_and_the_next_one_runs() -> None:
    async with queue_of() as queue:
        asked = Asked(queue, job(pipelines.WAITS))
        await asked.working()
        await queue.cancel(asked.job.id)
        answer = await asked.last()
        assert isinstance(answer, Failed)
        assert answer.kind == "cancelled"
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0


async def test_a_waiting_job_is_cancelled_without_having_run(tmp_path: Path) -> None:
    async with queue_of() as queue:
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


async def test_closing_the_events_cancels_the_job() -> None:
    async with queue_of() as queue:
        asked = Asked(queue, job(pipelines.WAITS))
        await asked.working()
        await asked.leave()
        assert queue.status().running == 0
        assert await prompt(queue, job(b"the next")) == "the next"


async def test_a_job_that_is_sent_again_after_a_cancellation_gets_an_answer_of_its_own() -> None:
    async with queue_of() as queue:
        asked = Asked(queue, job(pipelines.WAITS))
        await asked.working()
        await queue.cancel(asked.job.id)
        again = await outcome(queue, job(b"again", id=asked.job.id))
        assert isinstance(again, Done)


async def test_cancelling_an_unknown_job_does_nothing() -> None:
    async with queue_of() as queue:
        await queue.cancel(job(b"never sent").id)
        assert await prompt(queue, job(b"a cat")) == "a cat"


async def test_a_job_after_its_deadline_is_refused() -> None:
    async with queue_of() as queue:
        assert await failure(queue, job(pipelines.DIES, deadline=time.time() - 1)) == "deadline"


@pytest.mark.parametrize("image", [pipelines.WAITS, pipelines.HOLDS + b"/nowhere"])
async def test_a_running_job_ends_at_its_deadline(image: bytes) -> None:
    async with queue_of() as queue:
        await queue.wait_ready()
        assert await failure(queue, job(image, deadline=time.time() + 0.2)) == "deadline"
        assert await prompt(queue, job(b"the next")) == "the next"


async def test_a_waiting_job_is_told_at_its_deadline() -> None:
    async with queue_of() as queue:
        holder = Asked(queue, job(pipelines.WAITS))
        await holder.working()
        assert await failure(queue, job(pipelines.DIES, deadline=time.time() + 0.1)) == "deadline"
        await holder.leave()
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0


async def test_a_full_queue_refuses_at_once() -> None:
    async with queue_of(max_jobs=2) as queue:
        held = [Asked(queue, job(pipelines.WAITS, user=user)) for user in ("ann", "bob")]
        await held[0].working()
        assert await failure(queue, job(b"a cat", user="eve")) == "queue_full"
        for asked in held:
            await asked.leave()
        assert await prompt(queue, job(b"a cat", user="eve")) == "a cat"


async def test_a_user_has_a_share_of_the_queue() -> None:
    async with queue_of(max_jobs_per_user=1) as queue:
        hers = Asked(queue, job(pipelines.WAITS, user="ann"))
        await hers.working()
        assert await failure(queue, job(b"a cat", user="ann")) == "queue_full"
        nobodys = [Asked(queue, job(pipelines.WAITS)) for _ in range(3)]
        for asked in nobodys:
            await asked.waiting()
        await hers.leave()


async def test_the_queue_holds_a_bounded_number_of_bytes() -> None:
    async with queue_of(max_bytes=10) as queue:
        assert await failure(queue, job(b"x" * 11)) == "queue_full"
        assert await prompt(queue, job(b"x" * 10)) == "x" * 10


async def test_an_image_that_fits_in_no_frame_is_refused() -> None:
    async with queue_of() as queue:
        assert await failure(queue, job(bytes(64 * 1024 * 1024))) == "image_too_large"


async def test_a_large_image_passes() -> None:
    async with queue_of() as queue:
        assert len(await prompt(queue, job(b"x" * 20_000_000))) == 20_000_000


async def test_after_closing_jobs_are_refused() -> None:
    async with queue_of() as queue:
        await queue.wait_ready()
    assert queue.status().worker is WorkerState.STOPPED
    assert await failure(queue, job(b"a cat")) == "cancelled"
