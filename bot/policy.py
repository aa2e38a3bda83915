"""Whether somebody may ask here, and with which options: the rules of the server, applied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from bot.origin import origin_of
from bot.text import inline_code
from interrogator.errors import InterrogatorError, UnsupportedOptionError
from interrogator.tags import is_unsafe
from interrogator.wording import small, word_finder

if TYPE_CHECKING:
    from bot.client import InterrogatorBot
    from bot.guild_rules import GuildRules
    from bot.question import Choice
    from interrogator.types import Options

    Interaction = discord.Interaction[InterrogatorBot]


ADMINS_ONLY = "Only people who may manage this server can change how I work in it."
MOST_NAMES, NAME_LIMIT = 5, 60
DATABASE_SECONDS = 1.5  # of the three in which Discord wants to hear of us


class NotAllowedError(InterrogatorError):
    """The rules of the server do not let this person ask, or not here."""

    kind = "not_allowed"


class BusyError(InterrogatorError):
    """The database takes longer than Discord waits for us."""

    kind = "busy"


@asynccontextmanager
async def answered_in_time() -> AsyncIterator[None]:
    """BusyError where the block takes longer than `DATABASE_SECONDS`."""
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            yield
    except TimeoutError:
        raise BusyError("The database is busy at the moment. Please try again in a minute.") from None


def check_asker(interaction: Interaction, rules: GuildRules) -> None:
    """NotAllowedError where the rules keep this person, or this channel, from asking. Whoever may change the rules may
    ask all the same."""
    if interaction.guild_id is None or interaction.permissions.manage_guild:
        return
    if rules.channels and not _channels_of(interaction) & set(rules.channels):
        raise NotAllowedError(f"On this server I answer in certain channels only: {_names(interaction, rules)}.")
    if rules.roles and not {role.id for role in getattr(interaction.user, "roles", ())} & set(rules.roles):
        raise NotAllowedError("On this server only people with certain roles may ask me. Please ask its admins.")


def guild_of_admin(interaction: Interaction) -> int:
    """The server of an interaction whose sender may change its rules now, whatever the command's own permissions are
    set to. NotAllowedError where they may not."""
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        raise NotAllowedError(ADMINS_ONLY)
    return interaction.guild_id


async def options_here(interaction: Interaction, choice: Choice) -> Options:
    """What a person chose, under the rules of the place where they chose it. NotAllowedError for a subject with words
    that no prompt may have there."""
    bot = interaction.client
    age_restricted = origin_of(interaction).age_restricted
    options = await bot.options(interaction.guild_id, choice, age_restricted=age_restricted)
    if options.subject:
        _check_subject(options)
    return options


def check_profile(profile: str, offered: Sequence[str]) -> None:
    """UnsupportedOptionError for one that this bot has no models for; an empty one is no choice."""
    if profile and profile not in offered:
        names = ", ".join(inline_code(name, NAME_LIMIT) for name in offered)
        raise UnsupportedOptionError(f"I have no profile {inline_code(profile, NAME_LIMIT)}. Choose one of {names}.")


def _check_subject(options: Options) -> None:
    if word_finder(small(options.blocked))(options.subject.casefold()):
        raise NotAllowedError("The subject has a word that this server does not want in prompts. Please write another.")
    if not options.unsafe and is_unsafe(options.subject):
        raise NotAllowedError("The subject has words that are for age-restricted channels. Please write another.")


def applied(options: Options, rules: GuildRules, *, age_restricted: bool) -> Options:
    """The options under the rules."""
    return replace(
        options,
        artists=options.artists and rules.artists,
        blocked=tuple(dict.fromkeys((*options.blocked, *rules.blocked))),
        unsafe=age_restricted and not rules.safe_only,
        extra=rules.extra,
    )


def must_be_private(interaction: Interaction, nsfw: float | None) -> bool:
    """Whether an answer about a picture of this score is for its asker alone here: where people may read along who are
    not adults. A threshold of 1 is none."""
    threshold = interaction.client.settings.nsfw_threshold
    if nsfw is None or threshold >= 1 or nsfw < threshold:
        return False
    origin = origin_of(interaction)
    return not (origin.direct or origin.age_restricted)


def _channels_of(interaction: Interaction) -> set[int]:
    """The channel, and of a thread the channel that it belongs to."""
    parent = getattr(interaction.channel, "parent_id", None)
    return {found for found in (interaction.channel_id, parent) if found is not None}


def _names(interaction: Interaction, rules: GuildRules) -> str:
    """Some of the channels, as far as they are known."""
    guild = interaction.guild
    channels = [guild.get_channel(channel) for channel in rules.channels] if guild is not None else []
    names = [inline_code(f"#{channel.name}", NAME_LIMIT) for channel in channels if channel is not None]
    return ", ".join(names[:MOST_NAMES]) or "please ask its admins which"
