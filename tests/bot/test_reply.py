"""The message of an answer at the moment when the bot is told to stop."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.reply import Content, Reply


class Interaction:
    """Its original response, whose edits are made, though nobody hears of it where the connection is `lost`."""

    id = 1

    def __init__(self, *, lost: bool) -> None:
        self.edits: list[dict[str, Any]] = []
        self.edited = asyncio.Event()
        self._lost = lost

    async def edit_original_response(self, **edit: Any) -> SimpleNamespace:
        self.edits.append(edit)
        self.edited.set()
        if self._lost:
            raise aiohttp.ServerDisconnectedError
        return SimpleNamespace(id=1)


async def remember(_message: int) -> None:
    raise AssertionError("there is no further message")


def answer(_with_files: bool) -> Content:
    return Content(embed=discord.Embed(title="Prompt"))


@pytest.mark.parametrize("ending", ["answer", "failure"])
async def test_what_may_have_been_told_is_not_written_over(ending: str) -> None:
    interaction: Any = Interaction(lost=True)
    reply = Reply(interaction, remember, private=True)
    telling = asyncio.create_task(reply.show(answer) if ending == "answer" else reply.fail("It took too long."))
    await interaction.edited.wait()
    telling.cancel()
    await asyncio.wait([telling])
    told = len(interaction.edits)
    await reply.pause("The bot is restarting.")
    assert len(interaction.edits) == told


async def test_somebody_who_waits_is_told_why() -> None:
    interaction: Any = Interaction(lost=False)
    reply = Reply(interaction, remember, private=True)
    button = discord.ui.View()
    await reply.show_status("Searching", button)
    await reply.pause("The bot is restarting.")
    assert interaction.edits == [
        {"content": "Searching", "view": button},
        {"content": "The bot is restarting.", "view": None},
    ]
