"""What the bot asks for when it is installed, and the addresses where a person installs it."""

from __future__ import annotations

import discord

GUILD_SCOPES = ("bot", "applications.commands")
USER_SCOPES = ("applications.commands",)
PERMISSIONS = discord.Permissions(view_channel=True, send_messages=True, embed_links=True, attach_files=True)
_USER_INSTALL = "&integration_type=1"


def guild_link(application_id: int) -> str:
    """Where somebody who manages a server adds the bot to it."""
    return discord.utils.oauth_url(application_id, permissions=PERMISSIONS, scopes=GUILD_SCOPES)


def user_link(application_id: int) -> str:
    """Where a person adds the bot to their own account."""
    return discord.utils.oauth_url(application_id, scopes=USER_SCOPES) + _USER_INSTALL


def missing(granted: int) -> list[str]:
    """The permissions that the bot asks for and these do not hold, as Discord's clients call them. An administrator
    has all."""
    held = discord.Permissions(granted)
    if held.administrator:
        return []
    wanted = discord.Permissions(PERMISSIONS.value & ~granted)
    names = {"read_messages": "view_channel"}
    return [names.get(name, name).replace("_", " ").title() for name, lacking in wanted if lacking]
