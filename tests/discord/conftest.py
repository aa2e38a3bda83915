"""The real bot in simcord's offline Discord, with a real database and (unless a test scripts it) the real worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from worlds import MakeWorld, World, offline_discord

from bot.client import InterrogatorBot
from bot.database import Database
from bot.samples import NAMES, read_sample
from bot.settings import Settings
from bot.stores import Stores
from interrogator.queue import InterrogationQueue
from interrogator.queue.local import LocalQueue


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for the folder: the queue lives in it, and is started once."""
    for item in items:
        if Path(__file__).parent in item.path.parents and isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def lite_queue(lite_embedded: None) -> AsyncIterator[LocalQueue]:
    """The real worker with the real lite engine; started outside simcord, which cannot settle with its reader."""
    async with LocalQueue() as queue:
        await queue.wait_ready()
        yield queue


@pytest_asyncio.fixture(loop_scope="session")
async def make_world(tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """Makes worlds that end with the test."""
    async with AsyncExitStack() as stack:

        async def make(queue: InterrogationQueue, **settings: object) -> World:
            database = await stack.enter_async_context(Database.open(f"sqlite:///{tmp_path}/bot.db"))
            stores = Stores.of(database)
            bot = InterrogatorBot(Settings(data_dir=tmp_path, **settings), queue, stores)
            forgiven = [0]
            env = await stack.enter_async_context(offline_discord(bot, forgiven))
            await bot.tree.sync()
            guild = env.create_guild("Studio")
            channel = guild.create_text_channel("prompts")
            ann, bob = (guild.add_member(env.create_user(name)) for name in ("ann", "bob"))
            return World(env, bot, stores, guild, channel, ann, bob, forgiven)

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def world(make_world: MakeWorld, lite_queue: LocalQueue) -> World:
    """The real thing."""
    return await make_world(lite_queue)


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    """The sample images by name."""
    return {name: read_sample(name) for name in NAMES}
