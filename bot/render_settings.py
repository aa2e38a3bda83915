"""The rules of a server as an embed."""

from __future__ import annotations

import discord

from bot.guild_rules import GuildRules
from bot.render import COLOUR
from bot.text import plain
from interrogator.types import DEFAULT_MODE

FIELD_LIMIT = 1000


def settings_embed(rules: GuildRules) -> discord.Embed:
    """What is decided, in the order of the forms."""
    embed = discord.Embed(title="Settings of this server", colour=COLOUR)
    mode = rules.mode.value if rules.mode is not None else f"{DEFAULT_MODE.value} (the bot's own)"
    answers = "private" if rules.private else "public, unless they are asked for as private"
    profile = f"profile **{plain(rules.profile, FIELD_LIMIT)}**, " if rules.profile else ""
    embed.add_field(name="Answers", value=f"Mode **{mode}**, {profile}{answers}; artists' names {_on(rules.artists)}")
    embed.add_field(name="Who", value=_all([f"<@&{role}>" for role in rules.roles], "everyone"), inline=False)
    embed.add_field(
        name="Where", value=_all([f"<#{channel}>" for channel in rules.channels], "everywhere"), inline=False
    )
    cooldown = f"{rules.cooldown_seconds} s between two questions" if rules.cooldown_seconds else "no cooldown"
    daily = f"{rules.daily_limit} pictures a person and day" if rules.daily_limit else "no daily limit"
    embed.add_field(name="Limits", value=f"{cooldown} · {daily}", inline=False)
    blocked = plain(", ".join(rules.blocked), FIELD_LIMIT) or "none"
    embed.add_field(name="Blocked words", value=blocked, inline=False)
    extra = plain(", ".join(rules.extra), FIELD_LIMIT) or "none"
    embed.add_field(name="Phrases of your own", value=extra, inline=False)
    safe = "everywhere" if rules.safe_only else "outside age-restricted channels"
    embed.add_field(name="Safe words only", value=safe, inline=False)
    return embed


def _on(value: bool) -> str:
    return "on" if value else "off"


def _all(mentions: list[str], otherwise: str) -> str:
    return " ".join(mentions) or otherwise
