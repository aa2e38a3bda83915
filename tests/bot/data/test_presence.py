"""Several bots on one database: what one runs is its own, what one that is gone left is gone on with, once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from database_statements import execute
from history_builders import APPLICATION, an_ask, an_interrogation
from sqlalchemy import text

from bot.connection import UnreachableDatabaseError
from bot.database import Database
from bot.history import History, TakenOverError
from bot.models import State
from bot.presence import STALE_SECONDS, present

CHILDREN = Path(__file__).with_name("history_children.py")


@contextmanager
def another_bot(url: str) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A process that uses the database, its number, and a row that it works on."""
    child = subprocess.Popen([sys.executable, CHILDREN, "stay", url], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        owner, row = map(int, child.stdout.readline().split())
        yield child, owner, row
    finally:
        child.kill()
        child.communicate()


async def state_of(history: History, row: int) -> State:
    entry = await history.get(row)
    assert entry is not None
    return entry.state


async def test_what_another_bot_works_on_is_left_to_it_until_it_is_killed(url: str) -> None:
    async with Database.open(url) as database, present(url) as presence:
        history = History(database, owner=presence.owner)
        own = await history.add(an_ask())
        with another_bot(url) as (child, owner, row):
            assert await history.owners() == {presence.owner, owner}
            assert await presence.gone(await history.owners()) == frozenset()

            child.kill()
            async with asyncio.timeout(30):
                while not (gone := await presence.gone(await history.owners())):  # noqa: ASYNC110  a server needs a moment
                    await asyncio.sleep(0.01)

            assert gone == {owner}
            unfinished, expired = await history.take_up(gone, APPLICATION)
            assert ([one.id for one in unfinished], expired) == ([row], 0)
            assert await history.owners() == {presence.owner}
            await history.finish(row, an_interrogation())
            assert [await state_of(history, one) for one in (own, row)] == [State.QUEUED, State.DONE]


async def test_who_leaves_is_gone_and_so_is_who_was_never_there(url: str) -> None:
    async with Database.open(url), present(url) as first:
        async with present(url) as second:
            assert await first.gone({first.owner, second.owner}) == frozenset()
            assert await second.gone({first.owner, second.owner, None, 7}) == {None, 7}
        assert await first.gone({first.owner, second.owner}) == {second.owner}


async def test_of_many_that_take_up_the_same_rows_each_row_has_one(url: str) -> None:
    async with Database.open(url) as database:
        rows = await History(database, owner=1).add_all([an_ask() for _ in range(30)])
        takers = [History(database, owner=owner) for owner in range(2, 8)]
        taken = await asyncio.gather(*(taker.take_up({1}, APPLICATION) for taker in takers))
        assert sorted(one.id for unfinished, _ in taken for one in unfinished) == rows


async def test_who_was_taken_for_gone_writes_no_more_and_the_other_s_answer_stays(url: str) -> None:
    async with Database.open(url) as database:
        slow, next_one = History(database, owner=1), History(database, owner=2)
        row = await slow.add(an_ask())
        await next_one.take_up({1}, APPLICATION)
        moves = [
            lambda: slow.start(row),
            lambda: slow.requeue(row),
            lambda: slow.keep_answer(row, an_interrogation(prompt="late")),
            lambda: slow.finish(row, an_interrogation(prompt="late")),
            lambda: slow.fail(row, "internal", "late"),
        ]
        for move in moves:
            with pytest.raises(TakenOverError):
                await move()
        await next_one.finish(row, an_interrogation(prompt="in time"))
        for move in moves:
            with pytest.raises(TakenOverError):
                await move()
        entry = await next_one.get(row)
        assert entry is not None
        assert (entry.state, entry.prompt, entry.error_kind) == (State.DONE, "in time", None)


async def test_what_another_application_left_is_left_to_it_until_it_is_too_late(url: str) -> None:
    async with Database.open(url) as database:
        row = await History(database, owner=1).add(an_ask(application_id=1))
        history = History(database, owner=2)
        assert await history.take_up({1}, APPLICATION) == ([], 0)
        assert await state_of(history, row) is State.QUEUED
        async with database.transaction() as session:
            await session.execute(text("UPDATE interrogations SET token_ends_at = '2026-01-01 00:00:00+00:00'"))
        assert await history.take_up({1}, APPLICATION) == ([], 1)
        assert await state_of(history, row) is State.EXPIRED


async def test_rows_of_before_there_were_owners_belong_to_nobody(url: str) -> None:
    async with Database.open(url) as database, present(url) as presence:
        history = History(database, owner=presence.owner)
        row = await history.add(an_ask())
        async with database.transaction() as session:
            await session.execute(text("UPDATE interrogations SET owner = NULL"))
        gone = await presence.gone(await history.owners())
        unfinished, _ = await history.take_up(gone, APPLICATION)
        assert (gone, [one.id for one in unfinished]) == ({None}, [row])


async def test_a_server_that_was_restarted_is_told_again_who_is_there(postgresql_url: str) -> None:
    """Its connections are cut, as a restart does."""
    others = "datname = current_database() AND pid != pg_backend_pid()"
    async with Database.open(postgresql_url), present(postgresql_url) as first, present(postgresql_url) as second:
        await execute(postgresql_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        async with asyncio.timeout(30):
            while await first.gone({second.owner}) != {second.owner}:  # noqa: ASYNC110  a server needs a moment
                await asyncio.sleep(0.01)
        assert await second.gone({first.owner}) == frozenset()
        assert await first.gone({second.owner}) == frozenset()


async def test_a_server_that_is_gone_is_said(postgresql_database: str) -> None:
    nowhere = f"{postgresql_database.rpartition('/')[0]}/nowhere"
    with pytest.raises(UnreachableDatabaseError, match="cannot be asked"):
        async with present(nowhere):
            pass


async def test_nothing_is_left_beside_the_database(sqlite_url: str) -> None:
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    async with Database.open(sqlite_url):
        async with present(sqlite_url):
            (ours,) = folder.glob("*.running")
            killed, starting = folder / "history.db.1.running", folder / "history.db.2.running"
            killed.touch()
            starting.touch()
            long_ago = time.time() - 2 * STALE_SECONDS
            for old in (ours, killed):
                os.utime(old, (long_ago, long_ago))
            async with present(sqlite_url):
                assert not killed.exists()
                assert ours.exists()
                assert starting.exists()
        assert list(folder.glob("*.running")) == [starting]
