"""The websocket of the stand-in for Discord: greets, identifies, acknowledges heartbeats and pushes events."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
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
    HELLO = 10
    HEARTBEAT_ACK = 11


class Connection:
    """A websocket that speaks `zlib-stream`: one compressed stream, flushed after each message."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._compressor = zlib.compressobj()
        self._sequence = 0

    async def send(self, op: Op, data: object = None, event: str | None = None) -> None:
        self._sequence += event is not None
        sequence = self._sequence if event is not None else None
        body = json.dumps({"op": op, "d": data, "s": sequence, "t": event}).encode()
        await self.socket.send_bytes(self._compressor.compress(body) + self._compressor.flush(zlib.Z_SYNC_FLUSH))


class Gateway:
    """What every connection of the bot has in common; the latest one is pushed to."""

    def __init__(self, token: str) -> None:
        self.identified: list[Json] = []
        self.resumed = 0
        self.heartbeats = 0
        self._token = token
        self._session = ""
        self._connection: Connection | None = None
        self._changed = asyncio.Condition()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """A connection from its HELLO to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(socket)
        await connection.send(Op.HELLO, {"heartbeat_interval": HEARTBEAT_MILLISECONDS})
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
        await self._until(lambda: self._connection is not None)
        assert self._connection is not None
        await self._connection.send(Op.DISPATCH, data, event)

    async def close(self, code: int) -> None:
        """End the bot's connection, as Discord does now and then."""
        await self._until(lambda: self._connection is not None)
        assert self._connection is not None
        await self._connection.socket.close(code=code)

    async def until_resumed(self) -> None:
        """Return once the bot has come back to the session it had."""
        await self._until(lambda: self.resumed > 0)

    async def until_heartbeats(self, count: int) -> None:
        """Return once so many have come."""
        await self._until(lambda: self.heartbeats >= count)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)

    async def _receive(self, connection: Connection, message: Json, url: str) -> None:
        match Op(message["op"]):
            case Op.HEARTBEAT:
                await connection.send(Op.HEARTBEAT_ACK)
                async with self._changed:
                    self.heartbeats += 1
                    self._changed.notify_all()
            case Op.IDENTIFY | Op.RESUME if message["d"]["token"] != self._token:
                await connection.socket.close(code=WRONG_TOKEN)
            case Op.IDENTIFY:
                await self._welcome(connection, message["d"], url)
            case Op.RESUME:
                assert message["d"]["session_id"] == self._session
                await connection.send(Op.DISPATCH, {}, "RESUMED")
                self.resumed += 1
                await self._take(connection)
            case unexpected:
                raise AssertionError(f"a bot does not send {unexpected!r}")

    async def _welcome(self, connection: Connection, identity: Json, url: str) -> None:
        self.identified.append(identity)
        self._session = f"session-{len(self.identified)}"
        await connection.send(Op.DISPATCH, ready(url, self._session, identity["shard"]), "READY")
        await connection.send(Op.DISPATCH, guild(), "GUILD_CREATE")
        await self._take(connection)

    async def _take(self, connection: Connection) -> None:
        async with self._changed:
            self._connection = connection
            self._changed.notify_all()
