"""What goes wrong between the bot and the stand-in for Discord, one request at a time."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from random import Random

from aiohttp import web

RETRY_SECONDS = 0.2  # what a bot is told to wait where it has asked too often


class Fault(StrEnum):
    """What becomes of a request."""

    LIMITED = "429"  # not done: to be asked again in a moment
    REFUSED = "502"  # not done
    UNSURE = "504"  # done, and yet the reply is an error
    CUT = "cut before"  # not done: the connection ends
    CUT_LATE = "cut after"  # done, but the connection ends before the reply
    HELD = "held"  # neither done nor replied to before `let_go` is set, after which the connection ends


Choose = Callable[[web.Request], Fault | None]
Work = Callable[[], Awaitable[web.StreamResponse]]


class Chance:
    """A fault at `rate` of the requests, which one depends on the seed alone, and how often each there was."""

    def __init__(self, seed: str, rate: float) -> None:
        self.counts: dict[str, int] = {}
        self._random = Random(seed)
        self._rate = rate

    def __call__(self, request: web.Request) -> Fault | None:
        """For everything that interactions ask for, and for files, which cannot be limited."""
        if self._random.random() >= self._rate:
            return None
        if "/attachments/" in request.path:
            fault = self._random.choice((Fault.REFUSED, Fault.CUT))
        elif "/interactions/" in request.path or "/webhooks/" in request.path:
            fault = self._random.choice((Fault.LIMITED, Fault.REFUSED, Fault.UNSURE, Fault.CUT, Fault.CUT_LATE))
        else:
            return None
        self.counts[fault] = self.counts.get(fault, 0) + 1
        return fault


async def strike(fault: Fault, request: web.Request, work: Work) -> web.StreamResponse:
    """The response that there is in place of the work's, and the work where it is done all the same."""
    match fault:
        case Fault.LIMITED:
            await _read(request)
            return too_many()
        case Fault.REFUSED:
            await _read(request)
            return web.Response(status=502, text="Bad Gateway")
        case Fault.UNSURE:
            await work()
            return web.Response(status=504, text="Gateway Timeout")
        case Fault.CUT_LATE:
            await work()
        case Fault.CUT | Fault.HELD:
            await _read(request)
    return hang_up(request)


async def _read(request: web.Request) -> None:
    """All of it, as far as the bot is still there."""
    with suppress(ConnectionError):
        await request.read()


def too_many(seconds: float = RETRY_SECONDS) -> web.Response:
    """As Discord words it; without `Via` discord.py takes it for a ban."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
    headers = {"Content-Type": "application/json", "Via": "1.1 google", "Retry-After": "1"}
    return web.Response(body=json.dumps(body).encode(), status=429, headers=headers)


def hang_up(request: web.Request) -> web.Response:
    """End the connection; what is returned reaches nobody."""
    if request.transport is not None:  # else the bot has gone first
        request.transport.close()
    return web.Response()
