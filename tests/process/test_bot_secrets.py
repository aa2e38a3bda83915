"""Whatever goes wrong, neither the log at its most talkative nor a message holds a token, a signature or a path."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pipelines
import pytest
from asking import PATIENCE
from bot_process import DATABASE, SCRIPTED, own_bot
from discord_interactions import Asked
from discord_stub import SIGNATURE, TOKEN, Trouble, Upload

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process writes meanwhile."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def is_told_that_the_history_is_busy(asked: Asked) -> None:
    """Though the answer had to be promised, publicly, before that was known."""
    told = await asked.refusal()
    assert "The history is busy" in told.content
    assert asked.deferred
    assert told.ephemeral
    async with asyncio.timeout(PATIENCE):
        while asked.seen_by_all():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_run_in_which_everything_fails_gives_nothing_away(tmp_path: Path) -> None:
    waits = ("--download-seconds", "0.5", "--busy-seconds", "1.2")
    async with own_bot(tmp_path, *SCRIPTED, *waits, level="DEBUG") as (stub, bot):
        for trouble in Trouble:
            await (await stub.interrogate(Upload("a.png", b"a cat" * 100, trouble=trouble))).refusal()
        for image in (pipelines.RAISES, pipelines.UNREADABLE, pipelines.DIES):
            asked = await stub.interrogate(Upload("a.png", image))
            await asked.refusal()
            await bot.ended(asked)  # it is told before it is stored
        with locked(tmp_path / DATABASE):
            await is_told_that_the_history_is_busy(await stub.interrogate(Upload("a.png", b"a cat")))
        stub.loses = lambda _edit: True
        lost = await stub.interrogate(Upload("a.png", b"a cat"))
        await bot.until_logged(f"interaction {lost.id}: the answer could not be shown")
        stub.loses = lambda _edit: False
        await bot.ended(lost)
        bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        secrets = [TOKEN, SIGNATURE, *(each.token for each in stub.asked)]
        assert [line for line in bot.log if any(secret in line for secret in secrets)] == []
        told = [message.content for each in stub.asked for message in each.everything]
        assert [text for text in told if any(word in text for word in (*secrets, str(tmp_path), "Traceback"))] == []
        assert [row for row in bot.rows() if row["interaction_token"] or row["image_url"]] == []


async def test_a_token_in_the_text_of_a_library_s_error_is_blotted_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the text of a connection that timed out, which names the address with all that it holds."""
    sitecustomize = tmp_path / "sitecustomize.py"
    sitecustomize.write_text(
        "import sys\n"
        "async def converse(interaction, question):\n"
        "    address = f'https://discord.com/api/v10/webhooks/{interaction.application_id}/{interaction.token}'\n"
        "    raise TimeoutError(f'Connection timeout to host {address} for {question.pictures[0].url}')\n"
        "if any('run_against_stub' in word for word in sys.orig_argv):\n"
        "    import bot.conversation\n"
        "    bot.conversation.converse = converse\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}")
    async with own_bot(tmp_path, *SCRIPTED, level="DEBUG") as (stub, bot):
        asked = await stub.interrogate(Upload("a.png", b"a cat"))
        told = await asked.refusal()
        reference = told.content.split("`")[1]
        await bot.until_logged(reference)
        await bot.until_logged("Connection timeout to host")
        assert asked.token not in "\n".join(bot.log)
        assert SIGNATURE not in "\n".join(bot.log)
