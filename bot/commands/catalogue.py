"""All commands, and where they may be installed and used."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.boundary import InterrogatorTree
from bot.commands.about import show_help
from bot.commands.export import export
from bot.commands.history import favorites, history
from bot.commands.interrogate import interrogate, interrogate_message, style_of_message
from bot.commands.measure import analyze, compare, score
from bot.commands.privacy import privacy
from bot.commands.queue import queue
from bot.commands.settings import settings

COMMANDS: tuple[app_commands.Command[Any, ..., Any] | app_commands.ContextMenu, ...] = (
    interrogate,
    compare,
    score,
    analyze,
    history,
    favorites,
    export,
    queue,
    settings,
    privacy,
    show_help,
    interrogate_message,
    style_of_message,
)
INSTALLS = app_commands.AppInstallationType(guild=True, user=True)
CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)


def command_tree(client: discord.Client) -> InterrogatorTree:
    """The commands as the bot has them, for a client that only tells Discord of them."""
    tree = InterrogatorTree(client)
    tree.allowed_installs = INSTALLS
    tree.allowed_contexts = CONTEXTS
    for command in COMMANDS:
        tree.add_command(command)
    return tree
