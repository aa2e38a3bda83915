"""Going on with what a process that is gone left unanswered: in the same messages, by the tokens it has stored. Whether
it is gone, `bot.presence` knows; which of several goes on, the database decides (`History.take_up`)."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import discord
from sqlalchemy.exc import SQLAlchemyError

from bot.album import tell_of_all
from bot.attachments import Picture
from bot.boundary import guarded
from bot.connection import DatabaseError
from bot.conversation import Turn, ended_together
from bot.history import Ask, Unfinished
from bot.origin import Origin, origin_of, set_origin
from bot.presence import Presence
from bot.promise import count_as_promised
from bot.question import choice_of
from bot.row_reply import reply_of

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0  # between two looks at which of the processes that share the database are gone


@asynccontextmanager
async def taking_up(bot: InterrogatorBot, presence: Presence) -> AsyncIterator[None]:
    """As long as the block lasts, go on with what processes that are gone left: at once with what there is now, then
    with what others leave that share the database. The bot must be logged in."""
    gone = await _look(bot, presence, None)
    looking = asyncio.create_task(_keep_looking(bot, presence, gone), name="taking up")
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def _keep_looking(bot: InterrogatorBot, presence: Presence, gone: Collection[int | None]) -> None:
    """Who is missed twice is gone: a database server that was restarted forgets for a moment who is there."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        gone = await _look(bot, presence, gone)


async def _look(
    bot: InterrogatorBot, presence: Presence, missed: Collection[int | None] | None
) -> Collection[int | None]:
    """As `_take_up`; nobody is known to be gone where the database does not say it now."""
    try:
        return await _take_up(bot, presence, missed)
    except (DatabaseError, SQLAlchemyError, OSError) as error:
        log.warning("what other processes left cannot be looked at now: %s", error)
        return ()


async def _take_up(
    bot: InterrogatorBot, presence: Presence, missed: Collection[int | None] | None
) -> Collection[int | None]:
    """Go on with the rows of those that are gone and, where it is given, among `missed`. Returns who is gone."""
    gone = await presence.gone(await bot.history.owners())
    certain = gone if missed is None else gone.intersection(missed)
    if certain:
        unfinished, expired = await bot.history.take_up(certain, bot.application_id)
        if unfinished or expired:
            found = len(unfinished)
            log.info("another process left %d interrogations to go on with, and %d that are too late", found, expired)
        bot.go_on(unfinished)
    return gone


def by_interaction(unfinished: Iterable[Unfinished]) -> list[list[Unfinished]]:
    """The rows of one interaction together: their pictures are answered one by one."""
    sorted_rows = sorted(unfinished, key=lambda row: (row.ask.interaction_token or "", row.id))
    groups = itertools.groupby(sorted_rows, key=attrgetter("ask.interaction_token"))
    return sorted((list(rows) for _, rows in groups), key=lambda rows: rows[0].id)


async def go_on(bot: InterrogatorBot, rows: Sequence[Unfinished]) -> None:
    """Answer the rows of one interaction, which are queued, as `converse` would have. Nothing is raised but a
    cancellation."""
    interaction = interaction_of(bot, rows[0].ask)
    async with guarded(interaction), ended_together(bot.history, [row.id for row in rows]):
        for row in rows:
            await _go_on(interaction, row)
        await tell_of_all(interaction, [row.id for row in rows])


async def _go_on(interaction: Interaction, row: Unfinished) -> None:
    ask = row.ask
    assert ask.image_url is not None
    log.info("interrogation %d is gone on with", row.id)
    reply = reply_of(interaction, row.id, ask, row.message_id)
    age_restricted = origin_of(interaction).age_restricted
    options = await interaction.client.options(ask.guild_id, choice_of(ask), age_restricted=age_restricted)
    picture = Picture(name=ask.image_name, url=ask.image_url)
    await Turn(interaction, options, picture, reply, answer=row.answer, failure=row.failure).take(row.id)


def interaction_of(bot: InterrogatorBot, ask: Ask) -> Interaction:
    """The interaction as far as an answer needs it; it counts as deferred."""
    origin = ask.origin or Origin()
    payload: dict[str, Any] = {
        "id": str(ask.interaction_id or 0),
        "application_id": str(ask.application_id),
        "type": discord.InteractionType.application_command.value,
        "token": ask.interaction_token,
        "version": 1,
        "locale": origin.locale,
        "user": {"id": str(ask.user_id), "username": "", "discriminator": "0", "avatar": None},
        "attachment_size_limit": ask.file_limit or discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES,
    }
    interaction: Interaction = discord.Interaction(data=payload, state=bot._connection)  # type: ignore[arg-type]
    set_origin(interaction, origin)
    count_as_promised(interaction)
    return interaction
