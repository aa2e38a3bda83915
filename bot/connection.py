"""How the database is reached: its address, the engine, and what each connection is set to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, NullPool, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from interrogator.errors import InterrogatorError

SQLITE = "sqlite+aiosqlite"
POSTGRESQL = "postgresql+asyncpg"
_DRIVERS = {
    "sqlite": SQLITE,
    SQLITE: SQLITE,
    "postgres": POSTGRESQL,
    "postgresql": POSTGRESQL,
    POSTGRESQL: POSTGRESQL,
}
_POSTGRESQL_OPTIONS = frozenset(
    {"host", "port", "passfile", "prepared_statement_cache_size", "ssl", "target_session_attrs"}
)
BUSY_SECONDS = 30
# In the words of SQLite, and in PostgreSQL's states and classes of states.
_BUSY = ("database is locked", "table is locked", "schema is locked")
_BUSY_STATES = frozenset({"40001", "40P01", "53300", "55P03"})
_ABSENT = (
    "disk I/O error",
    "disk is full",
    "unable to open database",
    "readonly database",
    "image is malformed",
    "closed",
)
_ABSENT_STATES = ("08", "53", "57P", "58")
_SQLITE_MAGIC = b"SQLite format 3\0"


class DatabaseError(InterrogatorError):
    """The history database cannot be used as it is. The sentence says what to do about it."""

    kind = "database"


class UnsupportedDatabaseError(DatabaseError):
    """The address names a database, or a driver, that the bot does not work with."""


class NotADatabaseError(DatabaseError):
    """Where the SQLite database should be there is something else, or a damaged file."""


class UnreachableDatabaseError(DatabaseError):
    """The database cannot be opened: no server, no permission, no driver."""


class NewerDatabaseError(DatabaseError):
    """The database was written by a later version of the bot."""


class BusyDatabaseError(DatabaseError):
    """Others have held the database for longer than a statement waits."""

    kind = "database_busy"

    def __init__(self) -> None:
        super().__init__("The history is busy at the moment. Please try again in a minute.")


class AbsentDatabaseError(DatabaseError):
    """The database does not answer, or cannot be written: its server or its disk is in trouble."""

    kind = "database_absent"

    def __init__(self) -> None:
        super().__init__(
            "The history cannot be used at the moment. Please try again later, or tell whoever runs this bot."
        )


def parse_url(url: str) -> URL:
    """The address with the driver that the bot uses (`sqlite:///x` and `postgres://...` are completed).

    Raises `UnsupportedDatabaseError`. Its text never contains a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnsupportedDatabaseError(
            "The database address cannot be read; it should look like sqlite:///var/interrogator.db "
            "or postgresql://user:password@host/name."
        ) from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise UnsupportedDatabaseError(
            f"The database {parsed.drivername!r} is not supported; use sqlite:///FILE or postgresql://USER@HOST/NAME."
        )
    if driver == SQLITE and parsed.database in {None, "", ":memory:"}:
        raise UnsupportedDatabaseError("The database must be a file: the history would be lost with the process.")
    if driver == POSTGRESQL and "sslmode" in parsed.query:  # libpq's word; asyncpg's is ssl
        parsed = parsed.update_query_dict({"ssl": parsed.query["sslmode"]}).difference_update_query(["sslmode"])
    if driver == POSTGRESQL and (unknown := parsed.query.keys() - _POSTGRESQL_OPTIONS):
        raise UnsupportedDatabaseError(
            f"The database address has options that the bot does not know: {', '.join(sorted(unknown))}. "
            f"It knows {', '.join(sorted(_POSTGRESQL_OPTIONS))} and sslmode."
        )
    return parsed.set(drivername=driver)


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite database; None for a database server."""
    return Path(url.database) if url.drivername == SQLITE and url.database is not None else None


def prepare_file(path: Path) -> None:
    """Make the directory of a SQLite file and check that what is there, if anything, can be a database.

    Raises `NotADatabaseError`, `UnreachableDatabaseError`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:  # the mode also tells whether the file may be written
            file.seek(0)
            head = file.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise UnreachableDatabaseError(f"The database {path} cannot be opened: {error.strerror}.") from error
    if head not in {b"", _SQLITE_MAGIC}:
        raise NotADatabaseError(f"{path} is not a SQLite database; move it away or set another database_url.")


def connect_engine(url: URL, *, for_migration: bool = False) -> AsyncEngine:
    """An engine for a URL of `parse_url`; opens nothing yet. The caller disposes of it.

    For a migration SQLite checks no foreign keys (a table that is rebuilt would take its dependants with it) and each
    transaction takes the write lock at its beginning.
    """
    options: dict[str, Any] = {"poolclass": NullPool} if for_migration else {}
    if url.drivername == POSTGRESQL and not for_migration:
        options["pool_pre_ping"] = True  # the server may have been restarted since a connection was last used
    try:
        # The parameters are hidden from the text of an error: interaction tokens are among them.
        engine = create_async_engine(url, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise UnreachableDatabaseError(
            f"The database needs the package {error.name}; install it: pip install 'interrogator-bot[postgres]'."
        ) from error
    if url.drivername == SQLITE:
        _set_up_sqlite(engine, for_migration=for_migration)
    return engine


def trouble_of(error: Exception) -> DatabaseError | None:
    """What an error of a statement means for whoever asked; None where it is a mistake of ours, such as wrong SQL."""
    if isinstance(error, PoolTimeoutError):
        return BusyDatabaseError()
    if isinstance(error, OSError):  # asyncpg does not wrap a refused or lost connection
        return AbsentDatabaseError()
    if not isinstance(error, DBAPIError):
        return None
    text, state = str(error.orig), str(getattr(error.orig, "sqlstate", None) or "")
    if state in _BUSY_STATES or any(words in text for words in _BUSY):
        return BusyDatabaseError()
    absent = state.startswith(_ABSENT_STATES) or any(words in text for words in _ABSENT)
    return AbsentDatabaseError() if absent or error.connection_invalidated else None


def _set_up_sqlite(engine: AsyncEngine, *, for_migration: bool) -> None:
    """Settings of each connection, and transactions that begin when SQLAlchemy says so.

    The driver by itself begins a transaction only before INSERT, UPDATE or DELETE: a migration that fails half-way
    would leave its CREATE TABLE behind (SQLAlchemy documentation, "Transactions with SQLite").
    """
    begin = "BEGIN IMMEDIATE" if for_migration else "BEGIN"
    foreign_keys = "OFF" if for_migration else "ON"

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        # The time to wait comes first: changing the journal mode may itself have to wait.
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute(f"PRAGMA foreign_keys = {foreign_keys}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
