"""Which processes use a database now: what one that is gone left unfinished is taken
up or closed, what another runs is not."""

from __future__ import annotations

import asyncio
import glob
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import text

from bot.connection import UnreachableDatabaseError, connect_engine, parse_url, sqlite_path

GUARD_SECONDS = 120
_POSTGRESQL_LOCK = 0x696E7465_72727573  # "interrus"

WhenAlone = Callable[[], Awaitable[None]]


@asynccontextmanager
async def present(database_url: str, when_alone: WhenAlone) -> AsyncIterator[bool]:
    """Count this process among those that use the database, until the block ends or the process does, however it ends.

    Where no other is there, `when_alone` is awaited before any other can come. Yields whether it was. The database must
    have been opened once: its file, or its server, is there.
    Raises UnreachableDatabaseError where the others cannot be asked after.
    """
    url = parse_url(database_url)
    path = sqlite_path(url)
    if path is not None:
        async with _present_beside(path, when_alone) as alone:
            yield alone
        return
    engine = connect_engine(url)
    try:
        # Held by the connection, outside of any transaction: it goes with the process.
        async with engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            key = {"key": _POSTGRESQL_LOCK}
            alone = bool(await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key))
            try:
                if alone:
                    await when_alone()
                await connection.execute(text("SELECT pg_advisory_lock_shared(:key)"), key)
            finally:
                if alone:
                    await connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
            yield alone
    finally:
        await engine.dispose()


@asynccontextmanager
async def _present_beside(path: Path, when_alone: WhenAlone) -> AsyncIterator[bool]:
    """By a locked file of each process beside the database. Others come one at a time."""
    ours = _lock(path.with_name(f"{path.name}.{secrets.token_hex(8)}.running"))
    guard = _lock(path.with_name(f"{path.name}.lock"))  # the migrations' own
    try:
        await asyncio.to_thread(guard.acquire, timeout=GUARD_SECONDS)
    except Timeout:
        raise UnreachableDatabaseError(f"Another process has been starting on {path} for {GUARD_SECONDS} s.") from None
    try:
        alone = not _others(path)
        if alone:
            await when_alone()
        ours.acquire(blocking=False)
    finally:
        guard.release()
    try:
        yield alone
    finally:
        _remove(ours)


def _others(path: Path) -> bool:
    """Whether a process that runs is there. What those that were killed left is removed."""
    found = False
    for candidate in path.parent.glob(f"{glob.escape(path.name)}.*.running"):
        lock = _lock(candidate)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            found = True
        else:
            _remove(lock)
    return found


def _remove(lock: FileLock) -> None:
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


def _lock(path: Path) -> FileLock:
    """One that may be released by another thread than took it."""
    return FileLock(path, thread_local=False)
