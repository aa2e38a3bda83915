"""How `python -m bot run` ends, as a process with a stand-in for Discord, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pipelines
import pytest
from asking import alive
from bot_process import SCRIPTED, BotProcess, environment, own_bot
from discord_stub import SIGNATURE, TOKEN, Trouble, Upload
from rude_servers import rude

from bot.conversation import RESTARTING

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")

STOP_SECONDS = 10  # what a container is given by default before it is killed


@pytest.mark.parametrize(
    ("by", "doing"),
    [("SIGTERM", "loading"), ("SIGTERM", "nothing"), ("SIGTERM", "a job"), ("Ctrl-C", "nothing"), ("Ctrl-C", "a job")],
)
async def test_it_stops_when_it_is_told_to(by: str, doing: str, tmp_path: Path) -> None:
    options = () if doing == "loading" else SCRIPTED
    async with own_bot(tmp_path, *options, drain_seconds="0.5") as (stub, bot):
        if doing == "a job":
            asked = await stub.interrogate(Upload("a.png", pipelines.WAITS))
            await bot.until_state("running")
        processes = bot.processes()
        assert len(processes) == 2  # it and its worker
        begun = time.monotonic()
        bot.press_ctrl_c() if by == "Ctrl-C" else bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        assert time.monotonic() - begun < STOP_SECONDS
        assert [pid for pid in processes if alive(pid)] == []
        assert bot.processes() == []
        assert bot.query("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        assert "Traceback" not in "\n".join(bot.log)
        if doing == "a job":
            assert bot.row_of(asked)["state"] == "queued"
            (message,) = asked.messages()
            assert message.content == RESTARTING


async def test_ctrl_c_while_it_is_still_being_imported_is_quiet(tmp_path: Path) -> None:
    """A stand-in for the slow import presses Ctrl-C in the middle of it."""
    (tmp_path / "discord.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    command = [sys.executable, "-m", "bot", "demo", "--no-browser"]
    paths = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    settings = {"DATA_DIR": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env={**environment(settings), "PYTHONPATH": paths}, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert (process.returncode, told) == (-signal.SIGINT, b"")


async def test_it_stops_while_discord_keeps_it_waiting_at_the_login(tmp_path: Path) -> None:
    async with rude(silent=True) as address, BotProcess.running(address, tmp_path, *SCRIPTED) as bot:
        await bot.until_logged("logging in")
        bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        assert "Traceback" not in "\n".join(bot.log)
        assert bot.processes() == []


async def test_it_stops_while_it_comes_back_to_a_discord_that_says_nothing(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        stub.gateway.silent = True
        await stub.gateway.close(4000)
        await stub.gateway.until_one_waits()
        begun = time.monotonic()
        bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        assert time.monotonic() - begun < STOP_SECONDS
        assert "Traceback" not in "\n".join(bot.log)
        assert bot.processes() == []


async def test_a_second_signal_does_not_cut_short_what_it_says_at_the_end(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED, drain_seconds="0") as (stub, bot):
        asked = await stub.interrogate(Upload("a.png", pipelines.WAITS), private=True)
        await bot.until_state("running")
        stub.edits.clear()
        bot.tell(signal.SIGTERM)
        await asked.until_an_edit_waits()
        bot.tell(signal.SIGTERM)
        await bot.until_logged("already stopping")
        stub.edits.set()
        assert await bot.end() == 0
        (message,) = asked.messages()
        assert message.content == RESTARTING
        assert "Traceback" not in "\n".join(bot.log)


async def test_it_stops_in_time_where_discord_does_not_answer(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED, drain_seconds="0") as (stub, bot):
        asked = await stub.interrogate(Upload("a.png", pipelines.WAITS), private=True)
        await bot.until_state("running")
        stub.edits.clear()
        begun = time.monotonic()
        bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        assert time.monotonic() - begun < STOP_SECONDS
        assert bot.row_of(asked)["state"] == "queued"
        assert bot.processes() == []


async def test_a_second_bot_on_the_database_leaves_the_jobs_of_the_first_alone(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        release = tmp_path / "release"
        asked = await stub.interrogate(Upload("a.png", pipelines.HOLDS + str(release).encode()))
        await bot.until_state("running")
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as second:
            await second.until_connected()
            assert bot.row_of(asked)["state"] == "running"
        release.touch()
        await asked.answer()
        assert (await bot.ended(asked))["state"] == "done"


async def test_what_goes_to_no_terminal_has_no_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a container, which discord.py knows by these and takes for a terminal.
    sitecustomize = tmp_path / "sitecustomize.py"
    sitecustomize.write_text("import discord.utils; discord.utils.is_docker = lambda: True")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}")
    async with own_bot(tmp_path, *SCRIPTED) as (_, bot):
        assert [line for line in bot.log if "\x1b" in line] == []
        assert [line for line in bot.log if "alembic" in line] == []


async def test_nothing_that_is_logged_contains_a_secret(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED, level="DEBUG") as (stub, bot):
        await (await stub.interrogate(Upload("a.png", b"a cat"))).answer()
        await (await stub.interrogate(Upload("a.png", b"a cat", trouble=Trouble.MISSING))).refusal()
        await (await stub.interrogate(Upload("a.png", pipelines.RAISES))).refusal()
        bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        assert "interrogation 1: turbo asked by user" in "\n".join(bot.log)
        secrets = [TOKEN, SIGNATURE, *(asked.token for asked in stub.asked)]
        assert [line for line in bot.log if any(secret in line for secret in secrets)] == []
