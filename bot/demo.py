"""`python -m bot demo`: the real bot, unmodified, in simcord's offline Discord, shown as a page on loopback.

The channel opens with sample images, one of them already interrogated, so that the first thing a visitor sees is a real
answer. Everything the visitor asks is kept in the demo's own database and is in `/history` the next time.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import simcord

from bot.render import Display
from bot.samples import NAMES, read_sample

if TYPE_CHECKING:
    from simcord.preview import Preview

    from bot.client import InterrogatorBot

log = logging.getLogger(__name__)

PORTS_TRIED = 100
PORT_LIMIT = 65536
# Pinned, so that the visitor is the same person to the database at every start.
GUILD_ID = 1_040_000_000_000_000_001
SETTLE_SECONDS = 120.0  # an answer may wait for the worker to load its models
# The page neither wraps code blocks nor lets time pass as Discord does; 30 columns fit a phone, and beside a thumbnail.
DISPLAY = Display(columns=30, times="f")
WELCOME = "Pick one of these pictures or your own: type / below and choose interrogate."


async def run_demo(bot: InterrogatorBot, *, port: int, open_browser: bool) -> int:
    """Serve the demo until the page's session is closed or the task is cancelled; returns the exit status."""
    started = time.monotonic()
    bot.display = DISPLAY
    async with simcord.run(bot, settle_timeout=SETTLE_SECONDS, check_errors=False, shard_count=1) as env:
        await bot.tree.sync()
        visitor = env.create_user("you", global_name="You")
        host = env.create_user("samples", global_name="Samples")
        guild = env.create_guild("Interrogator demo", id=GUILD_ID)
        channel = guild.create_text_channel("prompts")
        you, samples = guild.add_member(visitor), guild.add_member(host)
        await samples.send(channel, WELCOME, attachments=[(name, read_sample(name)) for name in NAMES])
        _say(f"Interrogating a sample, {NAMES[0]} ...")
        _say(prompt_of(await you.slash(channel, "interrogate", image=(NAMES[0], read_sample(NAMES[0])))))
        async with AsyncExitStack() as stack:
            page = await _serve(lambda at: env.preview(channel, viewers=[you], layout="channel", port=at), port, stack)
            _say(f"The demo is ready after {time.monotonic() - started:.1f} s. Ctrl-C stops it. Open:")
            _say(page.url)
            if open_browser:
                await _open(page.url)
            await page.wait_closed()
    return 0


def prompt_of(asked: simcord.InteractionResult) -> str:
    """What the bot answered, as text for the terminal: the prompt, or why there is none."""
    for message in filter(None, (asked.response, *asked.followups)):
        for embed in message.embeds:
            text = embed.description or ""
            # As one line: it was broken for the page.
            return " ".join((text.split("```")[1] if "```" in text else text.split("\n")[0]).split())
        if message.content:
            return f"There is no answer: {message.content}"
    return "There is no answer: the bot said nothing."


async def _serve(preview: Callable[[int], Preview], first: int, stack: AsyncExitStack) -> Preview:
    """The page on the first free port from `first` on; any where that is 0. Whether one is free is known only once it
    is taken: another demo may start at the same time. Raises OSError where none can be had."""
    for port in range(first, min(first + PORTS_TRIED, PORT_LIMIT)):
        try:
            return await stack.enter_async_context(preview(port))
        except simcord.SetupError as error:
            refusal = error.__cause__
            if not isinstance(refusal, OSError):
                raise
            if refusal.errno != errno.EADDRINUSE:
                raise refusal from None
    raise OSError(errno.EADDRINUSE, f"no port is free from {first} on")


async def _open(url: str) -> None:
    """Open the page where a graphical browser exists; a text browser would take over the terminal."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    if not await asyncio.to_thread(webbrowser.open, url):
        log.info("no browser could be opened; open the address above yourself")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the terminal is this command's user interface
