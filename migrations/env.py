"""Alembic runs this. The bot passes its open connection; a developer's `alembic` opens the configured database."""

from __future__ import annotations

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from bot.connection import connect_engine, parse_url
from bot.models import Base
from bot.prompt_words import is_a_model_s
from bot.settings import load_settings


def plain_types(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A new migration names the stored type, not ours: ours may change, a migration never does."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def run(connection: Connection) -> None:
    """Apply what the command asks for, in the transaction that is open or in one of its own."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite changes a table by making a new one
        render_item=plain_types,
        include_name=is_a_model_s,
        transactional_ddl=True,  # true of SQLite too, as `bot.connection` begins its transactions
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    """For the command line of Alembic."""
    engine = connect_engine(parse_url(load_settings().database_url), for_migration=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Migrations need a database: --sql is not supported.")
given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_alone())
else:
    run(given)
