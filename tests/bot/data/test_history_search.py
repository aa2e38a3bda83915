"""Looking for rows of a history: by words, mode and star, and what only their owner may change."""

from __future__ import annotations

import asyncio
import random

import pytest
from alembic import command
from history_builders import ALICE, BOB, CHANNEL, GUILD, an_ask, an_interrogation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from bot.connection import connect_engine, parse_url
from bot.database import Database
from bot.history import History, NotYoursError, Page, UnknownInterrogationError, Viewer, Wanted
from bot.migrate import config_for, upgrade
from bot.prompt_words import MOST_WORDS, words_of
from interrogator.types import Mode

BOB_HERE = Viewer(BOB, GUILD, frozenset({CHANNEL}))
PROMPTS = ("a red fox, soft light", "a Café at night, 8k", "zwei Füchse, oil painting", "狐 の 絵, anime")


async def answered(
    history: History, prompt: str, *, user: int = ALICE, mode: Mode = Mode.FAST, private: bool = False
) -> int:
    row = await history.add(an_ask(user_id=user, mode=mode, private=private))
    await history.finish(row, an_interrogation(prompt=prompt, caption="", mode=mode))
    return row


async def found(history: History, search: str = "", *, viewer: Viewer | None = None, **wanted: object) -> list[int]:
    page = await history.page(ALICE, viewer or Viewer(ALICE), wanted=Wanted(search=search, **wanted), limit=50)
    return [entry.id for entry in page.entries]


@pytest.mark.parametrize(
    ("search", "which"),
    [
        ("fox", [0]),
        ("FOX red", [0]),
        ("fo", [0]),
        ("ox", []),
        ("cafe", [1]),
        ("CAFÉ, night", [1]),
        ("fuchse", [2]),
        ("狐", [3]),
        ("red night", []),
        ("'; DROP TABLE prompt_words; --", []),
        ('fox" OR words : "a', []),
        ("fox* NOT red", []),
        ("8k", [1]),
        ("!!!", []),
        ("  ", [3, 2, 1, 0]),
    ],
)
async def test_a_search_finds_the_prompts_with_all_its_words(history: History, search: str, which: list[int]) -> None:
    rows = [await answered(history, prompt) for prompt in PROMPTS]
    assert await found(history, search) == [rows[place] for place in which]


async def test_captions_are_found_too_and_what_is_not_answered_is_not(history: History) -> None:
    row = await history.add(an_ask())
    await history.finish(row, an_interrogation(prompt="soft light", caption="a lighthouse"))
    await history.add(an_ask(image_name="lighthouse.png"))
    assert await found(history, "lighthouse") == [row]


async def test_nobody_else_s_prompts_are_found(history: History) -> None:
    await answered(history, "a red fox", user=BOB)
    mine = await answered(history, "a red fox")
    await answered(history, "a red fox", private=True)

    assert len(await found(history, "fox")) == 2
    assert await found(history, "fox", viewer=BOB_HERE) == [mine]
    assert await found(history, "fox", viewer=Viewer(BOB, None)) == []


async def test_filters_narrow_a_search(history: History) -> None:
    fast, best = await answered(history, "a fox"), await answered(history, "a fox", mode=Mode.BEST)
    await history.set_starred(fast, ALICE, True)

    assert await found(history, "fox", mode=Mode.BEST) == [best]
    assert await found(history, "fox", starred=True) == [fast]
    assert await found(history, mode=Mode.FAST) == [fast]
    assert await found(history, starred=True, mode=Mode.BEST) == []
    assert await found(history, starred=True, viewer=BOB_HERE) == []


async def test_pages_of_a_search_hold_every_row_once(history: History) -> None:
    rows = [await answered(history, f"a fox {number}") for number in range(7)]
    await answered(history, "a cat")
    wanted, cursor, seen = Wanted(search="fox"), None, []
    while True:
        page: Page = await history.page(ALICE, Viewer(ALICE), wanted=wanted, cursor=cursor, limit=3)
        seen += [entry.id for entry in page.entries]
        if (cursor := page.older) is None:
            break
    assert seen == rows[::-1]
    back = await history.page(ALICE, Viewer(ALICE), wanted=wanted, cursor=page.newer, limit=3)
    assert [entry.id for entry in back.entries] == rows[3:0:-1]


async def test_only_the_owner_stars_or_hides_a_row(history: History) -> None:
    row = await answered(history, "a fox")
    for change in (history.set_starred(row, BOB, True), history.set_private(row, BOB, True, None)):
        with pytest.raises(NotYoursError):
            await change
    await history.set_starred(row, ALICE, True)
    await history.set_private(row, ALICE, True, 5)
    entry = await history.get(row)
    assert entry is not None
    assert (entry.starred, entry.private, entry.message_id) == (True, True, 5)


async def test_a_deleted_row_is_gone_with_its_words(history: History, database: Database) -> None:
    row, other = await answered(history, "a fox"), await answered(history, "a fox too")
    await history.delete(row)

    assert await history.get(row) is None
    assert await found(history, "fox") == [other]
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM prompt_words")) == 1
    for change in (history.delete(row), history.set_starred(row, ALICE, True)):
        with pytest.raises(UnknownInterrogationError):
            await change


async def test_what_was_answered_before_the_migration_is_found_after_it(url: str) -> None:
    async with Database.open(url) as database:
        history = History(database)
        rows = [await answered(history, prompt) for prompt in PROMPTS]

    def back(connection: Connection) -> None:
        command.downgrade(config_for(connection), "0003")

    engine = connect_engine(parse_url(url), for_migration=True)
    async with engine.begin() as connection:
        await connection.run_sync(back)
    await engine.dispose()
    await upgrade(url)

    async with Database.open(url) as database:
        assert await found(History(database), "cafe") == [rows[1]]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5), st.text(max_size=30))
def test_whatever_is_looked_for_what_is_found_has_its_words(
    history_file: tuple[asyncio.Runner, History], prompts: list[str], search: str
) -> None:
    runner, history = history_file
    user = random.Random(repr((prompts, search))).getrandbits(62)

    async def run() -> tuple[list[int], list[int]]:
        rows = [await answered(history, prompt, user=user) for prompt in prompts]
        page = await history.page(user, Viewer(user), wanted=Wanted(search=search), limit=50)
        sought = words_of(search)[:MOST_WORDS]
        have = [all(any(w.startswith(s) for w in words_of(prompt)) for s in sought) for prompt in prompts]
        wanted = [row for row, has in zip(rows, have, strict=True) if has and (sought or not search.strip())]
        return [entry.id for entry in page.entries], wanted[::-1]

    shown, wanted = runner.run(run())
    assert shown[: len(prompts)] == wanted
