"""The database of the bot, opened once by `main` and passed to whoever needs it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.connection import (
    AbsentDatabaseError,
    BusyDatabaseError,
    DatabaseError,
    NewerDatabaseError,
    NotADatabaseError,
    UnreachableDatabaseError,
    UnsupportedDatabaseError,
    connect_engine,
    parse_url,
    trouble_of,
)
from bot.migrate import upgrade
from bot.models import InterrogationRow

__all__ = [
    "AbsentDatabaseError",
    "BusyDatabaseError",
    "Database",
    "DatabaseError",
    "NewerDatabaseError",
    "NotADatabaseError",
    "UnreachableDatabaseError",
    "UnsupportedDatabaseError",
]

log = logging.getLogger(__name__)


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
        """Return once the database has answered. Raises as `transaction`, or what SQLAlchemy does where it does not."""
        async with self.transaction() as session:
            await session.execute(select(InterrogationRow.id).limit(1))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Everything in the block is stored together when it ends, or not at all when it raises.

        Raises BusyDatabaseError or AbsentDatabaseError where that is what is the matter.
        """
        try:
            async with self._sessions.begin() as session:
                yield session
        except (SQLAlchemyError, OSError) as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            log.warning("the history: %s", getattr(error, "orig", None) or type(error).__name__)
            raise trouble from error
