"""Opening the database: what is made, what is refused and how it is said, what survives."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from history_builders import an_ask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.connection import parse_url
from bot.database import (
    Database,
    DatabaseError,
    NewerDatabaseError,
    NotADatabaseError,
    UnreachableDatabaseError,
    UnsupportedDatabaseError,
)
from bot.history import History
from bot.models import State

CHILDREN = Path(__file__).with_name("history_children.py")


def child(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, CHILDREN, *arguments], text=True, stdout=subprocess.PIPE, **options)


async def pragma(database: Database, name: str) -> object:
    async with database.transaction() as session:
        return await session.scalar(text(f"PRAGMA {name}"))


async def refusal(url: str) -> str:
    with pytest.raises(DatabaseError) as refused:
        async with Database.open(url):
            pass
    return str(refused.value)


async def test_sqlite_makes_its_directory_and_waits_logs_ahead_and_checks_keys(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path}/a/b/history.db") as database:
        assert await pragma(database, "journal_mode") == "wal"
        assert await pragma(database, "foreign_keys") == 1
        assert await pragma(database, "busy_timeout") == 30_000
        assert await pragma(database, "synchronous") == 1  # NORMAL
    assert (tmp_path / "a/b/history.db").stat().st_size > 0


async def test_every_connection_is_set_up_alike(sqlite_url: str) -> None:
    async with Database.open(sqlite_url) as database:

        async def foreign_keys_while_others_are_connected() -> object:
            async with database.transaction() as session:
                found = await session.scalar(text("PRAGMA foreign_keys"))
                await everybody.wait()
                return found

        everybody = asyncio.Barrier(4)
        assert await asyncio.gather(*(foreign_keys_while_others_are_connected() for _ in range(4))) == [1] * 4


async def test_a_block_that_raises_stores_nothing(url: str) -> None:
    async with Database.open(url) as database:
        with pytest.raises(RuntimeError, match="on purpose"):
            async with database.transaction() as session:
                await session.execute(text("INSERT INTO bot_state (key, value) VALUES ('a', 'b')"))
                raise RuntimeError("on purpose")
        async with database.transaction() as session:
            assert await session.scalar(text("SELECT count(*) FROM bot_state")) == 0


@pytest.mark.parametrize("content", [b"not a database", b"\x89PNG\r\n\x1a\n" + bytes(5000)])
async def test_a_file_that_is_not_a_database_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "photo.db"
    file.write_bytes(content)
    with pytest.raises(NotADatabaseError, match=r"photo\.db is not a SQLite database; move it away"):
        async with Database.open(f"sqlite:///{file}"):
            pass
    assert file.read_bytes() == content


async def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "damaged.db"
    async with Database.open(f"sqlite:///{file}"):
        pass
    file.write_bytes(file.read_bytes()[:16] + b"\xff" * 6000)
    with pytest.raises(NotADatabaseError, match="damaged"):
        async with Database.open(f"sqlite:///{file}"):
            pass


async def test_an_empty_file_is_taken_as_a_new_database(tmp_path: Path) -> None:
    file = tmp_path / "empty.db"
    file.touch()
    async with Database.open(f"sqlite:///{file}") as database:
        assert await History(database).add(an_ask()) == 1


async def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be opened: Is a directory" in await refusal(f"sqlite:///{tmp_path}")


async def test_a_database_of_a_newer_bot_is_refused_and_not_touched(url: str) -> None:
    async with Database.open(url) as database, database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabaseError, match=r"newer version of the bot \(revision 9999\): install that version"):
        async with Database.open(url):
            pass


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root:hunter2@host/x", "'mysql' is not supported"),
        ("sqlite+pysqlite:///x.db", "not supported"),
        ("hunter2", "cannot be read"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
    ],
)
async def test_an_address_that_is_not_supported_says_what_is(url: str, words: str) -> None:
    with pytest.raises(UnsupportedDatabaseError) as refused:
        async with Database.open(url):
            pass
    assert words in str(refused.value)
    assert "hunter2" not in str(refused.value)


async def test_a_server_that_does_not_answer_is_said_without_the_password() -> None:
    pytest.importorskip("asyncpg")
    with pytest.raises(UnreachableDatabaseError) as refused:
        async with Database.open("postgresql://alice:hunter2@127.0.0.1:9/x"):
            pass
    assert "127.0.0.1 does not answer" in str(refused.value)
    assert "hunter2" not in str(refused.value)


async def test_a_database_that_is_not_on_the_server_is_said(postgresql_database: str) -> None:
    assert 'database "nowhere" does not exist' in await refusal(f"{postgresql_database.rpartition('/')[0]}/nowhere")


@pytest.mark.parametrize("option", ["connect_timeout=10", "channel_binding=require"])
async def test_an_option_of_another_driver_is_named(option: str) -> None:
    said = await refusal(f"postgresql://alice:hunter2@127.0.0.1:9/x?sslmode=require&{option}")
    assert f"does not know: {option.partition('=')[0]}." in said
    assert "hunter2" not in said


async def test_what_goes_wrong_with_a_row_is_told_without_its_secrets(url: str) -> None:
    async with Database.open(url) as database:
        async with database.transaction() as session:
            await session.execute(text("DROP TABLE prompt_words"))
            await session.execute(text("DROP TABLE interrogations"))
        ask = an_ask(interaction_token="the token", image_url="https://cdn.discordapp.com/x.png?hm=signature")
        with pytest.raises(DBAPIError) as failed:
            await History(database).add(ask)
    assert "interrogations" in str(failed.value)
    assert "the token" not in str(failed.value)
    assert "signature" not in str(failed.value)


async def test_a_server_that_drops_its_connections_is_connected_again(postgresql_url: str) -> None:
    idle = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with Database.open(postgresql_url) as database, Database.open(postgresql_url) as other:
        await History(database).add(an_ask())
        async with other.transaction() as session:
            dropped = (await session.scalars(text(f"SELECT pg_terminate_backend(pid) FROM ({idle}) AS idle"))).all()
        assert True in dropped
        assert await History(database).add(an_ask()) > 0


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///var/x.db", "sqlite+aiosqlite:///var/x.db"),
        ("postgres://u@h/n", "postgresql+asyncpg://u@h/n"),
        ("postgresql://u@h/n?sslmode=require", "postgresql+asyncpg://u@h/n?ssl=require"),
    ],
)
def test_usual_addresses_are_completed(given: str, used: str) -> None:
    assert parse_url(given).render_as_string(hide_password=False) == used


def test_a_bot_killed_while_it_writes_leaves_a_sound_database_with_all_it_had_stored(tmp_path: Path) -> None:
    file = tmp_path / "killed.db"
    with child("write", f"sqlite:///{file}", "0") as writer:
        assert writer.stdout is not None
        stored = [int(writer.stdout.readline()) for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        stored += [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]

    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT id FROM interrogations WHERE state = 'done'").fetchall()
    connection.close()
    assert {row for (row,) in found} >= set(stored)

    async def opened_again() -> None:
        async with Database.open(f"sqlite:///{file}") as database:
            history = History(database)
            assert await history.expire_unfinished(await history.owners()) <= 1
            entry = await history.get(stored[-1])
            assert entry is not None
            assert entry.state is State.DONE

    asyncio.run(opened_again())


def test_two_processes_write_at_once_and_lose_nothing(url: str) -> None:
    writers = [child("write", url, "40") for _ in range(2)]
    rows = [line for writer in writers for line in writer.communicate(timeout=60)[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(set(rows)) == 80
