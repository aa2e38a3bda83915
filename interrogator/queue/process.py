"""The worker as a child process, seen from the event loop of the process that asks."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Sequence

from interrogator.queue.config import BEAT_SECONDS
from interrogator.queue.link import Link, log

LAST_WORDS = 40  # lines of stderr kept to explain a crash
SETTLE_SECONDS = 1.0  # for the pipes of an ended process to close


class WorkerProcess(Link):
    """The link through the pipes of a process, which ends with it."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # we asked for pipes
        assert process.stdout is not None
        assert process.stderr is not None
        super().__init__(f"worker {process.pid}", process.stdout, process.stdin)
        self._process = process
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._listener = asyncio.create_task(self._listen(process.stderr), name="worker-stderr")

    @classmethod
    async def start(cls, command: Sequence[str]) -> WorkerProcess:
        """Raises `OSError` where the program cannot be started."""
        return cls(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE))

    @property
    def pid(self) -> int:
        """The process id; it stays the same after the end."""
        return self._process.pid

    def abandon(self) -> None:
        """Kill the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self, grace_seconds: float) -> str:
        """Close its stdin, wait, kill. The words have its exit status (negative where a signal ended it) and the end of
        its stderr, where a crash explains itself."""
        self._hang_up()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._process.wait()
        finally:
            self.abandon()
        status = await self._process.wait()
        await self._close_pipes()
        return "\n".join((f"ended with status {status}:", *self._last_words))

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while line := await self._read_line(stream):
            text = line.decode(errors="replace").rstrip()
            self._last_words.append(text)
            log.debug("%d: %s", self.pid, text)

    async def _read_line(self, stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except ValueError:  # longer than the buffer, which readline has emptied
            return b"(a line too long to show)"

    async def _close_pipes(self) -> None:
        """Read both pipes to their end, so that nothing of the process is left open in this one."""
        tasks = {self._sender, self._listener, asyncio.create_task(self._reader.read())}
        _, unfinished = await asyncio.wait(tasks, timeout=SETTLE_SECONDS)
        for task in unfinished:
            task.cancel()


def worker_command(profile: str, pipeline: str | None = None, beat_seconds: float = BEAT_SECONDS) -> tuple[str, ...]:
    """The command line of a worker. `-P`: no module is taken from the current folder, which may be anybody's."""
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "interrogator.worker", "--profile", profile)
    if beat_seconds != BEAT_SECONDS:
        command += ("--beat-seconds", str(beat_seconds))
    return command if pipeline is None else (*command, "--pipeline", pipeline)
