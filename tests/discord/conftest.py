"""The real bot in simcord's offline Discord, with a real database and (unless a test scripts it) the real worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
import simcord

from bot.client import InterrogatorBot
from bot.database import Database
from bot.history import Entry, History
from bot.samples import NAMES, read_sample
from bot.settings import Settings
from interrogator.queue import InterrogationQueue, QueueStatus, WorkerState
from interrogator.queue.local import LocalQueue
from interrogator.types import Done, Event, Interrogation, Job, JobId, Options, Phrase

SETTLE_SECONDS = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for the folder: the queue lives in it, and is started once."""
    for item in items:
        if Path(__file__).parent in item.path.parents and isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass(frozen=True)
class World:
    """A bot in a server with one channel, and its people."""

    env: simcord.Env
    bot: InterrogatorBot
    history: History
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    ann: simcord.MemberActor
    bob: simcord.MemberActor

    async def rows(self, user: simcord.MemberActor) -> tuple[Entry, ...]:
        """All that the user asked, newest first."""
        return (await self.history.page(user.id, viewer_id=user.id, guild_id=None, limit=50)).entries


MakeWorld = Callable[..., Awaitable[World]]


@asynccontextmanager
async def offline_discord(bot: InterrogatorBot) -> AsyncIterator[simcord.Env]:
    """`simcord.run` for a fixture: that enters and leaves the block in different contexts, which `run` forbids."""
    env = simcord.Env(bot, settle_timeout=SETTLE_SECONDS, shard_count=1)
    await env.start()
    try:
        yield env
    finally:
        await env.shutdown()
    env.raise_errors()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def lite_queue() -> AsyncIterator[LocalQueue]:
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
            history = History(database)
            bot = InterrogatorBot(Settings(data_dir=tmp_path, **settings), queue, history)
            env = await stack.enter_async_context(offline_discord(bot))
            await bot.tree.sync()
            guild = env.create_guild("Studio")
            channel = guild.create_text_channel("prompts")
            ann, bob = (guild.add_member(env.create_user(name)) for name in ("ann", "bob"))
            return World(env, bot, history, guild, channel, ann, bob)

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def world(make_world: MakeWorld, lite_queue: LocalQueue) -> World:
    """The real thing."""
    return await make_world(lite_queue)


class ScriptedQueue:
    """An InterrogationQueue that answers what a test wants: events, or an exception in their place."""

    def __init__(self, *events: Event | BaseException) -> None:
        self.events = events
        self.jobs: list[Job] = []

    async def submit(self, job: Job) -> AsyncIterator[Event]:
        self.jobs.append(job)
        for event in self.events or (Done(interrogation_for(job)),):
            if isinstance(event, BaseException):
                raise event
            yield event

    async def cancel(self, job_id: JobId) -> None:
        """Nothing runs."""

    def status(self) -> QueueStatus:
        return QueueStatus(waiting=0, running=0, worker=WorkerState.READY, restarts=0)


def interrogation_for(job: Job, **changes: object) -> Interrogation:
    """An answer to the job."""
    options: Options = job.options
    answer = Interrogation(
        sha256="0" * 64,
        width=8,
        height=8,
        profile=options.profile,
        engine="scripted",
        mode=options.mode,
        style_only=options.style_only,
        caption="a red kite",
        prompt="a red kite, soft light",
        phrases=(Phrase("soft light", "light", 0.2),),
        similarity=0.3125,
        seconds=0.25,
    )
    return replace(answer, **changes)


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    """The sample images by name."""
    return {name: read_sample(name) for name in NAMES}
