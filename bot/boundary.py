"""Where errors that nobody expected end: a reference for the person, the traceback for the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands

from bot import render, trouble
from bot.reply import UNDELIVERED, reason
from bot.speech import speak_to
from interrogator.errors import InterrogatorError

log = logging.getLogger(__name__)

OUTDATED_COMMAND = "This command has changed. Please reload Discord (Ctrl+R, or restart the app) and try again."
OUTDATED_BUTTON = "This button comes from another version of the bot. Please use the command again."
UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060


class InterrogatorTree(app_commands.CommandTree[Any]):
    """The commands, with the bot's error boundary."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Every command is answered in the language of its user."""
        speak_to(interaction)
        return True

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
        """Tell the person, ephemerally, whatever happened."""
        if isinstance(error, app_commands.CommandInvokeError):
            await answer_error(interaction, error.original)
        elif isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            await tell(interaction, OUTDATED_COMMAND)
        else:
            await answer_error(interaction, error)


@asynccontextmanager
async def guarded(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """The same boundary for buttons, which do not pass the tree."""
    speak_to(interaction)
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the boundary: everything is told and logged, nothing is swallowed
        await answer_error(interaction, error)


async def answer_error(interaction: discord.Interaction[Any], error: Exception) -> None:
    """An expected error as its sentence, any other as a reference under which the log has it."""
    if isinstance(error, InterrogatorError):
        await tell(interaction, trouble.told(error))
        return
    if isinstance(error, discord.NotFound) and error.code == UNKNOWN_INTERACTION:
        log.warning("interaction %d was not answered within Discord's 3 seconds", interaction.id)
        return
    if isinstance(error, discord.HTTPException) and error.code == ALREADY_ANSWERED:
        log.warning("interaction %d was answered, though that was not heard", interaction.id)
        return
    if sentence := trouble.of_discord(error):
        log.warning("interaction %d: %s", interaction.id, reason(error))
        await tell(interaction, sentence)
        return
    reference = secrets.token_hex(4)
    log.error("unexpected error, reference %s, interaction %d", reference, interaction.id, exc_info=error)
    await tell(
        interaction,
        f"Something went wrong on my side. Please try again; if it goes on, tell whoever runs this bot: `{reference}`",
    )


async def tell(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Say it to the person alone."""
    text = render.failure(sentence)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except UNDELIVERED as error:
        log.warning("interaction %d: an error could not be told: %s", interaction.id, reason(error))
