"""What is stored of a person: all of it is exported, all of it is deleted, and what is old goes by itself."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta

from history_builders import ALICE, BOB, GUILD, an_ask, an_interrogation
from sqlalchemy import text

from bot.database import Database
from bot.guild_rules import GuildRules
from bot.history import History, Viewer
from bot.personal import Personal, as_file
from bot.retention import retention
from bot.rulebook import Rulebook

NOW = datetime(2026, 11, 27, tzinfo=UTC)


async def some_of_everything(database: Database) -> None:
    """Answered, failed and unfinished rows of two people, with stars and counts."""
    history, rulebook = History(database), Rulebook(database)
    for user in (ALICE, BOB):
        for number in range(3):
            row = await history.add(an_ask(user_id=user, private=number == 1))
            await history.finish(row, an_interrogation(prompt=f"a red fox {number}"))
            await history.set_starred(row, user, number == 0)
        await history.fail(await history.add(an_ask(user_id=user)), "deadline", "too late")
        await history.add(an_ask(user_id=user))
        await rulebook.take(GUILD, user, 2, GuildRules(daily_limit=9))


async def test_an_export_holds_all_of_one_s_own_and_no_secret(database: Database) -> None:
    await some_of_everything(database)

    everything = await Personal(database).everything(ALICE)

    assert [row["prompt"] for row in everything["interrogations"][:3]] == [f"a red fox {number}" for number in range(3)]
    assert len(everything["interrogations"]) == 5
    assert {row["user_id"] for row in everything["interrogations"]} == {str(ALICE)}
    assert everything["usage"][0]["pictures"] == 2
    assert everything["settings"] == {"keeps_history": True}
    written = json.dumps(everything)
    assert "a-secret-token" not in written
    assert "cdn.example" not in written


async def test_a_deletion_leaves_nothing_of_one_and_all_of_the_other(database: Database) -> None:
    await some_of_everything(database)
    personal = Personal(database)
    await Rulebook(database).choose_history(ALICE, False)
    before = await personal.everything(BOB)
    assert await personal.count(ALICE) == 5

    assert await personal.delete(ALICE) == 5

    emptied = await personal.everything(ALICE)
    assert (emptied["interrogations"], emptied["usage"]) == ([], [])
    assert emptied["settings"] == {"keeps_history": False}
    after = await personal.everything(BOB)
    assert after["interrogations"] == before["interrogations"]
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM prompt_words")) == 3
        tables = ("interrogations", "usage")
        left = [await session.scalar(text(f"SELECT count(*) FROM {t} WHERE user_id = {ALICE}")) for t in tables]
    assert left == [0, 0]


async def test_more_rows_than_a_batch_are_all_exported_and_deleted(database: Database) -> None:
    personal = Personal(database)
    await History(database).add_all([an_ask()] * 1203)
    everything = await personal.everything(ALICE)
    assert len({row["id"] for row in everything["interrogations"]}) == 1203
    assert await personal.delete(ALICE) == 1203


async def test_what_is_old_goes_and_what_is_unfinished_stays(database: Database) -> None:
    old = History(database, now=lambda: NOW - timedelta(days=31))
    gone, unfinished = await old.add(an_ask()), await old.add(an_ask())
    await old.finish(gone, an_interrogation())
    recent = History(database, now=lambda: NOW - timedelta(days=29))
    await recent.finish(await recent.add(an_ask()), an_interrogation())

    assert await Personal(database, now=lambda: NOW).delete_old(30) == 1

    assert await recent.get(gone) is None
    assert await recent.get(unfinished) is not None
    assert len((await recent.page(ALICE, Viewer(ALICE))).entries) == 2


async def test_the_daily_deletion_goes_on_as_long_as_its_block(database: Database) -> None:
    old = History(database, now=lambda: NOW - timedelta(days=31))
    personal = Personal(database, now=lambda: NOW)

    async def is_gone(row: int) -> None:
        while await old.get(row) is not None:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)

    async with retention(personal, Rulebook(database), 30, period=0.02):
        for _ in range(2):
            row = await old.add(an_ask())
            await old.fail(row, "deadline", "too late")
            await asyncio.wait_for(is_gone(row), 10)
    async with retention(personal, Rulebook(database), 0, period=0.02):
        row = await old.add(an_ask())
        await old.fail(row, "deadline", "too late")
        await asyncio.sleep(0.1)
        assert await old.get(row) is not None


def test_a_file_is_compressed_where_it_must_be_and_refused_where_that_is_not_enough() -> None:
    everything = {"interrogations": ["a red fox"] * 1000}
    plain = as_file(everything, 10**6)
    assert plain is not None
    assert (plain[0], json.loads(plain[1])) == ("interrogator.json", everything)
    packed = as_file(everything, 2000)
    assert packed is not None
    assert (packed[0], json.loads(gzip.decompress(packed[1]))) == ("interrogator.json.gz", everything)
    assert as_file(everything, 20) is None
