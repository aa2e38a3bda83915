"""`python -m bot demo`: the real bot, unmodified, in simcord's offline Discord, shown as a page on loopback.

The channel opens with sample images, one of them already interrogated, so that the first thing a visitor sees is a real
answer. Everything the visitor asks is kept in the demo's own database and is in `/history` the next time.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
import time
import webbrowser
from typing import TYPE_CHECKING

import simcord

from bot.render import Display
from bot.samples import NAMES, read_sample

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

log = logging.getLogger(__name__)

FIRST_PORT = 8765
PORTS_TRIED = 100
# Pinned, so that the visitor is the same person to the database at every start.
GUILD_ID = 1_040_000_000_000_000_001
SETTLE_SECONDS = 120.0  # an answer may wait for the worker to load its models
# The page neither wraps code blocks nor lets time pass as Discord does; 30 columns fit a phone, and beside a thumbnail.
DISPLAY = Display(columns=30, times="f")
WELCOME = "Pick one of these pictures or your own: type / below and choose interrogate."


async def run_demo(bot: InterrogatorBot, *, port: int | None, open_browser: bool) -> int:
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
        await you.slash(channel, "interrogate", image=(NAMES[0], read_sample(NAMES[0])))
        _say(await _prompt_of(bot, you.id))
        async with env.preview(
            channel, viewers=[you], layout="channel", port=port if port is not None else free_port()
        ) as page:
            _say(f"The demo is ready after {time.monotonic() - started:.1f} s. Ctrl-C stops it. Open:")
            _say(page.url)
            if open_browser:
                await _open(page.url)
            await page.wait_closed()
    return 0


def free_port(first: int = FIRST_PORT, tried: int = PORTS_TRIED) -> int:
    """The first free loopback port from `first` on. Raises OSError (EADDRINUSE) where none of `tried` is."""
    for port in range(first, first + tried):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
    raise OSError(errno.EADDRINUSE, f"ports {first} to {first + tried - 1} are all taken")


async def _prompt_of(bot: InterrogatorBot, user_id: int) -> str:
    """The newest answer, as the history keeps it: what `/history` will show first."""
    page = await bot.history.page(user_id, viewer_id=user_id, guild_id=GUILD_ID, limit=1)
    entry = page.entries[0]
    return entry.prompt or f"There is no answer: {entry.error_message}"


async def _open(url: str) -> None:
    """Open the page where a graphical browser exists; a text browser would take over the terminal."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    if not await asyncio.to_thread(webbrowser.open, url):
        log.info("no browser could be opened; open the address above yourself")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the terminal is this command's user interface
