"""What the bot remembers between runs."""

from __future__ import annotations

import asyncio

from bot.database import Database
from bot.state import get_value, set_value


async def test_nothing_is_remembered_at_first(database: Database) -> None:
    assert await get_value(database, "commands") is None


async def test_the_last_value_of_a_key_is_remembered_and_other_keys_are_not_touched(database: Database) -> None:
    await set_value(database, "commands", "abc")
    await set_value(database, "other", "xyz")
    await set_value(database, "commands", "def")
    assert (await get_value(database, "commands"), await get_value(database, "other")) == ("def", "xyz")


async def test_a_value_outlives_the_process_that_set_it(url: str) -> None:
    async with Database.open(url) as database:
        await set_value(database, "commands", "abc")
    async with Database.open(url) as database:
        assert await get_value(database, "commands") == "abc"


async def test_many_may_set_a_key_at_once(database: Database) -> None:
    values = [str(number) for number in range(20)]
    await asyncio.gather(*(set_value(database, "commands", value) for value in values))
    assert await get_value(database, "commands") in values
