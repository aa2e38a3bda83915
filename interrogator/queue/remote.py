"""The queue whose worker runs by itself (`interrogate serve`), on this machine or behind a tunnel."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

from interrogator import wire
from interrogator.address import Address, UnixAddress
from interrogator.errors import WorkerUnreachableError
from interrogator.handshake import introduce
from interrogator.queue.config import RemoteQueueConfig
from interrogator.queue.link import Link
from interrogator.queue.supervised import Listener, SupervisedQueue, deaf

__all__ = ["RemoteQueue", "RemoteQueueConfig"]

log = logging.getLogger(__name__)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection(Link):
    """The link through a socket. The worker outlives it, and cancels the jobs that came through it."""

    def abandon(self) -> None:
        """Drop the connection."""
        self._writer.transport.abort()

    async def stop(self, grace_seconds: float) -> str:
        """Close it."""
        self._hang_up()
        await asyncio.wait([self._sender])
        await close_stream(self._writer, grace_seconds)
        return "is no longer connected"


class RemoteQueue(SupervisedQueue):
    """A `SupervisedQueue` over a socket. A connection that is lost is made again, and what had no answer is sent again;
    a job that was running at two losses fails."""

    def __init__(
        self,
        address: Address,
        secret: bytes | None = None,
        config: RemoteQueueConfig | None = None,
        listener: Listener = deaf,
    ) -> None:
        chosen = config or RemoteQueueConfig()
        super().__init__(chosen, listener, chosen.retry_seconds)
        self._address = address
        self._secret = secret
        self._connect_seconds = chosen.connect_seconds
        self._profile = chosen.profile

    async def _open(self) -> Connection:
        async with asyncio.timeout(self._connect_seconds):
            reader, writer = await connect(self._address)
            try:
                await introduce(reader, writer, self._secret)
            except BaseException:
                writer.transport.abort()
                raise
        log.info("connected to the worker at %s", self._address)
        return Connection(f"the worker at {self._address}", reader, writer)

    def _unsuitable(self, ready: wire.Ready) -> WorkerUnreachableError | None:
        if self._profile in (None, ready.profile):
            return None
        return WorkerUnreachableError(
            f"The image worker serves the profile “{ready.profile[:40]}”, and “{self._profile}” is asked for."
        )

    def _unable(self) -> WorkerUnreachableError:
        return WorkerUnreachableError("The image model cannot be reached at the moment. Please try again later.")


async def connect(address: Address) -> Streams:
    """Raises `OSError` where nobody listens there."""
    if isinstance(address, UnixAddress):
        return await asyncio.open_unix_connection(str(address.path))
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return reader, writer


async def close_stream(writer: asyncio.StreamWriter, grace_seconds: float) -> None:
    """Let what was written go out within that time, then have no more of it."""
    writer.close()
    with contextlib.suppress(OSError):  # a time-out is one; else the other side has gone already
        async with asyncio.timeout(grace_seconds):
            await writer.wait_closed()
    writer.transport.abort()
