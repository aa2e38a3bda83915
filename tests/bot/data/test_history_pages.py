"""Leafing through a history: every row once, in order, and only what the viewer may see."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from history_builders import ALICE, BOB, CHANNEL, GUILD, OTHER_GUILD, an_ask, an_interrogation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event

from bot.database import Database
from bot.history import Ask, Cursor, Direction, Entry, History, Page, Viewer
from bot.models import InterrogationRow, State

BOB_HERE = Viewer(BOB, GUILD, frozenset({CHANNEL, *range(3000)}))  # as many channels as a server may have, and threads


async def done(history: History, ask: Ask) -> int:
    row = await history.add(ask)
    await history.finish(row, an_interrogation())
    return row


def ids(page: Page) -> list[int]:
    return [entry.id for entry in page.entries]


async def own(history: History, *, cursor: Cursor | None = None, limit: int = 5, user: int = ALICE) -> Page:
    return await history.page(user, Viewer(user), cursor=cursor, limit=limit)


async def test_nobody_s_history_is_one_empty_page(history: History) -> None:
    assert await own(history) == Page((), newer=None, older=None)


async def test_the_first_page_is_the_newest_and_the_last_has_nothing_older(history: History) -> None:
    rows = [await history.add(an_ask()) for _ in range(7)]

    first = await own(history)
    assert ids(first) == rows[:1:-1]
    assert first.newer is None
    assert first.older is not None

    last = await own(history, cursor=first.older)
    assert ids(last) == rows[1::-1]
    assert last.older is None

    assert last.newer is not None
    assert await own(history, cursor=last.newer) == first


async def test_a_page_that_is_exactly_full_has_nothing_older(history: History) -> None:
    for _ in range(5):
        await history.add(an_ask())
    assert (await own(history)).older is None


async def test_a_cursor_into_rows_that_are_gone_leads_back_to_those_that_stay(database: Database) -> None:
    history = History(database)
    rows = [await history.add(an_ask()) for _ in range(9)]
    first = await own(history, limit=3)
    middle = await own(history, cursor=first.older, limit=3)

    async def forget(gone: list[int]) -> None:
        async with database.transaction() as session:
            await session.execute(delete(InterrogationRow).where(InterrogationRow.id.in_(gone)))

    await forget(rows[:3])  # what is older than the middle
    empty = await own(history, cursor=middle.older, limit=3)
    assert (ids(empty), empty.older) == ([], None)
    assert ids(await own(history, cursor=empty.newer, limit=3)) == rows[5:2:-1]

    await forget(rows[6:])  # what is newer than the middle
    empty = await own(history, cursor=middle.newer, limit=3)
    assert (ids(empty), empty.newer) == ([], None)
    assert ids(await own(history, cursor=empty.older, limit=3)) == rows[5:2:-1]


async def test_one_sees_all_of_one_s_own_everywhere(history: History) -> None:
    rows = [
        await history.add(an_ask()),
        await done(history, an_ask(private=True)),
        await done(history, an_ask(guild_id=OTHER_GUILD)),
        await done(history, an_ask(guild_id=None)),
    ]
    await history.add(an_ask(user_id=BOB))
    assert ids(await own(history)) == rows[::-1]


async def test_of_another_s_one_sees_what_is_done_and_public_in_the_channels_one_can_read(history: History) -> None:
    public = await done(history, an_ask())
    await done(history, an_ask(private=True))
    await done(history, an_ask(guild_id=OTHER_GUILD))
    await done(history, an_ask(guild_id=None))
    await done(history, an_ask(user_id=BOB))
    await done(history, an_ask(channel_id=CHANNEL + 1))
    await done(history, an_ask(channel_id=None))
    await history.add(an_ask())
    await history.start(await history.add(an_ask()))
    await history.fail(await history.add(an_ask()), "internal", "It broke.")
    await history.fail(await history.add(an_ask()), "cancelled", "This was cancelled.")

    page = await history.page(ALICE, BOB_HERE)

    assert (ids(page), page.newer, page.older) == ([public], None, None)


async def test_outside_guilds_nothing_of_another_is_seen(history: History) -> None:
    await done(history, an_ask(guild_id=None))
    assert ids(await history.page(ALICE, Viewer(BOB))) == []


async def test_another_s_pages_neither_count_nor_link_to_what_is_hidden(history: History) -> None:
    for number in range(12):
        await done(history, an_ask(private=number % 2 == 0))
    first = await history.page(ALICE, BOB_HERE, limit=3)
    second = await history.page(ALICE, BOB_HERE, limit=3, cursor=first.older)
    assert len(first.entries) == len(second.entries) == 3
    assert not any(entry.private for entry in first.entries + second.entries)
    assert (first.newer, second.older) == (None, None)


async def test_a_cursor_of_one_s_own_history_shows_a_stranger_nothing_hidden(history: History) -> None:
    hidden = await done(history, an_ask(private=True))
    cursor = Cursor(Direction.OLDER, hidden + 1)
    page = await history.page(ALICE, BOB_HERE, cursor=cursor)
    assert page == Page((), newer=None, older=None)


new_users = itertools.count(1)
per_example = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(count=st.integers(0, 23), limit=st.integers(1, 7), meanwhile=st.lists(st.integers(0, 2), max_size=6))
@per_example
def test_walking_older_then_newer_visits_every_row_once_in_order_whatever_comes_meanwhile(
    history_file: tuple[asyncio.Runner, History], count: int, limit: int, meanwhile: list[int]
) -> None:
    runner, history = history_file
    user = next(new_users)

    async def walk() -> None:
        arrivals = iter(meanwhile)

        async def others_come() -> list[int]:
            return [await history.add(an_ask(user_id=user)) for _ in range(next(arrivals, 0))]

        there = [await history.add(an_ask(user_id=user)) for _ in range(count)]
        came: list[int] = []

        page = await own(history, user=user, limit=limit)
        seen = list(page.entries)
        while page.older is not None:
            came += await others_come()
            page = await own(history, user=user, cursor=page.older, limit=limit)
            assert page.entries, "a link to an older page led to none"
            seen += page.entries
            assert len(seen) <= count, "the walk goes round"
        assert [entry.id for entry in seen] == there[::-1]

        back: list[Entry] = list(page.entries)
        while page.newer is not None:
            came += await others_come()
            page = await own(history, user=user, cursor=page.newer, limit=limit)
            assert page.entries, "a link to a newer page led to none"
            back = [*page.entries, *back]
            assert len(back) <= count + len(came), "the walk goes round"
        assert [entry.id for entry in back] == (there + came)[::-1]

    runner.run(walk())


@given(
    kinds=st.lists(st.tuples(st.sampled_from([GUILD, OTHER_GUILD, None]), st.booleans(), st.booleans()), max_size=15),
    limit=st.integers(1, 4),
)
@per_example
def test_a_stranger_s_walk_shows_exactly_the_public_answers_of_the_guild(
    history_file: tuple[asyncio.Runner, History], kinds: list[tuple[int | None, bool, bool]], limit: int
) -> None:
    runner, history = history_file
    user = next(new_users)

    async def walk() -> None:
        public = []
        for guild, private, answered in kinds:
            row = await history.add(an_ask(user_id=user, guild_id=guild, private=private))
            if answered:
                await history.finish(row, an_interrogation())
            if guild == GUILD and answered and not private:
                public.append(row)
        seen: list[Entry] = []
        cursor = None
        while True:
            page = await history.page(user, BOB_HERE, cursor=cursor, limit=limit)
            seen += page.entries
            assert len(seen) <= len(public), "the walk goes round"
            cursor = page.older
            if cursor is None:
                break
        assert [entry.id for entry in seen] == public[::-1]
        assert {entry.state for entry in seen} <= {State.DONE}

    runner.run(walk())


async def test_a_page_reads_no_more_of_the_table_than_it_shows(sqlite_url: str) -> None:
    """SQLite's own plan of each query: an index search, nothing scanned, nothing sorted."""
    queries: list[tuple[str, Any]] = []
    async with Database.open(sqlite_url) as database:
        history = History(database)
        async with database.transaction() as session:
            engine = session.get_bind().engine

        @event.listens_for(engine, "before_cursor_execute")
        def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
            if statement.startswith("SELECT"):
                queries.append((statement, parameters))

        for viewer in (Viewer(ALICE), BOB_HERE):
            for cursor in (None, Cursor(Direction.OLDER, 5), Cursor(Direction.NEWER, 5)):
                await history.page(ALICE, viewer, cursor=cursor)
        event.remove(engine, "before_cursor_execute", note)

        assert len(queries) == 10  # with a cursor a second query looks the other way
        async with database.transaction() as session:
            connection = await session.connection()
            for statement, parameters in queries:
                plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
                steps = [row[-1] for row in plan]
                assert len(steps) == 1, steps
                assert steps[0].startswith("SEARCH interrogations USING"), steps
