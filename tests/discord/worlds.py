"""Words of the specifications: a world with a bot and people in it, and a queue that does what a test wants."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import discord
import simcord

from bot.client import InterrogatorBot
from bot.history import Entry, History, Viewer
from bot.stores import Stores
from interrogator.queue import QueueStatus, WorkerState
from interrogator.types import Done, Event, Interrogation, Job, JobId, Options, Phrase

SETTLE_SECONDS = 60.0


@dataclass(frozen=True)
class World:
    """A bot in a server with one channel, and its people."""

    env: simcord.Env
    bot: InterrogatorBot
    stores: Stores
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    ann: simcord.MemberActor
    bob: simcord.MemberActor
    forgiven: list[int]

    @property
    def history(self) -> History:
        return self.stores.history

    def restarted(self) -> InterrogatorBot:
        """The bot as the next process makes it."""
        return InterrogatorBot(self.bot.settings, self.bot.queue, self.stores)

    def expect_errors(self) -> None:
        """What the bot raised so far was meant to be raised."""
        self.forgiven[:] = [self.env.error_cursor]

    async def rows(self, user: simcord.MemberActor) -> tuple[Entry, ...]:
        """All that the user asked, newest first."""
        return (await self.history.page(user.id, Viewer(user.id), limit=50)).entries


MakeWorld = Callable[..., Awaitable[World]]


@asynccontextmanager
async def offline_discord(bot: InterrogatorBot, forgiven: list[int]) -> AsyncIterator[simcord.Env]:
    """`simcord.run` for a fixture: that enters and leaves the block in different contexts, which `run` forbids."""
    env = simcord.Env(bot, settle_timeout=SETTLE_SECONDS, shard_count=1)
    await env.start()
    try:
        yield env
    finally:
        await env.shutdown()
    if errors := env.errors_since(forgiven[0]):
        raise BaseExceptionGroup("the bot raised", errors)


Script = Event | BaseException | Callable[[Job], Event]


class ScriptedQueue:
    """An InterrogationQueue that does what a test wants: events, made from the job where that is needed, or an
    exception in their place."""

    def __init__(self, *events: Script) -> None:
        self.events = events
        self.jobs: list[Job] = []

    async def submit(self, job: Job) -> AsyncIterator[Event]:
        self.jobs.append(job)
        for event in self.events or (answering(),):
            if isinstance(event, BaseException):
                raise event
            yield event(job) if callable(event) else event

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


def answering(**changes: object) -> Callable[[Job], Event]:
    """The job's answer, changed."""
    return lambda job: Done(interrogation_for(job, **changes))


def embed_of(result: simcord.InteractionResult) -> discord.Embed:
    """The embed of the answer."""
    assert result.response is not None, "there is no answer"
    [embed] = result.response.embeds
    return embed


def prompt_of(result: simcord.InteractionResult) -> str:
    """What the code block of the answer holds."""
    _, block, _ = (embed_of(result).description or "").split("```")
    return block.strip()


def facts_of(result: simcord.InteractionResult) -> dict[str, str]:
    """What stands under the prompt: similarity, mode and engine."""
    text = embed_of(result).description or ""
    return dict(re.findall(r"(similarity|mode|engine) \*\*(.*?)\*\*", text))


def buttons_of(result: simcord.InteractionResult) -> dict[str, bool]:
    """The labels of the answer's buttons, and whether each can be pressed."""
    assert result.response is not None, "there is no answer"
    return {
        button["label"]: not button.get("disabled", False)
        for row in result.response.components
        for button in row["components"]
    }


def told_alone(result: simcord.InteractionResult) -> str:
    """What the person alone is told, and nothing stands in the channel."""
    if result.response is not None:
        assert result.response.ephemeral
        assert not result.followups
        return result.response.content
    [followup] = result.followups
    assert followup.ephemeral
    return followup.content
