"""The message that answers a row of the history."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import discord

from bot.connection import DatabaseError
from bot.history import Ask, UnknownInterrogationError
from bot.reply import UNDELIVERED, Content, Reply, reason
from bot.speech import said

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)

BELOW = "The answer came too late for this message. It stands further down, in one of its own."
LATE = "<@{user}>, this took longer than Discord waits for an answer. Here it is:"


def reply_of(interaction: Interaction, row: int, ask: Ask, message_id: int | None = None) -> Reply:
    """The message that answers the row, which remembers it."""

    async def remember(sent: int) -> None:
        # It may have been deleted from the history meanwhile.
        with suppress(UnknownInterrogationError), unless_in_trouble(row):
            await interaction.client.history.set_message(row, sent)

    async def post(content: Content, reply_to: int | None) -> discord.Message:
        assert ask.channel_id is not None
        channel = interaction.client.get_partial_messageable(ask.channel_id, guild_id=ask.guild_id)
        more: dict[str, Any] = {} if content.view is None else {"view": content.view}
        if reply_to is not None:
            more["reference"] = discord.MessageReference(
                message_id=reply_to, channel_id=ask.channel_id, guild_id=ask.guild_id, fail_if_not_exists=False
            )
        posted = await channel.send(
            said(LATE, user=ask.user_id),
            embed=content.embed,
            files=content.files,
            nonce=f"late {row}",
            **more,
        )
        if reply_to is not None:
            await _end_progress(channel.get_partial_message(reply_to))
        return posted

    in_channel = ask.guild_id is not None and ask.channel_id is not None and not ask.private
    return Reply(
        interaction,
        remember,
        private=ask.private,
        further=ask.further,
        message_id=message_id,
        post=post if in_channel else None,
    )


async def _end_progress(message: discord.PartialMessage) -> None:
    """What stood there of progress is over. The bot may edit its own message without the interaction's token."""
    try:
        await message.edit(content=said(BELOW), view=None)
    except UNDELIVERED as error:
        log.info("message %d still shows progress: %s", message.id, reason(error))


@contextmanager
def unless_in_trouble(row: int) -> Iterator[None]:
    """What the history cannot note costs nobody their answer: an unfinished row is seen to at the next start."""
    try:
        yield
    except DatabaseError as error:
        log.warning("interrogation %d: not noted in the history: %s", row, error.kind)
