"""Asking again about a picture of the history: it is read from the message that answered it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import discord

from bot import attachments
from bot.boundary import guarded
from bot.history import Entry, NotYoursError, State, UnknownInterrogationError
from bot.policy import options_here
from bot.question import Question, choice_of
from bot.render import mode_name
from bot.speech import said
from bot.text import one_line, shorten
from interrogator.errors import UnreadableImageError

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

LABEL_LIMIT = 100
FETCH_SECONDS = 2.0  # of the three in which Discord wants to hear of us
PICTURE_GONE = "The picture of this answer is gone, or I cannot read the channel it is in. Please send the image again."
DISCORD_IS_SLOW = "Discord did not give me the picture in time. Please try again, or send the image itself."
_SELECT = discord.ui.Select[discord.ui.View]


def again_choices(entries: Sequence[Entry]) -> list[discord.SelectOption]:
    """Those whose message, and the picture with it, may still be there: a private answer's is not."""
    return [
        discord.SelectOption(
            label=shorten(one_line(entry.prompt or ""), LABEL_LIMIT) or said("a picture"),
            description=mode_name(entry.mode, style_only=entry.style_only, subject=entry.subject),
            value=str(entry.id),
        )
        for entry in entries
        if entry.state is State.DONE and not entry.private and entry.message_id and entry.channel_id
    ]


class AgainSelect(discord.ui.DynamicItem[_SELECT], template=r"history:again:v1"):
    """Runs the chosen interrogation again, with the settings of now, for its owner alone."""

    def __init__(self, choices: Sequence[discord.SelectOption] = ()) -> None:
        super().__init__(
            discord.ui.Select(custom_id="history:again:v1", placeholder=said("Run again …"), options=list(choices))
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: discord.ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """The menu as it was sent."""
        assert isinstance(item, discord.ui.Select)  # by its id
        again = cls()
        again.item = item
        return again

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer in a new message that the presser alone sees."""
        async with guarded(interaction):
            entry = await _entry_of(interaction, self.item.values[0])
            picture = await picture_of(interaction, entry)
            options = await options_here(interaction, choice_of(entry))
            await interaction.client.answer(interaction, Question(pictures=(picture,), options=options, private=True))


async def _entry_of(interaction: Interaction, value: str) -> Entry:
    entry_id = int(value) if value.isascii() and value.isdigit() else 0
    entry = await interaction.client.history.get(entry_id)
    if entry is None:
        raise UnknownInterrogationError(entry_id)
    if entry.user_id != interaction.user.id:
        raise NotYoursError
    return entry


async def picture_of(interaction: Interaction, entry: Entry) -> attachments.Picture:
    """The picture in the message that answered the entry. Raises UnreadableImageError where it is not to be had."""
    picture: attachments.Picture | None = None
    if entry.channel_id is not None and entry.message_id is not None and not entry.private:
        channel = interaction.client.get_partial_messageable(entry.channel_id, guild_id=entry.guild_id)
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                picture = attachments.of_answer(await channel.fetch_message(entry.message_id))
        except (discord.NotFound, discord.Forbidden):
            picture = None
        except TimeoutError:
            raise UnreadableImageError(DISCORD_IS_SLOW) from None
    if picture is None:
        raise UnreadableImageError(PICTURE_GONE)
    return picture
