"""Several bots on one database: what one runs is not taken for what a killed one left behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from history_builders import an_ask

from bot.database import Database
from bot.history import History
from bot.presence import present

CHILDREN = Path(__file__).with_name("history_children.py")


async def closing_what_is_left(history: History) -> None:
    await history.expire_unfinished()


async def nothing() -> None:
    """Nothing was left behind."""


async def test_the_jobs_of_one_that_runs_are_not_closed_by_the_next(url: str) -> None:
    async with Database.open(url) as database:
        history = History(database)
        async with present(url, nothing) as first:
            row = await history.add(an_ask())
            async with present(url, lambda: closing_what_is_left(history)) as second:
                assert (first, second) == (True, False)
                entry = await history.get(row)
                assert entry is not None
                assert entry.state == "queued"


async def test_who_came_first_may_go_first(url: str) -> None:
    async with Database.open(url):
        first, second = present(url, nothing), present(url, nothing)
        assert await first.__aenter__()
        assert not await second.__aenter__()
        await first.__aexit__(None, None, None)
        async with present(url, nothing) as third:
            assert not third
        await second.__aexit__(None, None, None)
        async with present(url, nothing) as alone:
            assert alone


async def test_of_many_that_come_at_once_one_is_alone_and_it_closes_before_the_others_go_on(url: str) -> None:
    closed: list[int] = []

    async def close() -> None:
        await asyncio.sleep(0.01)
        closed.append(1)

    async def come() -> bool:
        async with present(url, close) as alone:
            assert closed == [1]
            arrived.append(alone)
            if len(arrived) == 5:
                all_there.set()
            await all_there.wait()
            return alone

    arrived: list[bool] = []
    all_there = asyncio.Event()
    async with Database.open(url), asyncio.timeout(30):
        assert sorted(await asyncio.gather(*(come() for _ in range(5)))) == [False] * 4 + [True]


async def test_one_that_was_killed_is_not_there_any_more(url: str) -> None:
    async with Database.open(url):
        child = subprocess.Popen([sys.executable, CHILDREN, "stay", url], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
        try:
            assert child.stdout is not None
            assert (await asyncio.to_thread(child.stdout.readline)).strip() == "here"
            async with present(url, nothing) as alone:
                assert not alone
        finally:
            child.send_signal(signal.SIGKILL)
            child.communicate()
        async with asyncio.timeout(30):
            while True:  # a server needs a moment to see that the connection is gone
                async with present(url, nothing) as alone:
                    if alone:
                        break
                await asyncio.sleep(0.01)


async def test_nothing_is_left_beside_the_database(sqlite_url: str) -> None:
    async with Database.open(sqlite_url), present(sqlite_url, nothing):
        pass
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    assert [path.name for path in folder.glob("*.running")] == []
