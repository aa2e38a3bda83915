"""What the doctor says of a database. It makes and changes none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.doctor import storage
from bot.doctor.findings import Finding, Level
from bot.doctor.storage import check_database
from bot.migrate import schema_state, upgrade


async def of(url: str) -> Finding:
    """What is said of the database itself."""
    return next(finding for finding in await check_database(url) if finding.name == "database")


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def scribble(path: Path) -> None:
    """Overwrite two pages in the middle."""
    change(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    page = int.from_bytes(data[16:18], "big")
    data[2 * page : 4 * page] = b"\xa5" * (2 * page)
    path.write_bytes(data)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A database of the newest schema."""
    file = tmp_path / "history.db"
    await upgrade(f"sqlite:///{file}")
    return file


async def test_one_that_is_not_there_yet_is_no_fault_and_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "var" / "history.db"
    finding = await of(f"sqlite:///{file}")
    assert finding.level is Level.OK
    assert "made at the first start" in finding.text
    assert not file.parent.exists()


async def test_one_of_the_newest_schema_is_well(path: Path) -> None:
    finding = await of(f"sqlite:///{path}")
    assert finding.level is Level.OK
    assert (await schema_state(f"sqlite:///{path}")).pending == ()
    assert "the newest" in finding.text


async def test_migrations_that_wait_are_named_and_not_applied(path: Path) -> None:
    change(path, "UPDATE alembic_version SET version_num = '0001'")
    finding = await of(f"sqlite:///{path}")
    assert finding.level is Level.WARNING
    assert "0002" in finding.text
    assert "python -m bot migrate" in finding.advice
    assert (await schema_state(f"sqlite:///{path}")).current == "0001"


async def test_one_of_a_newer_bot_fails(path: Path) -> None:
    change(path, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer version" in (await of(f"sqlite:///{path}")).text


async def test_an_empty_one_is_filled_at_the_first_start(tmp_path: Path) -> None:
    (tmp_path / "history.db").touch()
    finding = await of(f"sqlite:///{tmp_path}/history.db")
    assert (finding.level, "first start" in finding.text) == (Level.OK, True)
    assert [file.name for file in tmp_path.iterdir()] == ["history.db"]  # noqa: ASYNC240
    assert (tmp_path / "history.db").stat().st_size == 0


@pytest.mark.parametrize("content", [b"no database, but a letter", b"SQLite format 3\0" + b"\xff" * 4000])
async def test_what_is_no_database_fails(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "history.db").write_bytes(content)
    finding = await of(f"sqlite:///{tmp_path}/history.db")
    assert finding.level is Level.FAILURE
    assert finding.advice
    assert (tmp_path / "history.db").read_bytes() == content


async def test_a_damaged_one_fails(path: Path) -> None:
    scribble(path)
    finding = await of(f"sqlite:///{path}")
    assert finding.level is Level.FAILURE
    assert "damaged" in finding.text


async def test_one_that_another_process_holds_is_said_to_be_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        finding = await of(f"sqlite:///{path}")
    assert finding.level is Level.WARNING
    assert "locked by another process" in finding.text


async def test_a_server_that_answers_is_well(postgresql_url: str) -> None:
    assert (await of(postgresql_url)).level is Level.OK
    await upgrade(postgresql_url)
    finding = await of(postgresql_url)
    assert (finding.level, "the newest" in finding.text) == (Level.OK, True)


async def test_a_server_that_does_not_answer_fails_without_its_password(unused_tcp_port: int) -> None:
    pytest.importorskip("asyncpg", reason="asyncpg is not installed: nothing is tried on PostgreSQL")
    [finding] = await check_database(f"postgresql://bot:hunter2@127.0.0.1:{unused_tcp_port}/history")
    assert finding.level is Level.FAILURE
    assert "hunter2" not in str(finding)
