"""Databases for the tests: a SQLite file, and PostgreSQL where a server answers."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.database import Database
from bot.history import History

SERVER = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/made on demand/history.db"


@pytest.fixture
async def postgresql_url() -> AsyncIterator[str]:
    """An empty database of our own on the server, dropped at the end."""
    pytest.importorskip("asyncpg", reason="asyncpg is not installed: nothing is tried on PostgreSQL")
    name = f"interrogator_test_{uuid.uuid4().hex}"
    server = create_async_engine(SERVER, isolation_level="AUTOCOMMIT")
    try:
        try:
            async with server.connect() as connection:
                await connection.execute(text(f"CREATE DATABASE {name}"))
        except (OSError, DBAPIError) as error:
            pytest.skip(f"no PostgreSQL at {SERVER}, nothing is tried on it: {error}")
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        async with server.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        await server.dispose()


@pytest.fixture(params=["sqlite_url", "postgresql_url"], ids=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Each supported database, empty."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as opened:
        yield opened


@pytest.fixture
def history(database: Database) -> History:
    return History(database)
