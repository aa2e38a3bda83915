"""The worker by itself, spoken to through its pipes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pipelines
import pytest
from asking import PATIENCE, alive, job

from interrogator import wire
from interrogator.queue.process import worker_command


class Spoken:
    """A worker process at the other end of two pipes."""

    def __init__(self, pipeline: str = "scripted") -> None:
        command = worker_command("lite", f"pipelines:{pipeline}")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @property
    def stdin(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def say(self, data: wire.Message | bytes) -> None:
        self.stdin.write(data if isinstance(data, bytes) else wire.encode(data))
        self.stdin.flush()

    def hear(self, kind: type[wire.Message]) -> wire.Message:
        """The next message of the kind; those before it are passed over."""
        assert self.process.stdout is not None
        while (body := wire.read_frame(self.process.stdout)) is not None:
            message = wire.decode_from_worker(body)
            if isinstance(message, kind):
                return message
        raise AssertionError(f"the worker ended without a {kind.__name__}")

    def ends(self) -> int:
        return self.process.wait(PATIENCE)


@pytest.fixture
def worker() -> Iterator[Spoken]:
    spoken = Spoken()
    with spoken.process:
        yield spoken
        spoken.process.kill()


def test_it_greets_first_and_is_ready_when_loaded(worker: Spoken) -> None:
    assert worker.hear(wire.Hello) == wire.Hello(wire.PROTOCOL)
    worker.hear(wire.Ready)


def test_it_ends_with_its_stdin(worker: Spoken) -> None:
    worker.hear(wire.Ready)
    worker.stdin.close()
    assert worker.ends() == 0


def test_it_ends_with_its_stdin_in_the_middle_of_work(worker: Spoken) -> None:
    worker.say(wire.Hello(wire.PROTOCOL))
    worker.say(wire.Submit(job(pipelines.WAITS)))
    worker.hear(wire.JobProgress)
    worker.stdin.close()
    assert worker.ends() == 0


def test_it_ends_when_nobody_reads_its_answers(worker: Spoken) -> None:
    worker.hear(wire.Ready)
    assert worker.process.stdout is not None
    worker.process.stdout.close()
    worker.say(wire.Hello(wire.PROTOCOL))
    worker.say(wire.Submit(job(b"a cat")))
    assert worker.ends() == 0


def test_ctrl_c_is_for_the_asking_process_to_decide(worker: Spoken) -> None:
    worker.hear(wire.Ready)
    worker.process.send_signal(signal.SIGINT)
    worker.say(wire.Hello(wire.PROTOCOL))
    worker.say(wire.Submit(job(b"a cat")))
    worker.hear(wire.JobDone)


def test_sigterm_ends_it(worker: Spoken) -> None:
    worker.hear(wire.Ready)
    worker.process.terminate()
    assert worker.ends() == -signal.SIGTERM


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(b"\xff\xff\xff\xff", id="a frame of 4 GiB"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(b"\x00\x00\x00\x01\xc1", id="no msgpack"),
        pytest.param(wire.encode(wire.Hello(wire.PROTOCOL + 1)), id="another version"),
        pytest.param(wire.encode(wire.Cancel(job(b"").id)), id="no greeting"),
        pytest.param(wire.encode(wire.Ready()), id="a message that only workers send"),
    ],
)
def test_it_ends_rather_than_guess_what_is_meant(worker: Spoken, nonsense: bytes) -> None:
    worker.hear(wire.Ready)
    worker.say(nonsense)
    assert "ProtocolError" in worker.hear(wire.LogLine).text
    assert worker.ends() == 1


def test_half_a_frame_at_the_end_is_noticed(worker: Spoken) -> None:
    worker.hear(wire.Ready)
    worker.say(wire.encode(wire.Hello(wire.PROTOCOL)) + b"\x00\x00")
    worker.stdin.close()
    assert "ended inside a frame" in worker.hear(wire.LogLine).text
    assert worker.ends() == 1


def test_missing_models_are_its_last_words() -> None:
    spoken = Spoken("missing")
    with spoken.process:
        assert spoken.hear(wire.Fatal) == wire.Fatal("model_missing", "The weights of lite are not on this machine.")
        assert spoken.ends() == 1


ASKING_PROGRAM = """
import asyncio, sys
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.types import Job, JobId, Progress

async def main():
    async with LocalQueue(config=LocalQueueConfig(pipeline=sys.argv[1])) as queue:
        async for event in queue.submit(Job(id=JobId("1"), image=b"wait")):
            if isinstance(event, Progress):
                print(queue.worker_pid, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("pipeline", ["scripted", "endless"])
def test_no_worker_outlives_the_process_that_started_it(pipeline: str) -> None:
    command = [sys.executable, "-c", ASKING_PROGRAM, f"pipelines:{pipeline}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        pid = int(asking.stdout.readline())
        assert alive(pid)
        asking.kill()
        asking.wait()
        give_up = time.monotonic() + PATIENCE
        while alive(pid) and time.monotonic() < give_up:
            time.sleep(0.01)
        assert not alive(pid)


def test_a_program_in_the_current_folder_is_not_run_in_place_of_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    spoken = Spoken()
    with spoken.process:
        spoken.hear(wire.Ready)
        spoken.process.kill()


@pytest.mark.parametrize(("chosen", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_the_threads_of_the_models_do_not_spin_unless_somebody_says_so(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, expected: str
) -> None:
    """Spinning made an answer take 15 s in place of 0.3 s beside four busy processes."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_WAIT_POLICY", chosen)
    spoken = Spoken()
    with spoken.process:
        spoken.say(wire.Hello(wire.PROTOCOL))
        spoken.say(wire.Submit(job(pipelines.TELLS + b"OMP_WAIT_POLICY")))
        answer = spoken.hear(wire.JobDone)
        spoken.process.kill()
    assert isinstance(answer, wire.JobDone)
    assert answer.interrogation.prompt == expected
