"""Telling Discord that an answer will come: to be kept, also where it is not known whether Discord has heard it."""

from __future__ import annotations

import logging
from typing import Any

import discord

from bot.reply import LOST, UNDELIVERED, look, reason

log = logging.getLogger(__name__)


async def promise(interaction: discord.Interaction[Any], *, private: bool) -> None:
    """Defer. Where Discord has taken that, but its word of it was lost, the promise stands all the same; where it was
    lost before Discord had it, it is made again. Raises what `UNDELIVERED` lists where there is none."""
    try:
        await _defer(interaction, private)
    except LOST as error:
        log.info("interaction %d is deferred again: %s", interaction.id, reason(error))
        await _defer(interaction, private)


async def _defer(interaction: discord.Interaction[Any], private: bool) -> None:
    try:
        await interaction.response.defer(ephemeral=private, thinking=True)
    except discord.NotFound:  # it came too late
        raise
    except UNDELIVERED as error:
        if not await _is_promised(interaction):
            raise
        log.info("interaction %d is deferred, though that was not heard: %s", interaction.id, reason(error))
        count_as_promised(interaction)


def count_as_promised(interaction: discord.Interaction[Any]) -> None:
    """Let discord.py know of a deferral that it did not make, or not hear of, itself."""
    interaction.response._response_type = discord.InteractionResponseType.deferred_channel_message


async def _is_promised(interaction: discord.Interaction[Any]) -> bool:
    try:
        return (await look(interaction)).flags.loading
    except UNDELIVERED:
        return False
