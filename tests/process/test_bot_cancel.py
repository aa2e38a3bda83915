"""The button Cancel: its asker alone stops the picture, wherever it is on its way."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pipelines
import pytest
from bot_process import SCRIPTED, BotProcess, own_bot
from discord_interactions import Asked
from discord_stub import BOB_ID, DiscordStub, Upload

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")

CANCELLED = "This was cancelled."


async def until_it_can_be_cancelled(asked: Asked) -> None:
    await asked.until(lambda: bool(asked.original and asked.original.components))


async def cancelled(stub: DiscordStub, asked: Asked) -> None:
    assert asked.original is not None
    pressed = await stub.press("Cancel", asked.original)
    assert CANCELLED in (await asked.refusal()).content
    assert pressed.responded is not None
    assert pressed.everything == []


async def test_a_picture_is_cancelled_by_its_asker_alone_while_it_runs_and_while_it_waits(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        running = await stub.interrogate(Upload("a.png", pipelines.WAITS))
        await until_it_can_be_cancelled(running)
        waiting = await stub.interrogate(Upload("b.png", b"a dog"))
        await until_it_can_be_cancelled(waiting)
        told = await stub.use("queue")
        await told.until(lambda: bool(told.original and "Yours: next" in told.original.content))
        assert told.original is not None
        assert "**1** waiting, **1** being answered" in told.original.content
        assert "2 of them are yours" in told.original.content
        button = running.original
        assert button is not None

        refused = await (await stub.press("Cancel", button, by=BOB_ID)).refusal()
        assert "Only the person who asked" in refused.content
        assert refused.ephemeral

        await cancelled(stub, waiting)
        await cancelled(stub, running)

        for asked in (waiting, running):
            row = await bot.ended(asked)
            assert (row["state"], row["error_kind"]) == ("cancelled", "cancelled")
            assert CANCELLED in row["error_message"]
            assert (row["interaction_token"], row["image_url"]) == (None, None)
        assert (await (await stub.interrogate(Upload("c.png", b"a cat"))).answer()).embeds


@pytest.mark.parametrize("command", ["analyze", "compare"])
async def test_an_inquiry_is_cancelled_by_its_asker_alone(tmp_path: Path, command: str) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        asked = await stub.use_on(command, Upload("a.png", pipelines.WAITS))
        await until_it_can_be_cancelled(asked)
        button = asked.original
        assert button is not None

        refused = await (await stub.press("Cancel", button, by=BOB_ID)).refusal()
        assert "Only the person who asked" in refused.content

        await cancelled(stub, asked)
        assert "ended already" in (await (await stub.press("Cancel", button)).refusal()).content
        assert bot.query("SELECT * FROM interrogations") == []
        assert (await (await stub.use_on("analyze", Upload("c.png", b"a cat"))).answer()).embeds


async def test_an_inquiry_that_a_stop_interrupts_says_so(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED, drain_seconds="0") as (stub, bot):
        asked = await stub.use_on("analyze", Upload("a.png", pipelines.WAITS))
        await until_it_can_be_cancelled(asked)
        bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        assert asked.original is not None
        assert "ask this again" in asked.original.content
        assert asked.original.components == []


async def test_a_picture_is_cancelled_before_the_next_bot_has_read_it(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        asked = await stub.interrogate(Upload("a.png", pipelines.WAITS))
        await until_it_can_be_cancelled(asked)
        bot.tell(signal.SIGKILL)
        await bot.end()
        stub.downloads.clear()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            await next_bot.until_logged("is gone on with")
            assert asked.original is not None
            pressed = await stub.press("Cancel", asked.original)
            await pressed.until(lambda: pressed.responded is not None)
            stub.downloads.set()
            assert CANCELLED in (await asked.refusal()).content
            assert (await next_bot.ended(asked))["state"] == "cancelled"
