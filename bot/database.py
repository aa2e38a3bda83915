"""The database of the bot, opened once by `main` and passed to whoever needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.connection import (
    DatabaseError,
    NewerDatabaseError,
    NotADatabaseError,
    UnreachableDatabaseError,
    UnsupportedDatabaseError,
    connect_engine,
    parse_url,
)
from bot.migrate import upgrade
from bot.models import InterrogationRow

__all__ = [
    "Database",
    "DatabaseError",
    "NewerDatabaseError",
    "NotADatabaseError",
    "UnreachableDatabaseError",
    "UnsupportedDatabaseError",
]


class Database:
    """An open database whose schema is the code's own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self.dialect = engine.dialect.name

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        """Migrate to the newest schema, then connect. SQLite: the file and its directory are made.

        `url` as in `bot.connection.parse_url`. Raises a `DatabaseError` with a sentence for whoever runs the bot.
        """
        await upgrade(url)
        engine = connect_engine(parse_url(url))
        try:
            yield cls(engine)
        finally:
            await engine.dispose()

    async def check(self) -> None:
        """Return once the database has answered. Raises what SQLAlchemy or the connection does where it does not."""
        async with self.transaction() as session:
            await session.execute(select(InterrogationRow.id).limit(1))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Everything in the block is stored together when it ends, or not at all when it raises."""
        async with self._sessions.begin() as session:
            yield session
