"""Going on with what a process that is gone left unanswered: in the same messages, by the tokens it has stored."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import discord

from bot.attachments import Picture
from bot.boundary import guarded
from bot.conversation import Turn, ended_together, reply_of
from bot.history import Ask, Unfinished
from bot.promise import count_as_promised

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)


def by_interaction(unfinished: Iterable[Unfinished], application_id: int | None) -> list[list[Unfinished]]:
    """The rows of this application, those of one interaction together: their pictures are answered one by one."""
    ours = [row for row in unfinished if row.ask.application_id == application_id]
    ours.sort(key=lambda row: (row.ask.interaction_token or "", row.id))
    groups = itertools.groupby(ours, key=attrgetter("ask.interaction_token"))
    return sorted((list(rows) for _, rows in groups), key=lambda rows: rows[0].id)


async def go_on(bot: InterrogatorBot, rows: Sequence[Unfinished]) -> None:
    """Answer the rows of one interaction, which are queued, as `converse` would have. Nothing is raised but a
    cancellation."""
    interaction = interaction_of(bot, rows[0].ask)
    async with guarded(interaction), ended_together(bot.history, [row.id for row in rows]):
        for row in rows:
            await _go_on(interaction, row)


async def _go_on(interaction: Interaction, row: Unfinished) -> None:
    ask = row.ask
    assert ask.token_ends_at is not None  # else it would have been closed
    assert ask.image_url is not None
    log.info("interrogation %d is gone on with", row.id)
    reply = reply_of(interaction, row.id, private=ask.private, further=ask.further, message_id=row.message_id)
    options = interaction.client.options(ask.mode, style_only=ask.style_only)
    picture = Picture(name=ask.image_name, url=ask.image_url)
    token_end = ask.token_ends_at.timestamp()
    await Turn(interaction, options, picture, reply, token_end, answer=row.answer, failure=row.failure).take(row.id)


def interaction_of(bot: InterrogatorBot, ask: Ask) -> Interaction:
    """The interaction as far as an answer needs it; it counts as deferred."""
    payload: dict[str, Any] = {
        "id": str(ask.interaction_id or 0),
        "application_id": str(ask.application_id),
        "type": discord.InteractionType.application_command.value,
        "token": ask.interaction_token,
        "version": 1,
        "user": {"id": str(ask.user_id), "username": "", "discriminator": "0", "avatar": None},
        "attachment_size_limit": ask.file_limit or discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES,
    }
    interaction: Interaction = discord.Interaction(data=payload, state=bot._connection)  # type: ignore[arg-type]
    count_as_promised(interaction)
    return interaction
