"""/history and /favorites: what was asked before, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.history import Wanted
from bot.history_pages import SEARCH_LIMIT, history_message
from bot.text import one_line
from interrogator.types import Mode

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

MODES = [app_commands.Choice(name=mode.value, value=mode.value) for mode in Mode]
Search = app_commands.Range[str, 1, SEARCH_LIMIT]


@app_commands.command(name="history", description="Your earlier prompts, or what somebody else asked publicly here")
@app_commands.describe(
    user="whose; yours where you choose none",
    search="words of the prompt, or their beginnings",
    mode="only those made in this mode",
    starred="only those that you starred",
)
@app_commands.choices(mode=MODES)
async def history(
    interaction: Interaction,
    user: discord.User | None = None,
    search: Search = "",
    mode: str = "",
    starred: bool = False,
) -> None:
    """Show the first page, to the one who asks alone."""
    await _show(interaction, (user or interaction.user).id, chosen(search, mode, starred=starred))


@app_commands.command(name="favorites", description="The prompts that you starred")
@app_commands.describe(search="words of the prompt, or their beginnings", mode="only those made in this mode")
@app_commands.choices(mode=MODES)
async def favorites(interaction: Interaction, search: Search = "", mode: str = "") -> None:
    """Show the first page, to the one who asks alone."""
    await _show(interaction, interaction.user.id, chosen(search, mode, starred=True))


def chosen(search: str, mode: str, *, starred: bool) -> Wanted:
    """What the options of a command ask for; `mode` is empty where none was chosen."""
    return Wanted(search=one_line(search), mode=Mode(mode) if mode else None, starred=starred)


async def _show(interaction: Interaction, user_id: int, wanted: Wanted) -> None:
    embed, view = await history_message(interaction, user_id, wanted)
    await interaction.response.send_message(embed=embed, view=view or discord.utils.MISSING, ephemeral=True)
