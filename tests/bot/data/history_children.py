"""Programs that tests run as processes of their own: `python history_children.py NAME URL [ARGUMENT]`."""

from __future__ import annotations

import asyncio
import sys

from history_builders import an_ask, an_interrogation

from bot.database import Database
from bot.history import History
from bot.migrate import upgrade
from bot.presence import present


async def upgrade_at_a_signal(url: str) -> None:
    """Say that all is imported, wait for a line, migrate."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    await upgrade(url)


async def write(url: str, count: int) -> None:
    """Add and finish rows, saying the id of each once it is stored; 0 is for ever."""
    async with Database.open(url) as database:
        history = History(database)
        written = 0
        while written < count or count == 0:
            row = await history.add(an_ask())
            await history.finish(row, an_interrogation(prompt="a long prompt, " * 200))
            written += 1
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()


async def stay(url: str) -> None:
    """Be one of those that use the database, with a row; say the number of both, and never end."""
    async with Database.open(url) as database, present(url) as presence:
        row = await History(database, owner=presence.owner).add(an_ask())
        sys.stdout.write(f"{presence.owner} {row}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    name, url, *rest = sys.argv[1:]
    programs = {"upgrade": upgrade_at_a_signal, "stay": stay}
    asyncio.run(programs[name](url) if name in programs else write(url, int(rest[0])))
