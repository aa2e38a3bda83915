"""The schema: made on an empty database, changed on a filled one, by one process or several."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from filelock import FileLock
from history_builders import an_ask, an_interrogation
from sqlalchemy import Connection, Inspector, inspect, text
from test_database import child

import migrations
from bot import migrate
from bot.connection import connect_engine, parse_url
from bot.database import Database, NewerDatabaseError
from bot.history import Entry, History
from bot.migrate import config_for, upgrade
from bot.models import Base
from bot.prompt_words import is_a_model_s

REPOSITORY = Path(migrations.__file__).parents[1]
Result = TypeVar("Result")

NEXT = '''
"""Somebody's next change: a column with an index, on a table that is full."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0007"


def upgrade():
    with op.batch_alter_table("interrogations") as table:
        table.add_column(sa.Column("rating", sa.Integer(), nullable=False, server_default="3"))
        table.alter_column("image_name", nullable=True)
        table.create_index("ix_interrogations_rating", ["rating"])


def downgrade():
    with op.batch_alter_table("interrogations") as table:
        table.drop_index("ix_interrogations_rating")
        table.drop_column("rating")
'''
BROKEN = '''
"""A change that loses heart."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0007"


def upgrade():
    op.create_table("ratings", sa.Column("id", sa.Integer(), primary_key=True))
    op.drop_index("ix_interrogations_state", "interrogations")
    op.execute("UPDATE interrogations SET image_name = 'lost'")
    raise RuntimeError("half-way")
'''


async def on_connection(url: str, work: Callable[[Connection], Result]) -> Result:
    engine = connect_engine(parse_url(url), for_migration=True)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_name": is_a_model_s}
    return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def schema(connection: Connection) -> dict[str, Any]:
    look: Inspector = inspect(connection)
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(table)],
            sorted(str(index["name"]) for index in look.get_indexes(table)),
            sorted(str(check["name"]) for check in look.get_check_constraints(table)),
        )
        for table in sorted(look.get_table_names())
    }


async def fill(url: str) -> list[Entry]:
    """Rows of several states; as they are read back."""
    async with Database.open(url) as database:
        history = History(database)
        rows = [await history.add(an_ask(image_name=f"{number}.png")) for number in range(20)]
        for row in rows[::2]:
            await history.finish(row, an_interrogation())
    return await all_of(url, rows)


async def all_of(url: str, rows: list[int]) -> list[Entry]:
    engine = connect_engine(parse_url(url))
    try:
        entries = [await History(Database(engine)).get(row) for row in rows]
    finally:
        await engine.dispose()
    return [entry for entry in entries if entry is not None]


@pytest.fixture
def with_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Our migrations and one more."""

    def add(script: str) -> None:
        scripts = tmp_path / "scripts"
        shutil.copytree(Path(migrations.__file__).parent, scripts, ignore=shutil.ignore_patterns("__pycache__"))
        (scripts / "versions/9999_next.py").write_text(script)
        monkeypatch.setattr(migrate, "files", lambda _package: scripts)

    return add


async def test_an_empty_database_gets_the_schema_of_the_models(url: str) -> None:
    await upgrade(url)
    assert await on_connection(url, differences) == []
    checks = (await on_connection(url, schema))["interrogations"][2]
    assert checks == ["ck_interrogations_secrets_erased_at_the_end", "ck_interrogations_state"]


async def test_upgrading_again_changes_nothing(url: str) -> None:
    filled = await fill(url)
    before = await on_connection(url, schema)
    await upgrade(url)
    assert await on_connection(url, schema) == before
    assert await all_of(url, [entry.id for entry in filled]) == filled


async def test_a_later_migration_keeps_the_rows_of_a_filled_database(
    url: str, with_next: Callable[[str], None]
) -> None:
    filled = await fill(url)
    with_next(NEXT)

    await upgrade(url)

    assert await on_connection(url, revision) == "9999"
    ratings = await on_connection(url, lambda c: c.execute(text("SELECT rating FROM interrogations")).scalars().all())
    assert ratings == [3] * len(filled)
    assert await all_of(url, [entry.id for entry in filled]) == filled


async def test_the_code_of_before_refuses_the_database_of_a_later_migration(
    url: str, with_next: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_next(NEXT)
    await upgrade(url)
    monkeypatch.undo()
    with pytest.raises(NewerDatabaseError, match="revision 9999"):
        await upgrade(url)


async def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(
    url: str, with_next: Callable[[str], None]
) -> None:
    filled = await fill(url)
    before = await on_connection(url, schema)
    with_next(BROKEN)

    with pytest.raises(RuntimeError, match="half-way"):
        await upgrade(url)

    assert await on_connection(url, revision) == "0007"
    assert await on_connection(url, schema) == before
    assert await all_of(url, [entry.id for entry in filled]) == filled


async def test_every_migration_can_be_taken_back_and_applied_again(url: str) -> None:
    await upgrade(url)
    before = await on_connection(url, schema)
    await on_connection(url, lambda connection: command.downgrade(config_for(connection), "base"))
    assert set(await on_connection(url, schema)) == {"alembic_version"}
    await upgrade(url)
    assert await on_connection(url, schema) == before


async def test_several_upgrades_in_one_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{number}.db" for number in range(3)] * 2
    await asyncio.gather(*(upgrade(url) for url in urls))
    assert [await on_connection(url, differences) for url in urls] == [[]] * 6


async def test_the_event_loop_goes_on_while_an_upgrade_waits_for_another_process(tmp_path: Path) -> None:
    with FileLock(tmp_path / "history.db.lock"):
        waiting = asyncio.create_task(upgrade(f"sqlite:///{tmp_path}/history.db"))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)  # the loop would not come back from here if it were held
        assert not done
    await waiting
    assert await on_connection(f"sqlite:///{tmp_path}/history.db", differences) == []


async def test_an_upgrade_that_waits_too_long_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0)
    with (
        FileLock(tmp_path / "history.db.lock"),
        pytest.raises(migrate.UnreachableDatabaseError, match="Another process"),
    ):
        await upgrade(f"sqlite:///{tmp_path}/history.db")


def test_processes_that_start_at_once_make_one_schema(url: str) -> None:
    children = [child("upgrade", url, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    for process in children:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in children:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in children]
    assert errors == ["", "", ""]
    assert asyncio.run(on_connection(url, differences)) == []


def test_the_migrations_are_found_from_any_directory(tmp_path: Path) -> None:
    program = "import asyncio; from bot.migrate import upgrade; asyncio.run(upgrade('sqlite:///here.db'))"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    assert asyncio.run(on_connection(f"sqlite:///{tmp_path}/here.db", differences)) == []


def test_the_command_line_of_alembic_finds_nothing_left_to_migrate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For developers: alembic.ini and the migrations' own way to the configured database."""
    monkeypatch.setenv("INTERROGATOR_DATA_DIR", str(tmp_path))
    for words in (["upgrade", "head"], ["check"]):
        alembic = [sys.executable, "-m", "alembic", "-c", str(REPOSITORY / "alembic.ini"), *words]
        finished = subprocess.run(alembic, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert finished.returncode == 0, finished.stderr
    assert "No new upgrade operations detected" in finished.stdout
