"""Bring the database to the schema of the code: at every start, and by `python -m bot migrate`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError

from bot.connection import (
    NewerDatabaseError,
    NotADatabaseError,
    UnreachableDatabaseError,
    connect_engine,
    parse_url,
    prepare_file,
    sqlite_path,
)

# Alembic's `op` and `context` are globals of the process.
_alembic = threading.Lock()
LOCK_SECONDS = 120
_POSTGRESQL_LOCK = 0x696E7465_72726F67  # "interrog"


def config_for(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the scripts of the installed package `migrations`, on an open connection if given."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revision of a database (None: there are no tables), those that it lacks, oldest first, and whether it is of a
    newer version of the bot, of which nothing is known here."""

    current: str | None
    pending: tuple[str, ...]
    newer: bool = False


async def schema_state(url: str) -> SchemaState:
    """Looked up; nothing is changed. The database must be there. Raises a `bot.connection.DatabaseError`."""
    address = parse_url(url)
    engine = connect_engine(address)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_state)
    except DBAPIError as error:
        raise _explained(error, address) from error
    except OSError as error:
        raise _silent(address, error) from error
    finally:
        await engine.dispose()


async def upgrade(url: str) -> None:
    """Apply the migrations that are missing; nothing to do is quick. Safe when several processes do it at once.

    Runs in a thread of its own, so the event loop goes on. All or nothing: a migration that fails changes nothing.
    Raises a `bot.connection.DatabaseError`.
    """
    await asyncio.to_thread(_upgrade, parse_url(url))


def _upgrade(url: URL) -> None:
    with _alembic, _file_lock(url):
        asyncio.run(_migrate(url))


@contextmanager
def _file_lock(url: URL) -> Iterator[None]:
    """One process at a time makes or changes a SQLite file (a server is locked in the transaction itself)."""
    path = sqlite_path(url)
    if path is None:
        yield
        return
    prepare_file(path)
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout:
        raise UnreachableDatabaseError(
            f"Another process has been changing {path} for {LOCK_SECONDS} seconds."
        ) from None
    except OSError as error:
        raise UnreachableDatabaseError(f"{path.parent} cannot be written to: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


async def _migrate(url: URL) -> None:
    engine = connect_engine(url, for_migration=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_to_head)
    except DBAPIError as error:
        raise _explained(error, url) from error
    except OSError as error:  # asyncpg does not wrap a refused connection
        raise _silent(url, error) from error
    finally:
        await engine.dispose()


def _to_head(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
    config = config_for(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            raise NewerDatabaseError(
                f"The database is of a newer version of the bot (revision {revision}): "
                "install that version, or set another database_url."
            )
    command.upgrade(config, "head")


def _state(connection: Connection) -> SchemaState:
    scripts = ScriptDirectory.from_config(config_for())
    known = [script.revision for script in scripts.walk_revisions()][::-1]
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return SchemaState(None, tuple(known))
    if current not in known:
        return SchemaState(current, (), newer=True)
    return SchemaState(current, tuple(known[known.index(current) + 1 :]))


def _silent(url: URL, error: OSError) -> UnreachableDatabaseError:
    return UnreachableDatabaseError(f"The database server {url.host} does not answer: {error}.")


def _explained(error: DBAPIError, url: URL) -> NotADatabaseError | UnreachableDatabaseError:
    where = url.render_as_string(hide_password=True)
    if any(words in str(error.orig) for words in ("file is not a database", "malformed")):
        return NotADatabaseError(f"{where} is not a database, or a damaged one; restore it or move it away.")
    return UnreachableDatabaseError(f"The database {where} cannot be used: {error.orig}.")
