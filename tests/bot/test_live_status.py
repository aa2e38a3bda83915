"""Progress edits: the latest counts, not too often, and never after the answer."""

from __future__ import annotations

import asyncio

import discord
import pytest

from bot import reply
from bot.reply import LiveStatus


class Message:
    """Collects what is shown; `slow` edits wait until they are let through."""

    def __init__(self, *, slow: bool = False) -> None:
        self.shown: list[str] = []
        self.second = asyncio.Event()
        self.begun = asyncio.Event()
        self.let_through = asyncio.Event()
        if not slow:
            self.let_through.set()

    async def show(self, text: str) -> None:
        self.begun.set()
        await self.let_through.wait()
        self.shown.append(text)
        if len(self.shown) == 2:
            self.second.set()


async def test_what_changes_while_an_edit_is_under_way_is_skipped_but_for_the_last() -> None:
    message = Message(slow=True)
    async with LiveStatus(message.show, seconds=0) as status:
        status.set("one")
        await message.begun.wait()
        status.set("two")
        status.set("three")
        message.let_through.set()
        await message.second.wait()
    assert message.shown == ["one", "three"]


async def test_the_second_edit_waits_for_its_time() -> None:
    message = Message()
    async with LiveStatus(message.show, seconds=3600) as status:
        status.set("one")
        await message.begun.wait()
        status.set("two")
        for _ in range(20):
            await asyncio.sleep(0)
    assert message.shown == ["one"]


async def test_an_edit_under_way_ends_before_the_block_does() -> None:
    message = Message(slow=True)
    async with LiveStatus(message.show, seconds=0) as status:
        status.set("one")
        await message.begun.wait()
        asyncio.get_running_loop().call_soon(message.let_through.set)
    assert message.shown == ["one"]


async def test_a_block_that_is_cancelled_while_it_waits_for_an_edit_shows_nothing_more() -> None:
    message = Message(slow=True)
    at_its_end = asyncio.Event()

    async def block() -> None:
        async with LiveStatus(message.show, seconds=0) as status:
            status.set("one")
            await message.begun.wait()
            status.set("two")
            at_its_end.set()

    task = asyncio.create_task(block())
    await at_its_end.wait()
    task.cancel()
    await asyncio.wait([task])
    message.let_through.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert "two" not in message.shown


async def test_an_edit_that_does_not_end_does_not_hold_up_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "EDIT_SECONDS", 0.01)
    message = Message(slow=True)
    async with asyncio.timeout(30):
        async with LiveStatus(message.show, seconds=0) as status:
            status.set("one")
            await message.begun.wait()
        message.let_through.set()
        await asyncio.sleep(0)
    assert message.shown == []


async def test_discord_s_refusal_ends_the_progress_not_the_job() -> None:
    class Response:
        status, reason = 404, "Not Found"

    async def refuse(_text: str) -> None:
        raise discord.NotFound(Response(), {"code": 10008, "message": "Unknown Message"})  # type: ignore[arg-type]

    async with LiveStatus(refuse, seconds=0) as status:
        status.set("one")
        await asyncio.sleep(0)
        status.set("two")
