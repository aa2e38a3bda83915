"""One who has been let in: their jobs go to the queue, what becomes of them goes back."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace

from interrogator import wire
from interrogator.queue.mailbox import Happening, Started
from interrogator.queue.supervised import SupervisedQueue
from interrogator.types import Done, Failed, Job, JobId, Measured, Progress, Queued

log = logging.getLogger(__name__)


class Session:
    """Reads until the other side goes; then everything that it asked for is cancelled."""

    def __init__(
        self,
        number: int,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        queue: SupervisedQueue,
        frame_seconds: float,
    ) -> None:
        """`frame_seconds`: a frame whose beginning is there is whole within that time, or the connection ends."""
        self._number = number
        self._reader, self._writer = streams
        self._queue = queue
        self._frame_seconds = frame_seconds
        self._jobs: dict[JobId, asyncio.Task[None]] = {}
        self.send(wire.Hello(wire.PROTOCOL))

    def send(self, message: wire.FromWorker) -> None:
        """Write the message; lost where the other side has gone."""
        if not self._writer.is_closing():
            self._writer.write(wire.encode(message))

    def remind(self, message: wire.FromWorker) -> None:
        """Write a message that will be followed by another of its kind: not where the other side reads too slowly."""
        transport = self._writer.transport
        if transport.get_write_buffer_size() <= transport.get_write_buffer_limits()[1]:
            self.send(message)

    def hang_up(self) -> None:
        """End the connection once everything is written."""
        self._writer.close()

    async def run(self) -> None:
        """Serve until the other side goes. Raises `ProtocolError` where it makes no sense."""
        try:
            greeting = await self._read_frame()
            if greeting is not None:
                wire.check_version(wire.decode_to_worker(greeting))
            while (body := await self._read_frame()) is not None:
                await self._receive(wire.decode_to_worker(body))
        finally:
            jobs = list(self._jobs.values())
            for job in jobs:
                job.cancel()
            if jobs:
                await asyncio.wait(jobs)

    async def _receive(self, message: wire.ToWorker) -> None:
        match message:
            case wire.Submit(job, alone):
                if job.id in self._jobs:
                    raise wire.ProtocolError("two jobs of one connection have the same id")
                self._jobs[job.id] = asyncio.create_task(self._answer(job, alone=alone))
            case wire.Cancel(job_id):
                await self._queue.cancel(self._own(job_id))
            case wire.Hello():
                raise wire.ProtocolError("a second greeting")

    async def _answer(self, job: Job, *, alone: bool) -> None:
        """Pass on what becomes of the job, as fast as it is read: what it is too late for is superseded."""
        own = replace(job, id=self._own(job.id), user=job.user or f"connection {self._number}")
        try:
            async with aclosing(self._queue.follow(own, alone=alone)) as happenings:
                async for event in happenings:
                    self.send(_message(job.id, event))
                    await self._writer.drain()
        except ConnectionError:
            pass  # the reader notices too, and ends the session
        finally:
            del self._jobs[job.id]

    def _own(self, job_id: JobId) -> JobId:
        """The job's id in the queue, which knows those of other connections."""
        return JobId(f"{self._number}/{job_id}")

    async def _read_frame(self) -> bytes | None:
        try:
            header = await self._reader.readexactly(1)
            async with asyncio.timeout(self._frame_seconds):
                header += await self._reader.readexactly(wire.HEADER_BYTES - 1)
                return await self._reader.readexactly(wire.body_length(header))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except TimeoutError:
            raise wire.ProtocolError(f"a frame that was not whole after {self._frame_seconds:g} s") from None


def _message(job_id: JobId, event: Happening) -> wire.FromWorker:
    match event:
        case Started():
            return wire.JobsStarted((job_id,))
        case Queued(position, eta):
            return wire.JobQueued(job_id, position, eta)
        case Progress():
            return wire.JobProgress(job_id, event)
        case Done(interrogation):
            return wire.JobDone(job_id, interrogation)
        case Measured(measurement):
            return wire.JobMeasured(job_id, measurement)
        case Failed(kind, text):
            return wire.JobFailed(job_id, kind, text)
