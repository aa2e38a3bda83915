"""What the asker of several pictures is told once all of them are through: their prompts in pages and in files, and
what was left out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import discord

from bot.album_pages import album_page, with_prompts
from bot.connection import DatabaseError
from bot.entries import Entry
from bot.export import Format, as_file
from bot.reply import UNDELIVERED, reason
from bot.speech import said

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)

FORMATS = tuple(Format)
LEFT_OUT = (
    "I answer {answered} pictures of a message at a time; {left_out} more were left out. Use /interrogate for those."
)


async def tell_of_all(interaction: Interaction, rows: Sequence[int], *, left_out: int = 0) -> None:
    """Tell the asker alone, in one message; nothing where there is nothing to say. `rows` are some of the interaction's
    rows. What Discord or the database does not take is logged: the answers themselves are there."""
    try:
        entries = with_prompts(await interaction.client.history.of_interaction(rows[0], interaction.id))
    except DatabaseError as error:
        log.warning("interaction %d: its prompts could not be read: %s", interaction.id, error.kind)
        entries = []
    sentences: list[str] = []
    more: dict[str, Any] = {}
    if len(entries) > 1:
        sentences.append(said("The {count} prompts together.", count=len(entries)))
        more["files"] = await asyncio.to_thread(_files, entries, interaction.filesize_limit)
        more["embed"], more["view"] = await album_page(interaction, entries, 0)
    if left_out:
        answered = len(rows)
        sentences.append(said(LEFT_OUT, answered=answered, left_out=left_out))
    if not sentences:
        return
    try:
        await interaction.followup.send(" ".join(sentences), ephemeral=True, **more)
    except UNDELIVERED as error:
        log.warning("interaction %d: what belongs to all pictures was not told: %s", interaction.id, reason(error))


def _files(entries: Sequence[Entry], limit: int) -> list[discord.File]:
    written = [(wanted, as_file(entries, wanted, limit // len(FORMATS))) for wanted in FORMATS]
    return [discord.File(BytesIO(content), f"prompts.{wanted.value}") for wanted, content in written if content]
