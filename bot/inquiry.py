"""A question about a picture whose answer is of no history: how well a prompt fits, what is near, how the modes differ.

It is asked, promised, shown and cancelled like an interrogation, under the same rules, but has no row: what a stop
interrupts has to be asked again, and says so.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import discord

from bot import attachments, render
from bot.attachments import Picture
from bot.cancel_button import stop_view
from bot.policy import answered_in_time, check_asker, must_be_private
from bot.promise import promise
from bot.reply import Content, LiveStatus, Reply, unremembered
from bot.speech import said
from bot.trouble import told
from interrogator.errors import CancelledError, DeadlineError, InternalError, InterrogatorError, from_kind
from interrogator.types import (
    Answer,
    Done,
    End,
    Failed,
    Interrogation,
    Job,
    JobId,
    Measure,
    Measured,
    Measurement,
    Options,
)

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)

TOKEN_SECONDS = 14 * 60  # Discord lets an interaction be answered for 15 minutes
QUEUE_GRACE_SECONDS = 15  # the queue itself ends a job at its deadline; this ends one that it forgot
ASK_AGAIN = "The bot is restarting. Please ask this again in a minute."


@dataclass(eq=False, slots=True)
class Inquiry:
    """One that is being answered. `options` are what was asked under the rules of the place; `ends` in seconds since
    the epoch."""

    interaction: Interaction
    image: bytes
    options: Options
    ends: float
    unwanted: bool = False
    prefix: str = ""  # of what is shown of its progress
    nsfw: float | None = None  # as in `Interrogation`, once an answer is there
    _status: LiveStatus | None = None
    _job: JobId | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def user_id(self) -> int:
        """Who asked."""
        return self.interaction.user.id

    async def measure(self, measure: Measure) -> Measurement:
        """What the worker measures. Raises what the job failed with."""
        answer = await self._ask(self.options, measure)
        assert isinstance(answer, Measurement)  # by the wire
        return answer

    async def interrogate(self, options: Options) -> Interrogation:
        """The prompt. Raises as `measure`."""
        answer = await self._ask(options, None)
        assert isinstance(answer, Interrogation)  # by the wire
        return answer

    async def cancel(self) -> None:
        """Its asker wants it no more."""
        self.unwanted = True
        if self._job is not None:
            await self.interaction.client.queue.cancel(self._job)

    @contextmanager
    def showing(self, status: LiveStatus) -> Iterator[None]:
        """As long as the block lasts, show how it gets on."""
        self._status = status
        try:
            yield
        finally:
            self._status = None

    async def _ask(self, options: Options, measure: Measure | None) -> Answer:
        if self.unwanted:
            raise CancelledError
        bot = self.interaction.client
        deadline = min(time.time() + bot.settings.job_seconds, self.ends)
        self._job = JobId(f"inquiry {self.interaction.id} {next(self._numbers)}")
        user = str(self.user_id)
        job = Job(id=self._job, image=self.image, options=options, user=user, deadline=deadline, measure=measure)
        watch = bot.metrics.watch()
        try:
            async with asyncio.timeout(deadline - time.time() + QUEUE_GRACE_SECONDS):
                async for event in bot.queue.submit(job):
                    watch.saw(event)
                    bot.waiting.saw(job.id, self.user_id, event)
                    if isinstance(event, End):
                        answer = _answer(event)
                        self.nsfw = answer.nsfw
                        return answer
                    if self._status is not None:
                        self._status.set(f"{self.prefix}{render.status(event)}")
        except TimeoutError:
            log.warning("%s was not ended by the queue in time", job.id)
        finally:
            bot.waiting.saw(job.id, self.user_id, None)
            await bot.queue.cancel(job.id)
            self._job = None
        raise DeadlineError


def _answer(end: End) -> Answer:
    match end:
        case Done(interrogation):
            return interrogation
        case Measured(measurement):
            return measurement
        case Failed(kind, message):
            raise from_kind(kind, message)


Find = Callable[[Inquiry], Awaitable[Callable[[bool], Content]]]
"""Asks the worker, and makes the answer as `bot.reply.Reply.show` wants it."""


async def inquire(interaction: Interaction, picture: Picture, options: Options, find: Find, *, private: bool) -> None:
    """Answer by what `find` finds, as far as the rules of the server allow it; in public unless `private`, or the rules
    say so. Raises what forbids the question before anything is promised."""
    bot = interaction.client
    if bot.stopping:
        raise CancelledError(ASK_AGAIN)
    rules = await bot.rules_of(interaction.guild_id)
    check_asker(interaction, rules)
    attachments.check(picture, bot.settings.max_image_bytes)
    async with answered_in_time():
        await bot.rulebook.take(interaction.guild_id, interaction.user.id, 1, rules)
    await bot.held(_answered(interaction, picture, options, find, private=private or rules.private))


async def _answered(interaction: Interaction, picture: Picture, options: Options, find: Find, *, private: bool) -> None:
    ends = time.time() + TOKEN_SECONDS
    await promise(interaction, private=private)
    reply = Reply(interaction, unremembered, private=private)
    try:
        await _show(interaction, picture, options, find, reply, ends)
    except InterrogatorError as error:
        interaction.client.metrics.failed(error.kind)
        log.info("interaction %d failed: %s", interaction.id, error.kind)
        await reply.fail(told(error))
    except asyncio.CancelledError:
        await reply.pause(render.failure(ASK_AGAIN))
        raise
    except BaseException:
        interaction.client.metrics.failed(InternalError.kind)
        await reply.withdraw()  # the boundary tells it
        raise


async def _show(
    interaction: Interaction, picture: Picture, options: Options, find: Find, reply: Reply, ends: float
) -> None:
    bot = interaction.client
    size = picture.size if picture.size is not None else bot.settings.max_image_bytes
    with bot.places.taken(interaction.user.id, size):
        image = await attachments.download(picture, bot.settings.max_image_bytes)
        inquiry = Inquiry(interaction, image, options, ends)
        bot.inquiries[interaction.id] = inquiry
        view = stop_view(interaction.id)
        try:
            async with LiveStatus(lambda text: reply.show_status(text, view), bot.settings.progress_seconds) as status:
                with inquiry.showing(status):
                    make = await find(inquiry)
        finally:
            del bot.inquiries[interaction.id]
        if must_be_private(interaction, inquiry.nsfw):
            await reply.show_alone(make, said(render.NOT_FOR_EVERYONE))
        else:
            await reply.show(make)
