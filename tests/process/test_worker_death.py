"""What happens to the jobs when a worker dies, does not start, or talks nonsense."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pipelines
import pytest
from asking import PATIENCE, Asked, alive, failure, job, outcome, prompt, queue_of

from interrogator.errors import ModelMissingError, WorkerCrashedError
from interrogator.queue import WorkerState
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.types import Done, Failed


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
async def test_a_job_whose_worker_is_killed_is_answered_once_by_the_next_worker(
    tmp_path: Path, deadly: signal.Signals
) -> None:
    async with queue_of() as queue:
        asked = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
        waiting = Asked(queue, job(b"waiting"))
        await asked.working()
        first = queue.worker_pid
        assert first is not None
        os.kill(first, deadly)
        (tmp_path / "open").touch()
        assert isinstance(await asked.last(), Done)
        assert isinstance(await waiting.last(), Done)
        assert queue.status().restarts == 1
        assert queue.worker_pid != first
        assert not alive(first)


async def test_an_image_that_kills_the_worker_twice_is_given_up_and_the_others_are_answered() -> None:
    async with queue_of() as queue:
        first, waiting, second, last = (
            Asked(queue, job(image)) for image in (pipelines.DIES, b"waiting", pipelines.DIES + b" too", b"last")
        )
        for deadly in (first, second):
            answer = await deadly.last()
            assert isinstance(answer, Failed)
            assert answer.kind == "worker_crashed"
        for harmless in (waiting, last):
            assert isinstance(await harmless.last(), Done)
        assert queue.status().restarts == 4


async def test_a_job_may_wait_through_any_number_of_deaths_of_others() -> None:
    async with queue_of(max_failures=2) as queue:
        deadly = [Asked(queue, job(pipelines.DIES + bytes([number]))) for number in range(4)]
        patient = Asked(queue, job(b"patient"))
        assert isinstance(await patient.last(), Done)
        assert [type(await asked.last()) for asked in deadly] == [Failed] * 4


async def test_an_idle_worker_that_is_killed_is_replaced() -> None:
    async with queue_of() as queue:
        await queue.wait_ready()
        pid = queue.worker_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while queue.status().worker is WorkerState.READY:  # noqa: ASYNC110  until the death has been noticed
            await asyncio.sleep(0)
        await queue.wait_ready()
        assert queue.worker_pid not in (pid, None)
        assert await prompt(queue, job(b"a cat")) == "a cat"


@pytest.mark.parametrize("ending", ["cancelled", "late"])
async def test_a_worker_that_hangs_is_replaced_once_its_job_has_ended(
    ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with queue_of(silence_seconds=0.2) as queue:
        await queue.wait_ready()
        deadline = time.time() + 2 if ending == "late" else None
        asked = Asked(queue, job(pipelines.WAITS, deadline=deadline))
        await asked.working()
        hung = queue.worker_pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        if ending == "cancelled":
            await queue.cancel(asked.job.id)
        assert isinstance(await asked.last(), Failed)
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.worker_pid != hung
        assert queue.status().restarts == 1
        assert not alive(hung)
    assert f"worker {hung} has not answered for 0.2 s" in caplog.text


async def test_a_worker_that_hangs_while_idle_is_replaced_once_a_job_could_not_wait_for_it() -> None:
    async with queue_of(silence_seconds=0.2) as queue:
        await queue.wait_ready()
        hung = queue.worker_pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        assert await failure(queue, job(b"too late", deadline=time.time() + 0.1)) == "deadline"
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.worker_pid != hung


async def test_a_worker_that_stops_when_asked_is_kept() -> None:
    async with queue_of(silence_seconds=1) as queue:
        await queue.wait_ready()
        first = queue.worker_pid
        for seconds in (0.1, 1.5):  # the second ends after the patience with the first
            assert await failure(queue, job(pipelines.WAITS, deadline=time.time() + seconds)) == "deadline"
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.worker_pid == first


async def test_a_worker_that_loads_for_long_is_not_taken_for_one_that_hangs() -> None:
    async with queue_of("endless", silence_seconds=0.05) as queue:
        asked = Asked(queue, job(b"a cat"))
        await asked.waiting()
        assert await failure(queue, job(b"another", deadline=time.time() + 0.01)) == "deadline"
        assert await failure(queue, job(b"a third", deadline=time.time() + 0.3)) == "deadline"
        assert queue.status().restarts == 0
        await asked.leave()


async def test_missing_models_are_said_at_once_and_looked_for_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHTS", str(tmp_path / "weights"))
    async with queue_of("missing") as queue:
        with pytest.raises(ModelMissingError, match="lite"):
            await queue.wait_ready()
        assert queue.status().worker is WorkerState.STOPPED
        assert await outcome(queue, job(b"a cat")) == Failed(
            "model_missing", "The weights of lite are not on this machine."
        )
        (tmp_path / "weights").touch()
        assert await prompt(queue, job(b"a cat")) == "a cat"
        await queue.wait_ready()


@pytest.mark.parametrize("pipeline", ["broken", "dying", "no_such_function"])
async def test_a_worker_that_never_gets_ready_fails_the_jobs_after_three_attempts(pipeline: str) -> None:
    async with queue_of(pipeline) as queue:
        assert await failure(queue, job(b"a cat")) == "worker_crashed"
        assert queue.status().restarts == 2
        with pytest.raises(WorkerCrashedError):
            await queue.wait_ready()


async def test_which_models_are_missing_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_of("missing") as queue:
        assert await failure(queue, job(b"a cat")) == "model_missing"
    (line,) = [line for line in caplog.records if line.levelname == "ERROR"]
    assert "The weights of lite are not on this machine." in line.getMessage()


async def test_why_the_models_do_not_load_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_of("broken") as queue:
        assert await failure(queue, job(b"a cat")) == "worker_crashed"
    assert "ZeroDivisionError: the weights make no sense" in caplog.text


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("print('hello, I am no worker')", id="prints text"),
        pytest.param(r"import os; os.write(1, bytes([127, 255, 255, 255])); input()", id="announces 2 GiB"),
        pytest.param(r"import os; os.write(1, bytes([0, 0, 0, 3]) + b'\xc1\xc1\xc1'); input()", id="no msgpack"),
        pytest.param(
            "import os, msgspec; b = msgspec.msgpack.encode({'type': 'Hello', 'protocol': 999});"
            "os.write(1, len(b).to_bytes(4, 'big') + b); input()",
            id="speaks another version",
        ),
        pytest.param("import os; os.close(1); input()", id="says nothing"),
    ],
)
async def test_a_process_that_is_no_worker_of_ours_fails_the_jobs(program: str) -> None:
    command = (sys.executable, "-c", program)
    config = LocalQueueConfig(command=command, backoff_seconds=0.01)
    async with asyncio.timeout(PATIENCE), LocalQueue(config=config) as queue:
        assert await failure(queue, job(b"a cat")) == "worker_crashed"


async def test_a_program_that_does_not_exist_fails_the_jobs() -> None:
    config = LocalQueueConfig(command=("/nowhere/python",), backoff_seconds=0.01)
    async with asyncio.timeout(PATIENCE), LocalQueue(config=config) as queue:
        assert await failure(queue, job(b"a cat")) == "worker_crashed"


async def test_a_mistake_in_the_supervision_itself_fails_the_jobs_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = LocalQueueConfig(command=("no\0program",))  # which Python refuses with a ValueError, not an OSError
    async with asyncio.timeout(PATIENCE), LocalQueue(config=config) as queue:
        assert await failure(queue, job(b"waiting")) == "worker_crashed"
        assert await failure(queue, job(b"afterwards")) == "worker_crashed"
        with pytest.raises(WorkerCrashedError):
            await queue.wait_ready()
        assert queue.status().worker is WorkerState.STOPPED
    assert "ValueError" in caplog.text


async def test_closing_ends_the_worker_and_the_jobs() -> None:
    async with queue_of() as queue:
        running, waiting = Asked(queue, job(pipelines.WAITS)), Asked(queue, job(b"waiting"))
        await running.working()
        pid = queue.worker_pid
    for asked in (running, waiting):
        answer = await asked.last()
        assert isinstance(answer, Failed)
        assert answer.kind == "cancelled"
    assert pid is not None
    assert not alive(pid)


async def test_closing_ends_a_worker_that_still_loads() -> None:
    async with queue_of("endless") as queue:
        asked = Asked(queue, job(b"a cat"))
        await asked.waiting()
        pid = queue.worker_pid
    assert pid is not None
    assert not alive(pid)


async def test_closing_ends_a_worker_that_is_stopped() -> None:
    async with queue_of(grace_seconds=0.1) as queue:
        await queue.wait_ready()
        pid = queue.worker_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
    assert not alive(pid)


async def test_an_error_of_the_asking_program_ends_the_worker() -> None:
    with pytest.raises(ZeroDivisionError):
        async with queue_of() as queue:
            await queue.wait_ready()
            pid = queue.worker_pid
            raise ZeroDivisionError
    assert pid is not None
    assert not alive(pid)
