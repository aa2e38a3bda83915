"""Lets in who has the secret, and tells all of them what becomes of the worker."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from interrogator import wire
from interrogator.handshake import Reason, admit
from interrogator.queue.config import BEAT_SECONDS
from interrogator.queue.remote import Streams, close_stream
from interrogator.queue.supervised import SupervisedQueue
from interrogator.serving.session import Session
from interrogator.types import Progress, Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Bounds on who comes. Those who have not shown the secret are counted by themselves, so that they cannot take the
    places of others; who finds no place is hung up on."""

    max_sessions: int = 32
    max_strangers: int = 16
    handshake_seconds: float = 5.0
    frame_seconds: float = 60.0
    beat_seconds: float = BEAT_SECONDS
    grace_seconds: float = 1.0


class Server:
    """Serves within `running`. `tell` is the queue's listener."""

    def __init__(self, secret: bytes | None, config: ServerConfig | None = None) -> None:
        self._secret = secret
        self._config = config or ServerConfig()
        self._numbers = itertools.count(1)
        self._sessions: dict[int, Session] = {}
        self._strangers = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._state: wire.Loading | wire.Ready = wire.Loading(Progress(Stage.LOAD))
        self._statistics: wire.Statistics | None = None

    def tell(self, news: wire.AboutWorker) -> None:
        """Pass the news on to everybody, and the latest to those who come later. `Fatal` is the last that is said; who
        then comes again with a job has the worker started anew."""
        if isinstance(news, wire.Statistics):
            self._statistics = news
        elif not isinstance(news, wire.Fatal):
            self._state = news
        for session in self._sessions.values():
            session.send(news)
            if isinstance(news, wire.Fatal):
                session.hang_up()

    @asynccontextmanager
    async def running(self, listening: socket.socket, queue: SupervisedQueue) -> AsyncIterator[None]:
        """Serve while the block lasts. Then everybody is told that the worker leaves, and hung up on."""

        def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._serve((reader, writer), queue), name="connection")
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        listening.setblocking(False)
        server = await asyncio.start_server(welcome, sock=listening)
        beating = asyncio.create_task(self._beat(), name="heartbeat")
        try:
            yield
        finally:
            server.close()
            for session in self._sessions.values():
                session.send(wire.Leaving())
            tasks = {beating, *self._connections}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._config.beat_seconds)
            for session in self._sessions.values():
                session.remind(wire.Heartbeat())

    async def _serve(self, streams: Streams, queue: SupervisedQueue) -> None:
        """One connection, from its beginning to its end."""
        number = next(self._numbers)
        try:
            if await self._lets_in(number, streams):
                await self._attend(number, streams, queue)
        except wire.ProtocolError as error:
            log.warning("connection %d makes no sense: %s", number, error)
        except ConnectionError:
            pass  # it has gone
        finally:
            await close_stream(streams[1], self._config.grace_seconds)

    async def _lets_in(self, number: int, streams: Streams) -> bool:
        if self._strangers >= self._config.max_strangers or len(self._sessions) >= self._config.max_sessions:
            log.warning("connection %d found no place: there are too many", number)
            return False
        self._strangers += 1
        try:
            async with asyncio.timeout(self._config.handshake_seconds):
                reason: Reason | None = await admit(*streams, self._secret)
        except TimeoutError:
            log.warning("connection %d did not introduce itself in time", number)
            return False
        finally:
            self._strangers -= 1
        if reason is not None:
            log.warning("connection %d was refused: %s", number, reason)
        return reason is None and len(self._sessions) < self._config.max_sessions

    async def _attend(self, number: int, streams: Streams, queue: SupervisedQueue) -> None:
        session = Session(number, streams, queue, self._config.frame_seconds)
        session.send(self._state)
        if self._statistics:
            session.send(self._statistics)
        self._sessions[number] = session
        log.info("connection %d has begun", number)
        try:
            await session.run()
        finally:
            del self._sessions[number]
            log.info("connection %d has ended", number)
