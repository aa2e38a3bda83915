"""SQL for a database server itself, outside any transaction."""

from __future__ import annotations

from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine


async def execute(url: str | URL, *statements: str) -> None:
    """One after another."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
