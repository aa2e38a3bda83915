"""What the bot remembers between runs: small texts under a key."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from bot.database import Database
from bot.models import BotStateRow


async def get_value(database: Database, key: str) -> str | None:
    """The text under `key`; None where there is none."""
    async with database.transaction() as session:
        return await session.scalar(select(BotStateRow.value).where(BotStateRow.key == key))


async def set_value(database: Database, key: str, value: str) -> None:
    """Put a text under `key` (at most 100 characters), in the place of what was there."""
    insert = postgresql.insert if database.dialect == "postgresql" else sqlite.insert
    statement = insert(BotStateRow).values(key=key, value=value)
    statement = statement.on_conflict_do_update(index_elements=[BotStateRow.key], set_={"value": value})
    async with database.transaction() as session:
        await session.execute(statement)
