"""A worker at the other end of two streams, whatever they are: what is sent and received, and whether it lives."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from interrogator import wire
from interrogator.types import JobId

CHUNK_BYTES = 256 * 1024  # written at once: what the stream does not take is copied, and nothing else runs meanwhile
LOOKS = 4  # in a row without a sign of life, before the worker is given up: one may be late because we were

log = logging.getLogger("interrogator.worker")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds without any sign of life, and without a sign that its work gets on, before a worker is given up."""

    life: float
    work: float


class Link(ABC):
    """Sends and receives messages; ends the worker, or the connection, when asked. Owned by one task, which must call
    `stop`."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self._reader = reader
        self._writer = writer
        self._outgoing: asyncio.Queue[wire.ToWorker] = asyncio.Queue()
        self._owed: set[JobId] = set()  # jobs whose end the worker was asked for and has not yet told
        self._silence = 0.0
        self._suspicion: asyncio.TimerHandle | None = None
        self._patience: Patience | None = None
        self._alive = True  # whether anything came since the last look
        self._watch: asyncio.TimerHandle | None = None
        self._sender = asyncio.create_task(self._write(), name="worker-writer")
        self.send(wire.Hello(wire.PROTOCOL))

    @abstractmethod
    def abandon(self) -> None:
        """End it at once: `messages` then comes to its end."""

    @abstractmethod
    async def stop(self, grace_seconds: float) -> str:
        """End it in order, within that time. How it has ended, in words for the log."""

    def send(self, message: wire.ToWorker) -> None:
        """Hand the message over; it is written as soon as the stream takes it. Lost where the worker has gone."""
        self._outgoing.put_nowait(message)

    def expect_end(self, job_id: JobId, seconds: float) -> None:
        """Give the worker up where it is silent for so many seconds before it has told the end of this job."""
        self._owed.add(job_id)
        self._silence = seconds
        if self._suspicion is None:
            self._wait_for_word()

    def watch(self, patience: Patience) -> None:
        """From now on, give the worker up where nothing at all has come, or its work has not got on, for so long."""
        self._unwatch()
        self._patience = patience
        self._look_later(patience.life, missed=0)

    async def messages(self) -> AsyncGenerator[wire.FromWorker, None]:
        """What the worker sends, until its end. Raises `ProtocolError` where that makes no sense."""
        greeted = False
        while (body := await self._read_frame()) is not None:
            message = wire.decode_from_worker(body)
            self._alive = True
            if greeted and isinstance(message, wire.Heartbeat):
                self._check_progress(message.stalled)
                continue
            self._heard(message)
            if not greeted:
                wire.check_version(message)
                greeted = True
            elif isinstance(message, wire.LogLine):
                log.log(message.level, "%s", message.text)
            else:
                yield message

    def _hang_up(self) -> None:
        """Watch, write and wait no more; the worker takes the end of the stream for its own."""
        self._unwatch()
        self._trust()
        self._sender.cancel()
        self._writer.close()

    def _heard(self, message: wire.FromWorker) -> None:
        if isinstance(message, wire.JobEnded):
            self._owed.discard(message.id)
        self._trust()
        if self._owed:  # what came may have been sent before the worker began to hang
            self._wait_for_word()

    def _wait_for_word(self) -> None:
        self._suspicion = asyncio.get_running_loop().call_later(self._silence, self._end_silence, self._silence)

    def _trust(self) -> None:
        if self._suspicion:
            self._suspicion.cancel()
            self._suspicion = None

    def _unwatch(self) -> None:
        if self._watch:
            self._watch.cancel()
            self._watch = None

    def _look_later(self, seconds: float, missed: int) -> None:
        self._watch = asyncio.get_running_loop().call_later(seconds / LOOKS, self._look, seconds, missed)

    def _look(self, seconds: float, missed: int) -> None:
        missed = 0 if self._alive else missed + 1
        self._alive = False
        if missed < LOOKS:
            self._look_later(seconds, missed)
        else:
            self._end(f"has given no sign of life for {seconds:g} s")

    def _check_progress(self, stalled: float) -> None:
        if self._patience and stalled > self._patience.work:
            self._end(f"has not got on with its work for {stalled:.1f} s")

    def _end_silence(self, seconds: float) -> None:
        self._end(f"has not answered for {seconds:g} s")

    def _end(self, why: str) -> None:
        log.error("%s %s and is given up", self.name, why)
        self._unwatch()
        self._trust()
        self.abandon()

    async def _read_frame(self) -> bytes | None:
        try:
            header = await self._reader.readexactly(wire.HEADER_BYTES)
            return await self._reader.readexactly(wire.body_length(header))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None  # a worker that was killed may leave half a frame

    async def _write(self) -> None:
        try:
            while True:
                for part in wire.encode_in_parts(await self._outgoing.get()):
                    for start in range(0, len(part), CHUNK_BYTES):
                        self._writer.write(memoryview(part)[start : start + CHUNK_BYTES])
                        await self._writer.drain()
        except ConnectionError:
            pass  # the worker has gone: noticed, and its jobs taken care of, where its messages are read
        except (ValueError, wire.ProtocolError):  # text that is not Unicode, a body that is too large
            log.exception("a message to %s cannot be written", self.name)
        finally:
            self._writer.close()
