"""/settings: what the admins of a server decide, in four small forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.policy import guild_of_admin
from bot.render_settings import settings_embed
from bot.settings_forms import settings_view

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]


@app_commands.command(name="settings", description="How the bot works in this server; for those who manage it")
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
async def settings(interaction: Interaction) -> None:
    """Show what is decided, and the forms to change it, to the one who asks alone."""
    guild_id = guild_of_admin(interaction)
    rules = await interaction.client.rules_of(guild_id)
    await interaction.response.send_message(embed=settings_embed(rules), view=settings_view(), ephemeral=True)
