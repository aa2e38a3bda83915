"""/export: one's own prompts as a file."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import render
from bot.commands.history import MODES, Search, chosen
from bot.export import MOST_PROMPTS, Format, as_file, prompts_of
from bot.speech import number, said

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

FORMAT_HELP = {
    Format.TXT: "a prompt a line",
    Format.CSV: "a table for spreadsheets",
    Format.JSON: "for programs",
}
NOTHING = "There is no prompt to export. Ask for some with /interrogate, or choose fewer conditions."
TOO_LARGE = "That file would be larger than Discord takes here. Please choose some of your prompts, or the format txt."


@app_commands.command(name="export", description="Your earlier prompts as a file")
@app_commands.describe(
    format="what the file is",
    search="words of the prompt, or their beginnings",
    mode="only those made in this mode",
    starred="only those that you starred",
)
@app_commands.choices(
    format=[app_commands.Choice(name=f"{one.value}: {text}", value=one.value) for one, text in FORMAT_HELP.items()],
    mode=MODES,
)
async def export(
    interaction: Interaction,
    format: str,  # noqa: A002 - what Discord shows
    search: Search = "",
    mode: str = "",
    starred: bool = False,
) -> None:
    """Give it to the one who asks alone."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    wanted = chosen(search, mode, starred=starred)
    entries = await prompts_of(interaction.client.history, interaction.user.id, wanted)
    if not entries:
        await interaction.edit_original_response(content=render.failure(NOTHING))
        return
    kind = Format(format)
    content = await asyncio.to_thread(as_file, entries, kind, interaction.filesize_limit)
    if content is None:
        await interaction.edit_original_response(content=render.failure(TOO_LARGE))
        return
    file = discord.File(BytesIO(content), f"prompts.{kind.value}")
    await interaction.edit_original_response(content=_told(len(entries)), attachments=[file])


def _told(count: int) -> str:
    if count == MOST_PROMPTS:
        return said("Your {count} latest prompts; the file holds no more.", count=number(count))
    if count == 1:
        return said("Your one prompt.")
    return said("Your {count} prompts, the latest first.", count=number(count))
