"""Where an interaction came from, as far as its answer depends on that: what a process that goes on with it must know
too, which has not seen the interaction itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord

_KEY = "origin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`locale` as Discord names it; `own_app` where the app is installed by the asker alone, not by a server; `direct`
    for the messages between bot and asker; `age_restricted` for a channel of adults. The defaults are the strictest."""

    locale: str = "en-US"
    own_app: bool = False
    direct: bool = False
    age_restricted: bool = False


def origin_of(interaction: discord.Interaction[Any]) -> Origin:
    """As Discord tells it, or as `set_origin` has."""
    known = interaction.extras.get(_KEY)
    if isinstance(known, Origin):
        return known
    return Origin(
        locale=str(interaction.locale),
        own_app=interaction.is_user_integration() and not interaction.is_guild_integration(),
        direct=interaction.context.dm_channel,
        age_restricted=_is_age_restricted(interaction.channel),
    )


def set_origin(interaction: discord.Interaction[Any], origin: Origin) -> None:
    """For an interaction that is put together from what was stored of it."""
    interaction.extras[_KEY] = origin


def _is_age_restricted(channel: object) -> bool:
    """A thread is as its channel."""
    return bool(getattr(channel, "nsfw", False) or getattr(getattr(channel, "parent", None), "nsfw", False))
