"""A worker that lives but does not get on, and one that does neither, is replaced; one that is only slow is not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pipelines
import pytest
from asking import Asked, alive, job, outcome, prompt, queue_of, until

from interrogator.queue import WorkerState
from interrogator.types import Done, Failed

BEATS = {"beat_seconds": 0.05}  # twenty a second


async def test_an_idle_worker_without_a_sign_of_life_is_replaced_though_nobody_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with queue_of(heartbeat_seconds=1, **BEATS) as queue:
        await queue.wait_ready()
        hung = queue.worker_pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        await until(lambda: queue.status().restarts > 0)
        assert not alive(hung)
        await queue.wait_ready()
        assert queue.worker_pid != hung
    assert f"worker {hung} has given no sign of life for 1 s" in caplog.text


async def test_a_job_of_a_worker_without_a_sign_of_life_is_answered_by_the_next(tmp_path: Path) -> None:
    async with queue_of(heartbeat_seconds=2, **BEATS) as queue:
        holder = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
        await holder.working()
        assert queue.worker_pid is not None
        os.kill(queue.worker_pid, signal.SIGSTOP)
        (tmp_path / "open").touch()
        assert isinstance(await holder.last(), Done)
        assert queue.status().restarts == 1


async def test_a_worker_that_is_stopped_while_it_loads_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_of("endless", loading_heartbeat_seconds=2, **BEATS) as queue:
        waiting = Asked(queue, job(b"a cat"))
        await until(lambda: bool(waiting.seen))  # that it loads
        hung = queue.worker_pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        await until(lambda: queue.status().restarts > 0)
        assert not alive(hung)
        await waiting.leave()
    assert f"worker {hung} has given no sign of life for 2 s" in caplog.text


async def test_a_job_that_hangs_while_the_heart_beats_is_tried_again_alone_and_then_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with queue_of(stall_seconds=0.3, **BEATS) as queue:
        hanging, waiting = Asked(queue, job(pipelines.SLEEPS + b"600")), Asked(queue, job(b"waiting"))
        answer = await hanging.last()
        assert isinstance(answer, Failed)
        assert answer.kind == "worker_crashed"
        assert isinstance(await waiting.last(), Done)
        assert queue.status().restarts == 2
    assert "has not got on with its work for 0." in caplog.text


async def test_loading_that_hangs_while_the_heart_beats_is_given_up() -> None:
    async with queue_of("endless", loading_stall_seconds=0.3, max_failures=2, **BEATS) as queue:
        answer = await outcome(queue, job(b"a cat"))
        assert isinstance(answer, Failed)
        assert answer.kind == "worker_crashed"
        assert queue.status().worker is WorkerState.STOPPED


async def test_a_worker_that_is_slow_but_gets_on_is_left_alone() -> None:
    async with queue_of(stall_seconds=1, **BEATS) as queue:
        assert isinstance(await outcome(queue, job(pipelines.PACES + b"2")), Done)
        assert queue.status().restarts == 0


async def test_a_worker_that_is_busy_and_says_nothing_of_its_job_is_left_alone_for_long() -> None:
    async with queue_of(heartbeat_seconds=2, stall_seconds=30, **BEATS) as queue:
        assert isinstance(await outcome(queue, job(pipelines.SLEEPS + b"2.5")), Done)
        assert queue.status().restarts == 0


async def test_a_worker_that_waits_for_work_has_nothing_to_get_on_with() -> None:
    async with queue_of(stall_seconds=0.2, **BEATS) as queue:
        await queue.wait_ready()
        first = queue.worker_pid
        assert await prompt(queue, job(b"a cat")) == "a cat"
        before = queue.status().counters
        await until(lambda: queue.status().counters != before)  # the heart has beaten since
        assert await prompt(queue, job(b"another cat")) == "another cat"
        assert queue.worker_pid == first
