"""The bot as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from asking import PATIENCE
from discord_interactions import Asked
from discord_stub import TOKEN, DiscordStub

HERE = Path(__file__).parent
LAUNCHER = HERE / "run_against_stub.py"
DATABASE = "interrogator.db"
SCRIPTED = ("--pipeline", "pipelines:scripted")  # options for a worker that loads no models


class BotProcess:
    """A running bot, in a session of its own as in a terminal. What it logs is in `log`, line by line."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self._process = process
        self._reader = asyncio.create_task(self._read())
        self._news = asyncio.Event()

    @classmethod
    async def start(
        cls, discord_url: str, folder: Path, *options: str, token: str = TOKEN, level: str = "INFO", **more: str
    ) -> BotProcess:
        """A bot that keeps its files in `folder`; `options` are of the launcher, `more` are settings by their names."""
        settings = {"TOKEN": token, "DATA_DIR": str(folder), "LOG_LEVEL": level, "MAX_IMAGE_BYTES": str(2**20)}
        settings |= {name.upper(): value for name, value in more.items()}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(LAUNCHER), discord_url, *options),
            cwd=folder,
            env=environment(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return cls(process, folder)

    @classmethod
    @asynccontextmanager
    async def running(cls, discord_url: str, folder: Path, *options: str, **more: str) -> AsyncIterator[BotProcess]:
        """As `start`; it is killed where the block is left."""
        bot = await cls.start(discord_url, folder, *options, **more)
        try:
            yield bot
        finally:
            if bot._process.returncode is None:
                os.killpg(bot.pid, signal.SIGKILL)
            await bot.end()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the bot alone, as a service manager does."""
        self._process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to all its processes, as a terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    async def end(self) -> int:
        """The exit status, once it has ended and all that it wrote is read."""
        async with asyncio.timeout(PATIENCE):
            status = await self._process.wait()
            await self._reader
            return status

    async def until_connected(self) -> None:
        """Return once Discord has greeted the bot."""
        await self.until_logged("has connected to Gateway")

    async def until_logged(self, text: str) -> None:
        """Return once a line of the log contains this; fails where the bot ends before."""
        async with asyncio.timeout(PATIENCE):
            while not any(text in line for line in self.log):
                assert not self._reader.done(), "\n".join(self.log)
                self._news.clear()
                await self._news.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def workers(self) -> list[int]:
        """The ids of the processes that it has started and that run."""
        return [pid for pid in self.processes() if pid != self.pid]

    def processes(self) -> list[int]:
        """The ids of all its processes that run: it and the worker."""
        return processes_of(self._process.pid)

    async def until_state(self, state: str, rows: int = 1) -> None:
        """Return once so many rows are in this state."""
        async with asyncio.timeout(PATIENCE):
            while [row["state"] for row in self.rows()].count(state) < rows:  # noqa: ASYNC110  another process writes
                await asyncio.sleep(0.02)

    def rows(self) -> Sequence[dict[str, Any]]:
        """The history, oldest first; empty before there is one."""
        return self.query("SELECT * FROM interrogations ORDER BY id")

    def row_of(self, asked: Asked) -> dict[str, Any]:
        """The one row of an interaction."""
        (row,) = [row for row in self.rows() if row["interaction_id"] == asked.id]
        return row

    async def ended(self, asked: Asked) -> dict[str, Any]:
        """The one row of an interaction, once it is there and has ended: what is told is told before it is stored."""

        def has_ended() -> bool:
            return any(row["interaction_id"] == asked.id and row["finished_at"] for row in self.rows())

        async with asyncio.timeout(PATIENCE):
            while not has_ended():  # noqa: ASYNC110  another process writes
                await asyncio.sleep(0.02)
        return self.row_of(asked)

    def query(self, statement: str) -> list[dict[str, Any]]:
        """What the database says, as another process sees it."""
        with closing(sqlite3.connect(self.folder / DATABASE, timeout=10)) as connection, connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement)]

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.log.append(line.decode().rstrip("\n"))
            self._news.set()
        self._news.set()


@asynccontextmanager
async def own_bot(folder: Path, *options: str, **settings: str) -> AsyncIterator[tuple[DiscordStub, BotProcess]]:
    """A Discord and a connected bot for one test."""
    async with DiscordStub.running() as stub, BotProcess.running(stub.url, folder, *options, **settings) as bot:
        await bot.until_connected()
        yield stub, bot


async def printed_by(discord_url: str, folder: Path, *options: str, **settings: str) -> tuple[int, str, str]:
    """A command that ends by itself: its exit status, what it prints and what it logs."""
    known = {"token": TOKEN, "data_dir": str(folder), **settings}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(LAUNCHER), discord_url, *options),
        cwd=folder,
        env=environment({name.upper(): value for name, value in known.items()}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        printed, log = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode(), log.decode()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process with these settings, and none of the developer's own."""
    cache = "INTERROGATOR_CACHE"  # the tests' own
    known = {name: value for name, value in os.environ.items() if name == cache or not name.startswith("INTERROGATOR_")}
    return {**known, **{f"INTERROGATOR_{name}": value for name, value in settings.items()}}


def processes_of(session: int) -> list[int]:
    """The ids of all processes of a session that run."""
    return [pid for pid, state, theirs in _processes() if theirs == session and state != "Z"]


def _processes() -> list[tuple[int, str, int]]:
    """The id, state and session of every process (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, _group, session = path.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        found.append((int(path.parent.name), state, int(session)))
    return found
