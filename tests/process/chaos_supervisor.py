"""The bot of a run of chaos: started again and again, and killed at moments that matter."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from aiohttp import web
from asking import alive
from bot_process import BotProcess
from discord_faults import Fault
from discord_stub import DiscordStub

TRAP_SECONDS = 4.0  # for the bot to do what it is to be killed at
OPTIONS = (
    *("--pipeline", "pipelines:together"),
    *("--queue", "heartbeat_seconds=2", "--queue", "loading_heartbeat_seconds=6", "--queue", "max_backoff_seconds=1"),
)
SETTINGS = {"jobs_per_user": "10", "drain_seconds": "1", "job_seconds": "60"}


class Supervisor:
    """Starts the bot, and starts it again, as a service manager does."""

    def __init__(self, stub: DiscordStub, folder: Path) -> None:
        self.bots: list[BotProcess] = []
        self.stops: list[float] = []  # when each was told to end, on the monotonic clock
        self._stub = stub
        self._folder = folder

    @property
    def bot(self) -> BotProcess:
        """The one that runs."""
        return self.bots[-1]

    async def start(self) -> None:
        """Another one; the one before has ended."""
        self.bots.append(await BotProcess.start(self._stub.url, self._folder, *OPTIONS, **SETTINGS))

    def tell(self, number: signal.Signals) -> None:
        """Let the bot end."""
        self.stops.append(time.monotonic())
        self.bot.tell(number)

    async def end(self, number: signal.Signals) -> int:
        """End it this way. Its exit status."""
        self.tell(number)
        try:
            return await self.bot.end()
        except TimeoutError:
            self.bot.tell(signal.SIGUSR1)  # for the log: where it hangs
            await asyncio.sleep(2)
            raise

    def log(self) -> list[str]:
        """What all of them have logged."""
        return [f"{number}: {line}" for number, bot in enumerate(self.bots) for line in bot.log]

    def left(self) -> list[int]:
        """Processes of bots that have ended."""
        return [pid for bot in self.bots if not alive(bot.pid) for pid in bot.processes()]

    def kill(self) -> None:
        """End every process there is."""
        for bot in self.bots:
            for pid in bot.processes():
                os.kill(pid, signal.SIGKILL)


class Trap:
    """Kills the bot at its next request of a kind, which is done or not: between telling and storing, for example."""

    KINDS = ("progress or answer", "answer", "failure", "end of a failure")

    def __init__(self, random: Random, supervisor: Supervisor) -> None:
        self._random = random
        self._supervisor = supervisor
        self._kind: str | None = None
        self._sprung = asyncio.Event()

    async def spring(self) -> bool:
        """Whether it has killed the bot, before the patience with it was at its end."""
        self._sprung.clear()
        self._kind = self._random.choice(self.KINDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(TRAP_SECONDS):
                await self._sprung.wait()
        self._kind = None
        return self._sprung.is_set()

    def __call__(self, request: web.Request) -> Fault | None:
        """As `discord_faults.Choose`."""
        if self._kind is None or "/webhooks/" not in request.path or not self._is_wanted(request):
            return None
        self._kind = None
        self._supervisor.tell(signal.SIGKILL)
        self._sprung.set()
        return self._random.choice((None, Fault.CUT))

    def _is_wanted(self, request: web.Request) -> bool:
        match self._kind:
            case "answer":  # with its picture
                return request.content_type.startswith("multipart/")
            case "failure":
                return request.method == "POST"
            case "end of a failure":
                return request.method == "DELETE"
            case _:
                return request.method == "PATCH"
