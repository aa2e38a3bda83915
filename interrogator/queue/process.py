"""The worker as a child process, seen from the event loop of the process that asks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Sequence

from interrogator import wire
from interrogator.types import JobId

LAST_WORDS = 40  # lines of stderr kept to explain a crash
SETTLE_SECONDS = 1.0  # for the pipes of an ended process to close
CHUNK_BYTES = 256 * 1024  # written at once: what the pipe does not take is copied, and nothing else runs meanwhile
LOOKS = 4  # in a row without a sign of life, before the process is killed: one may be late because we were

log = logging.getLogger("interrogator.worker")


class WorkerProcess:
    """Sends and receives messages; ends the process when asked. Owned by one task, which must call `stop`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._outgoing: asyncio.Queue[wire.ToWorker] = asyncio.Queue()
        self._owed: set[JobId] = set()  # jobs whose end the worker was asked for and has not yet told
        self._patience = 0.0
        self._suspicion: asyncio.TimerHandle | None = None
        self._alive = True  # whether anything came since the last look
        self._watch: asyncio.TimerHandle | None = None
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._writer = asyncio.create_task(self._write(), name="worker-stdin")
        self._listener = asyncio.create_task(self._listen(), name="worker-stderr")
        self.send(wire.Hello(wire.PROTOCOL))

    @classmethod
    async def start(cls, command: Sequence[str]) -> WorkerProcess:
        """Raises `OSError` where the program cannot be started."""
        return cls(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE))

    @property
    def pid(self) -> int:
        """The process id; it stays the same after the end."""
        return self._process.pid

    def send(self, message: wire.ToWorker) -> None:
        """Hand the message over; it is written as soon as the pipe takes it. Lost where the process has ended."""
        self._outgoing.put_nowait(message)

    def expect_end(self, job_id: JobId, seconds: float) -> None:
        """Kill the process where it is silent for so many seconds before it has told the end of this job."""
        self._owed.add(job_id)
        self._patience = seconds
        if self._suspicion is None:
            self._wait_for_word()

    def watch(self, seconds: float) -> None:
        """From now on, kill the process where nothing at all, not even a heartbeat, has come for so many seconds."""
        self._look_later(seconds, missed=0)

    async def messages(self) -> AsyncIterator[wire.FromWorker]:
        """What the worker sends, until its end. Raises `ProtocolError` where that makes no sense."""
        greeted = False
        while (body := await self._read_frame()) is not None:
            message = wire.decode_from_worker(body)
            self._alive = True
            if isinstance(message, wire.Heartbeat):
                continue
            self._heard(message)
            if not greeted:
                wire.check_version(message)
                greeted = True
            elif isinstance(message, wire.LogLine):
                log.log(message.level, "%s", message.text)
            else:
                yield message

    async def stop(self, grace_seconds: float) -> int:
        """End the process: close its stdin, wait, kill. Its exit status, negative where a signal ended it."""
        self._trust()
        if self._watch:
            self._watch.cancel()
        self._hang_up()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        status = await self._process.wait()
        await self._close_pipes()
        return status

    def last_words(self) -> str:
        """The end of its stderr: where a crash explains itself."""
        return "\n".join(self._last_words)

    def _heard(self, message: wire.FromWorker) -> None:
        if isinstance(message, wire.JobDone | wire.JobFailed):
            self._owed.discard(message.id)
        self._trust()
        if self._owed:  # what came may have been sent before the worker began to hang
            self._wait_for_word()

    def _wait_for_word(self) -> None:
        self._suspicion = asyncio.get_running_loop().call_later(self._patience, self._end_silence, self._patience)

    def _trust(self) -> None:
        if self._suspicion:
            self._suspicion.cancel()
            self._suspicion = None

    def _look_later(self, seconds: float, missed: int) -> None:
        self._watch = asyncio.get_running_loop().call_later(seconds / LOOKS, self._look, seconds, missed)

    def _look(self, seconds: float, missed: int) -> None:
        missed = 0 if self._alive else missed + 1
        self._alive = False
        if missed < LOOKS:
            self._look_later(seconds, missed)
        else:
            log.error("worker %d has given no sign of life for %g s and is killed", self.pid, seconds)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def _end_silence(self, seconds: float) -> None:
        log.error("worker %d has not answered for %g s and is killed", self.pid, seconds)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _read_frame(self) -> bytes | None:
        stream = self._stream(self._process.stdout)
        try:
            header = await stream.readexactly(wire.HEADER_BYTES)
            return await stream.readexactly(wire.body_length(header))
        except asyncio.IncompleteReadError:
            return None  # a process that was killed may leave half a frame

    async def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # we asked for a pipe
        try:
            while True:
                for part in wire.encode_in_parts(await self._outgoing.get()):
                    for start in range(0, len(part), CHUNK_BYTES):
                        stdin.write(memoryview(part)[start : start + CHUNK_BYTES])
                        await stdin.drain()
        except ConnectionError:
            pass  # the worker has ended: noticed, and its jobs taken care of, where its messages are read
        except (ValueError, wire.ProtocolError):  # text that is not Unicode, a body that is too large
            log.exception("a message to worker %d cannot be written", self.pid)
        finally:
            stdin.close()

    async def _listen(self) -> None:
        stream = self._stream(self._process.stderr)
        while line := await self._read_line(stream):
            text = line.decode(errors="replace").rstrip()
            self._last_words.append(text)
            log.debug("%d: %s", self.pid, text)

    async def _read_line(self, stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except ValueError:  # longer than the buffer, which readline has emptied
            return b"(a line too long to show)"

    def _hang_up(self) -> None:
        self._writer.cancel()
        if self._process.stdin is not None:
            self._process.stdin.close()  # the worker's sign to end

    async def _close_pipes(self) -> None:
        """Read both pipes to their end, so that nothing of the process is left open in this one."""
        tasks = {self._writer, self._listener, asyncio.create_task(self._stream(self._process.stdout).read())}
        _, unfinished = await asyncio.wait(tasks, timeout=SETTLE_SECONDS)
        for task in unfinished:
            task.cancel()

    @staticmethod
    def _stream(reader: asyncio.StreamReader | None) -> asyncio.StreamReader:
        assert reader is not None  # we asked for a pipe
        return reader


def worker_command(profile: str, pipeline: str | None = None) -> tuple[str, ...]:
    """The command line of a worker. `-P`: no module is taken from the current folder, which may be anybody's."""
    command = (sys.executable, "-P", "-m", "interrogator.worker", "--profile", profile)
    return command if pipeline is None else (*command, "--pipeline", pipeline)
