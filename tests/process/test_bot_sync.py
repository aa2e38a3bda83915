"""`python -m bot sync` against a stand-in for Discord: the difference first, and only that is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import discord
import discord.http
import pytest
from bot_process import printed_by
from discord_stub import TOKEN, DiscordStub

from bot.client import InterrogatorBot
from bot.commands.catalogue import COMMANDS
from bot.database import Database
from bot.history import History
from bot.settings import Settings
from bot.state import set_value
from bot.sync import EXIT_DIFFERENT, KEY, sync, sync_if_changed
from interrogator.queue.local import LocalQueue

NAMES = sorted(command.name for command in COMMANDS)
Said = pytest.CaptureFixture[str]


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordStub]:
    async with DiscordStub.running() as running:
        monkeypatch.setattr(discord.http.Route, "BASE", f"{running.url}/api/v10")
        yield running


@pytest.fixture
async def known(stub: DiscordStub, capsys: Said) -> DiscordStub:
    """A Discord that knows our commands."""
    assert await sync(TOKEN, dry_run=False) == 0
    capsys.readouterr()
    stub.registrations.clear()
    return stub


async def test_many_commands_are_written_in_one_request(stub: DiscordStub, capsys: Said) -> None:
    assert await sync(TOKEN, dry_run=False) == 0
    assert stub.portal.names() == NAMES
    assert (len(stub.registrations), stub.portal.written) == (1, [])
    said = capsys.readouterr().out
    assert all(f"{command.name} added" in said for command in COMMANDS)


async def test_nothing_is_written_where_nothing_differs(known: DiscordStub, capsys: Said) -> None:
    assert await sync(TOKEN, dry_run=False) == 0
    assert (known.registrations, known.portal.written) == ([], [])
    assert "as they are; nothing is written" in capsys.readouterr().out


async def test_few_changes_are_written_one_by_one_and_the_rest_is_left_alone(known: DiscordStub, capsys: Said) -> None:
    known.portal.forget_commands("history")
    known.portal.command("help")["description"] = "Of another version"
    known.portal.know({"name": "imagine", "type": 1, "description": "Of another time"})
    untouched = dict(known.portal.command("interrogate"))

    assert await sync(TOKEN, dry_run=False) == 0

    assert known.registrations == []
    assert known.portal.written == ["POST history", "POST help", "DELETE imagine"]
    assert known.portal.names() == NAMES
    assert known.portal.command("interrogate") == untouched
    said = capsys.readouterr().out
    assert '    description: "Of another version" -> ' in said
    assert "- /imagine removed" in said
    assert await sync(TOKEN, dry_run=True) == 0


async def test_a_dry_run_shows_the_difference_and_writes_nothing(known: DiscordStub, capsys: Said) -> None:
    known.portal.forget_commands("history")
    assert await sync(TOKEN, dry_run=True) == EXIT_DIFFERENT
    assert (known.registrations, known.portal.written) == ([], [])
    assert "history" not in known.portal.names()
    assert "+ /history added" in capsys.readouterr().out


async def test_a_dry_run_without_a_difference_ends_well(known: DiscordStub) -> None:
    assert await sync(TOKEN, dry_run=True) == 0


async def test_a_token_that_is_not_accepted_is_a_sentence_and_status_1(stub: DiscordStub, tmp_path: Path) -> None:
    status, out, log = await printed_by(stub.url, tmp_path, "--command", "sync", token="expired")
    assert (status, out) == (1, "")
    assert "does not accept the token" in log
    assert "Traceback" not in log


async def test_a_dry_run_as_a_process_ends_with_3_and_touches_no_file(stub: DiscordStub, tmp_path: Path) -> None:
    status, out, _ = await printed_by(stub.url, tmp_path, "--command", "sync", "--dry-run")
    assert status == EXIT_DIFFERENT
    assert out.count("added") == len(COMMANDS)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240


async def test_a_start_asks_and_writes_only_where_the_commands_are_others_than_last_time(
    known: DiscordStub, tmp_path: Path
) -> None:
    async with Database.open(f"sqlite:///{tmp_path}/bot.db") as database:
        async with InterrogatorBot(Settings(data_dir=tmp_path), LocalQueue(), History(database)) as bot:
            await bot.login(TOKEN)
            known.portal.command("help")["description"] = "Of another version"
            assert await sync_if_changed(bot, database)
            assert known.portal.written == ["POST help"]
            known.portal.command("help")["description"] = "Of yet another version"
            assert not await sync_if_changed(bot, database)
            await set_value(database, KEY, "of another version")
            assert await sync_if_changed(bot, database)
            await set_value(database, KEY, "of another version")
            assert not await sync_if_changed(bot, database)
        assert known.portal.written == ["POST help", "POST help"]
        assert known.registrations == []
