"""/help: what the bot does, in one look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.commands.interrogate import MODE_HELP
from bot.render import COLOUR
from bot.speech import called, said
from bot.text import inline_code
from interrogator.types import Mode

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

WHAT = (
    "Give me a picture, and I answer with a prompt that should lead a text-to-image model to something like it. "
    "It is a reconstruction, not the hidden original prompt, made with the engine {profile}; "
    "every answer names its engine and how far to trust it."
)
NAME_LIMIT = 60
MENUS = "Right-click or hold it, Apps: {menus}"
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
        title="Interrogator", description=said(WHAT, profile=inline_code(profile, NAME_LIMIT)), colour=COLOUR
    )
    slash = [
        f"{_name(command.name)} {called(command.description)}"
        for command in tree.get_commands(type=discord.AppCommandType.chat_input)
        if isinstance(command, app_commands.Command)
    ]
    menus = [f"**{called(menu.name)}**" for menu in tree.get_commands(type=discord.AppCommandType.message)]
    modes = [f"**{mode.value}** {_mode_help(mode)}" for mode in MODE_HELP]
    embed.add_field(name=said("Commands"), value="\n".join(slash), inline=False)
    embed.add_field(name=said("On a message with pictures"), value=said(MENUS, menus=", ".join(menus)), inline=False)
    embed.add_field(name=said("Modes"), value="\n".join(modes), inline=False)
    embed.add_field(name=said("Privacy"), value=said(PRIVACY), inline=False)
    return embed


def _name(command: str) -> str:
    """As Discord shows it, and as all that the bot says calls it."""
    shown = called(command)
    return f"`/{command}`" if shown == command else f"`/{shown}` (/{command})"


def _mode_help(mode: Mode) -> str:
    """What stands behind the mode's name among the choices of /interrogate."""
    return called(f"{mode.value}: {MODE_HELP[mode]}").removeprefix(mode.value).lstrip(" \u00a0:\uff1a")
