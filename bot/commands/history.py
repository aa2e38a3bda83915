"""/history: what was asked before, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.history_pages import history_message

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]


@app_commands.command(name="history", description="Your earlier prompts, or what somebody else asked publicly here")
@app_commands.describe(user="whose; yours where you choose none")
async def history(interaction: Interaction, user: discord.User | None = None) -> None:
    """Show the first page, to the one who asks alone."""
    embed, view = await history_message(interaction, (user or interaction.user).id, None)
    await interaction.response.send_message(embed=embed, view=view or discord.utils.MISSING, ephemeral=True)
