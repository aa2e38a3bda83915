"""The database: reachable, whole, of which schema, and whether it may be written."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.connection import DatabaseError, parse_url, sqlite_path
from bot.doctor.findings import Finding, failure, ok, warning
from bot.doctor.machine import check_space, existing
from bot.migrate import schema_state

NAME = "database"
LOCK_SECONDS = 5.0
SERVER_SECONDS = 15.0
RESTORE = "Stop the bot and put a backup in its place, or save what can be saved: sqlite3 FILE .recover"


async def check_database(url: str) -> list[Finding]:
    """Nothing is made or changed; a SQLite file that is not there yet is no fault."""
    path = sqlite_path(parse_url(url))
    if path is None:
        shown = make_url(url).render_as_string(hide_password=True)
        return [await _schema(url, shown)]
    findings = [check_space("data folder", path.parent, "the history")]
    if not path.exists():
        return [*findings, ok(NAME, f"{path} is made at the first start")]
    if trouble := _unusable(path):
        return [*findings, trouble]
    if path.stat().st_size == 0:  # asked for its schema it would become a database
        return [*findings, ok(NAME, f"{path} is empty; its tables are made at the first start")]
    trouble = await asyncio.to_thread(_damage, path)
    return [*findings, trouble or await _schema(url, str(path))]


def _unusable(path: Path) -> Finding | None:
    if not path.is_file():
        return failure(NAME, f"{path} is no file", "Move it away, or set another database_url.")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(existing(path.parent), os.W_OK | os.X_OK):
        return failure(
            NAME,
            f"{path} or its folder cannot be written",
            "Give the bot's user the right to: SQLite writes beside it.",
        )
    return None


def _damage(path: Path) -> Finding | None:
    """What SQLite itself says of the file, and whether somebody holds it."""
    try:
        with closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
            if found := list(_faults(connection)):
                return failure(NAME, f"{path} is damaged: {found[0]}", RESTORE)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return warning(
                NAME,
                f"{path} has been locked by another process for {LOCK_SECONDS:g} s",
                "Find out which: a backup or an editor of databases that has it open? lsof FILE",
            )
        return failure(NAME, f"{path} cannot be used: {error}", "See to the disk and its rights, or restore a backup.")
    except sqlite3.DatabaseError as error:
        return failure(NAME, f"{path} is no database, or a damaged one: {error}", RESTORE)
    return None


def _faults(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check(5)"):
        if line != "ok":
            yield str(line)


async def _schema(url: str, shown: str) -> Finding:
    try:
        async with asyncio.timeout(SERVER_SECONDS):
            state = await schema_state(url)
    except TimeoutError:
        return failure(NAME, f"{shown} does not answer", "Start the database server, or set another database_url.")
    except DatabaseError as error:
        return failure(NAME, str(error), "Set database_url, or see to the database.")
    if state.newer:
        return failure(
            NAME,
            f"{shown} is of a newer version of the bot (revision {state.current})",
            "Install that version, or set another database_url.",
        )
    if state.current is None:
        return ok(NAME, f"{shown} is empty; its tables are made at the first start")
    if state.pending:
        return warning(
            NAME,
            f"{shown}: schema {state.current}, and {len(state.pending)} to follow ({', '.join(state.pending)})",
            "The next start applies them, or do it now: python -m bot migrate",
        )
    return ok(NAME, f"{shown}: whole, schema {state.current}, the newest")
