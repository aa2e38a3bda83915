"""/help: what the bot does, in one look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.commands.interrogate import MODE_HELP
from bot.render import COLOUR, DISCLAIMER
from bot.text import inline_code

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

WHAT = (
    "Give me a picture, and I answer with a prompt that should lead a text-to-image model to something like it. "
    f"It is {DISCLAIMER[0].lower()}{DISCLAIMER[1:-1]}, made with the engine {{profile}}; "
    "every answer names its engine and how far to trust it."
)
NAME_LIMIT = 60
PRIVACY = (
    "Pictures are not stored. Prompts, their settings and times are, for your `/history`; others see there only what "
    "you asked publicly in a channel that they can read. Until a picture is answered, its address at Discord and "
    "Discord's key to answer you are stored too, so that a restart does not forget you; then both are erased."
)


@app_commands.command(name="help", description="What this bot does and how to ask it")
async def show_help(interaction: Interaction) -> None:
    """Tell the one who asks alone."""
    bot = interaction.client
    await interaction.response.send_message(embed=help_embed(bot.tree, bot.settings.profile), ephemeral=True)


def help_embed(tree: app_commands.CommandTree[InterrogatorBot], profile: str) -> discord.Embed:
    """Written from the commands themselves, so that it cannot fall behind them."""
    embed = discord.Embed(
        title="Interrogator", description=WHAT.format(profile=inline_code(profile, NAME_LIMIT)), colour=COLOUR
    )
    slash = [
        f"`/{command.name}` {command.description}"
        for command in tree.get_commands(type=discord.AppCommandType.chat_input)
        if isinstance(command, app_commands.Command)
    ]
    menus = [f"**{menu.name}**" for menu in tree.get_commands(type=discord.AppCommandType.message)]
    embed.add_field(name="Commands", value="\n".join(slash), inline=False)
    embed.add_field(
        name="On a message with pictures", value=f"Right-click or hold it, Apps: {', '.join(menus)}", inline=False
    )
    embed.add_field(
        name="Modes", value="\n".join(f"**{mode.value}** {text}" for mode, text in MODE_HELP.items()), inline=False
    )
    embed.add_field(name="Privacy", value=PRIVACY, inline=False)
    return embed
