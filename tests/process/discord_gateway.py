"""The websocket of the stand-in for Discord: greets, identifies, acknowledges heartbeats and pushes events."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum

from aiohttp import WSMsgType, web
from asking import PATIENCE
from discord_payloads import Json, guild, ready

HEARTBEAT_MILLISECONDS = 1000  # Discord's is about 41 s; shorter, so that a test sees some
WRONG_TOKEN = 4004  # close code


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


@dataclass
class Session:
    """What was sent to a bot since it identified, in order: what it has missed is sent again when it resumes."""

    id: str
    sent: list[Json] = field(default_factory=list)  # the sequence number of each is its place, from 1

    def next(self, event: str, data: object) -> Json:
        self.sent.append({"op": Op.DISPATCH, "d": data, "s": len(self.sent) + 1, "t": event})
        return self.sent[-1]


class Connection:
    """A websocket that speaks `zlib-stream`: one compressed stream, flushed after each message."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._compressor = zlib.compressobj()

    async def send(self, message: Json) -> None:
        """Send it; lost where the other side has gone."""
        body = json.dumps({"s": None, "t": None, **message}).encode()
        with suppress(ConnectionError):
            await self.socket.send_bytes(self._compressor.compress(body) + self._compressor.flush(zlib.Z_SYNC_FLUSH))


class Gateway:
    """What every connection of the bot has in common; the latest one is pushed to."""

    def __init__(self, token: str) -> None:
        self.identified: list[Json] = []
        self.resumed = 0
        self.heartbeats = 0
        self.mute = False  # what is sent then gets lost, and is sent again when the bot resumes
        self.silent = False  # says nothing to a bot that connects
        self.kept_waiting = 0
        self._token = token
        self._session = Session("")
        self._connection: Connection | None = None
        self._changed = asyncio.Condition()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """A connection from its HELLO to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(socket)
        if self.silent:
            await self._note_one_that_waits()
        else:
            await connection.send({"op": Op.HELLO, "d": {"heartbeat_interval": HEARTBEAT_MILLISECONDS}})
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._receive(connection, message.json(), f"ws://{request.host}/gateway")
        finally:
            async with self._changed:
                if self._connection is connection:
                    self._connection = None
                self._changed.notify_all()
        return socket

    async def push(self, event: str, data: Json) -> None:
        """Send an event to the bot, once it is connected."""
        connection = await self._connected()
        message = self._session.next(event, data)
        if not self.mute:
            await connection.send(message)

    async def close(self, code: int) -> None:
        """End the bot's connection, as Discord does now and then."""
        connection = await self._connected()
        await connection.socket.close(code=code)

    async def ask_to_reconnect(self) -> None:
        """Tell the bot to come back over another connection, as Discord does before it closes one."""
        connection = await self._connected()
        await connection.send({"op": Op.RECONNECT, "d": None})

    async def invalidate(self) -> None:
        """Tell the bot that its session is over: it must identify again, and what was sent meanwhile is lost."""
        connection = await self._connected()
        await connection.send({"op": Op.INVALID_SESSION, "d": False})

    async def until_connected(self) -> None:
        """Return once a bot is there that events reach."""
        await self._connected()

    async def until_resumed(self) -> None:
        """Return once the bot has come back to the session it had."""
        await self._until(lambda: self.resumed > 0)

    async def until_one_waits(self) -> None:
        """Return once a bot has connected to whom nothing is said."""
        await self._until(lambda: self.kept_waiting > 0)

    async def until_identified(self, count: int) -> None:
        """Return once so many sessions have begun."""
        await self._until(lambda: len(self.identified) >= count)

    async def until_heartbeats(self, count: int) -> None:
        """Return once so many have come."""
        await self._until(lambda: self.heartbeats >= count)

    async def _note_one_that_waits(self) -> None:
        async with self._changed:
            self.kept_waiting += 1
            self._changed.notify_all()

    async def _connected(self) -> Connection:
        await self._until(lambda: self._connection is not None)
        assert self._connection is not None
        return self._connection

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)

    async def _receive(self, connection: Connection, message: Json, url: str) -> None:
        match Op(message["op"]):
            case Op.HEARTBEAT:
                await connection.send({"op": Op.HEARTBEAT_ACK, "d": None})
                async with self._changed:
                    self.heartbeats += 1
                    self._changed.notify_all()
            case Op.IDENTIFY | Op.RESUME if message["d"]["token"] != self._token:
                await connection.socket.close(code=WRONG_TOKEN)
            case Op.IDENTIFY:
                await self._welcome(connection, message["d"], url)
            case Op.RESUME if message["d"]["session_id"] != self._session.id:
                await connection.send({"op": Op.INVALID_SESSION, "d": False})
            case Op.RESUME:
                await self._go_on(connection, message["d"]["seq"])
            case unexpected:
                raise AssertionError(f"a bot does not send {unexpected!r}")

    async def _welcome(self, connection: Connection, identity: Json, url: str) -> None:
        self.identified.append(identity)
        self._session = Session(f"session-{len(self.identified)}")
        session = self._session
        await connection.send(session.next("READY", ready(url, session.id, identity["shard"])))
        await connection.send(session.next("GUILD_CREATE", guild()))
        await self._take(connection)

    async def _go_on(self, connection: Connection, seen: int) -> None:
        """Send what the bot has not seen of its session."""
        self.resumed += 1
        for missed in self._session.sent[seen:]:
            await connection.send(missed)
        await connection.send(self._session.next("RESUMED", {}))
        await self._take(connection)

    async def _take(self, connection: Connection) -> None:
        async with self._changed:
            self._connection = connection
            self._changed.notify_all()
