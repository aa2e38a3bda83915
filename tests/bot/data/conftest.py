"""Databases for the tests: a SQLite file, and PostgreSQL where a server answers."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from database_statements import execute
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from bot.database import Database
from bot.history import History

SERVER = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")


def _without_server(reason: str) -> NoReturn:
    """Skip, saying why; where the server is promised (CI sets REQUIRE_SERVICES), fail."""
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/made on demand/history.db"


@pytest.fixture(scope="session")
def postgresql_database() -> Iterator[str]:
    """A database of our own on the server, dropped at the end."""
    pytest.importorskip("asyncpg", reason="asyncpg is not installed: nothing is tried on PostgreSQL")
    name = f"interrogator_test_{uuid.uuid4().hex}"
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        try:
            runner.run(execute(SERVER, f"CREATE DATABASE {name}"))
        except (OSError, DBAPIError) as error:
            _without_server(f"no PostgreSQL at {SERVER}: nothing is tried on it ({error})")
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        runner.run(execute(SERVER, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def postgresql_url(postgresql_database: str) -> str:
    """That database, emptied."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(execute(postgresql_database, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))
    return postgresql_database


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


@pytest.fixture
def history_file(sqlite_url: str) -> Iterator[tuple[asyncio.Runner, History]]:
    """A history in a SQLite file with the loop to use it in, for examples of hypothesis, which are not coroutines."""

    async def opened() -> AsyncIterator[Database]:
        async with Database.open(sqlite_url) as database:
            yield database

    with asyncio.Runner() as runner:
        life = opened()
        yield runner, History(runner.run(anext(life)))
        runner.run(life.aclose())
