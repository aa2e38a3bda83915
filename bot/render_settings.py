"""The rules of a server as an embed."""

from __future__ import annotations

import discord

from bot.guild_rules import GuildRules
from bot.render import COLOUR
from bot.speech import said
from bot.text import plain
from interrogator.types import DEFAULT_MODE

FIELD_LIMIT = 1000
PROFILE_LIMIT = 500


def settings_embed(rules: GuildRules) -> discord.Embed:
    """What is decided, in the order of the forms."""
    embed = discord.Embed(title=said("Settings of this server"), colour=COLOUR)
    roles = _all([f"<@&{role}>" for role in rules.roles], said("everyone"))
    channels = _all([f"<#{channel}>" for channel in rules.channels], said("everywhere"))
    safe = said("everywhere") if rules.safe_only else said("outside age-restricted channels")
    fields = {
        said("Answers"): _answers(rules),
        said("Who"): roles,
        said("Where"): channels,
        said("Limits"): _limits(rules),
        said("Blocked words"): plain(", ".join(rules.blocked), FIELD_LIMIT) or said("none"),
        said("Phrases of your own"): plain(", ".join(rules.extra), FIELD_LIMIT) or said("none"),
        said("Safe words only"): safe,
    }
    for name, value in fields.items():
        embed.add_field(name=name, value=value, inline=False)
    return embed


def _answers(rules: GuildRules) -> str:
    own = said("Mode **{mode} (the bot's own)**", mode=DEFAULT_MODE.value)
    parts = [own if rules.mode is None else said("Mode **{mode}**", mode=rules.mode.value)]
    if rules.profile:
        parts.append(said("profile **{profile}**", profile=plain(rules.profile, PROFILE_LIMIT)))
    parts.append(said("all private") if rules.private else said("public, unless they are asked for as private"))
    parts.append(said("artists' names on") if rules.artists else said("artists' names off"))
    return " · ".join(parts)


def _limits(rules: GuildRules) -> str:
    cooldown, daily = said("no cooldown"), said("no daily limit")
    if rules.cooldown_seconds:
        cooldown = said("{seconds} s between two questions", seconds=rules.cooldown_seconds)
    if rules.daily_limit:
        daily = said("{count} pictures a person and day", count=rules.daily_limit)
    return f"{cooldown} · {daily}"


def _all(mentions: list[str], otherwise: str) -> str:
    return " ".join(mentions) or otherwise
