"""Which processes use a database now: what one that is gone left unfinished is taken up, what another runs is not.

A process is there as long as it holds a lock: a file beside a SQLite database, an advisory lock of a session on
PostgreSQL. Both go with the process however it ends, at once, and no clock is asked. Its rows carry its number
(`bot.models.InterrogationRow.owner`), so a row whose owner's lock is free belongs to nobody. A pooler between the bot
and PostgreSQL must leave each connection its session.
"""

from __future__ import annotations

import asyncio
import glob
import secrets
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from sqlalchemy import URL, BigInteger, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.connection import UnreachableDatabaseError, connect_engine, parse_url, sqlite_path

OWNER_BITS = 62  # of a number that no other process will have had; it fits a bigint and is never 0 or below

STALE_SECONDS = 3600  # after which a lock file that nobody holds is of no process that is just starting

_TAKE = text("SELECT pg_try_advisory_lock(:owner)").bindparams(bindparam("owner", type_=BigInteger()))
_HELD = text(
    """
    SELECT owner FROM (
        SELECT (classid::bigint << 32) | objid::bigint AS owner FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS held WHERE owner IN :owners
    """
).bindparams(bindparam("owners", expanding=True, type_=BigInteger()))


class Presence(Protocol):
    """This process among those that use the database. `owner` is its number."""

    owner: int

    async def gone(self, owners: Collection[int | None]) -> frozenset[int | None]:
        """Those of the processes that are not there any more; None, of rows that say nothing, is not there.

        Ask after processes that are known by their rows: who has one, has been there before. Raises
        UnreachableDatabaseError where the others cannot be asked after.
        """


def present(database_url: str) -> AbstractAsyncContextManager[Presence]:
    """Count this process among those that use the database, until the block ends or the process does, however it ends.

    The database must have been opened once: its file, or its server, is there.
    Raises UnreachableDatabaseError where it cannot be reached.
    """
    url = parse_url(database_url)
    path = sqlite_path(url)
    owner = 1 + secrets.randbits(OWNER_BITS)
    return _on_server(url, owner) if path is None else _beside(path, owner)


class _Beside:
    """By a locked file of each process beside the database."""

    def __init__(self, path: Path, owner: int) -> None:
        self._path = path
        self.owner = owner

    async def gone(self, owners: Collection[int | None]) -> frozenset[int | None]:
        return frozenset(owner for owner in owners if owner != self.owner and (owner is None or self._is_gone(owner)))

    def lock_of(self, owner: int) -> FileLock:
        """The lock that the process holds. It may be released by another thread than took it."""
        return FileLock(self._path.with_name(f"{self._path.name}.{owner:016x}.running"), thread_local=False)

    def _is_gone(self, owner: int) -> bool:
        lock = self.lock_of(owner)
        if not Path(lock.lock_file).exists():
            return True
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        _remove(lock)
        return True


@asynccontextmanager
async def _beside(path: Path, owner: int) -> AsyncIterator[Presence]:
    presence = _Beside(path, owner)
    lock = presence.lock_of(owner)
    try:
        _remove_stale(path)
        lock.acquire(blocking=False)
    except OSError as error:
        raise UnreachableDatabaseError(f"{path.parent} cannot be written to: {error.strerror}.") from error
    try:
        yield presence
    finally:
        _remove(lock)


def _remove_stale(path: Path) -> None:
    """The files of processes that were killed and are of no row any more."""
    for file in path.parent.glob(f"{glob.escape(path.name)}.*.running"):
        lock = FileLock(file, thread_local=False)
        try:
            if time.time() - file.stat().st_mtime > STALE_SECONDS:
                lock.acquire(blocking=False)
                _remove(lock)
        except (Timeout, FileNotFoundError):  # of one that runs, or removed by another
            continue


def _remove(lock: FileLock) -> None:
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


class _OnServer:
    """By an advisory lock that each process's own connection holds, outside of any transaction."""

    def __init__(self, url: URL, owner: int) -> None:
        self._engine = connect_engine(url, for_migration=True)
        self._connection: AsyncConnection | None = None
        self._asking = asyncio.Lock()
        self.owner = owner

    async def gone(self, owners: Collection[int | None]) -> frozenset[int | None]:
        others = [owner for owner in owners if owner is not None and owner != self.owner]
        async with self._asking:
            try:
                there = await self._there(others)
            except (DBAPIError, OSError):  # a server that was restarted has forgotten this process too
                there = await self._there_after_all(others)
        return frozenset(owners) - there - {self.owner}

    async def close(self) -> None:
        """Be there no longer."""
        if self._connection is not None:
            await self._connection.close()
        await self._engine.dispose()

    async def come(self) -> None:
        """Take the lock, on a new connection."""
        if self._connection is not None:
            await self._connection.invalidate()
        connection = await self._engine.connect()
        self._connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await self._connection.execute(_TAKE, {"owner": self.owner})

    async def _there(self, others: list[int]) -> set[int]:
        assert self._connection is not None
        return set((await self._connection.scalars(_HELD, {"owners": others})).all())

    async def _there_after_all(self, others: list[int]) -> set[int]:
        try:
            await self.come()
            return await self._there(others)
        except (DBAPIError, OSError) as error:
            raise UnreachableDatabaseError(f"The database server cannot be asked: {error}.") from error


@asynccontextmanager
async def _on_server(url: URL, owner: int) -> AsyncIterator[Presence]:
    presence = _OnServer(url, owner)
    try:
        try:
            await presence.come()
        except (DBAPIError, OSError) as error:
            raise UnreachableDatabaseError(f"The database server cannot be asked: {error}.") from error
        yield presence
    finally:
        await presence.close()
