"""Forms that people fill in. discord.py knows an open one only as long as this process lives; what is sent from one
that an earlier process opened is answered with how to open it again."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import discord

from bot.boundary import answer_error, tell
from bot.speech import speak_to

REOPEN = "The bot was restarted while this form was open. Please open it again by its button."
HAND_OVER_SECONDS = 1.5  # of Discord's three: a process that is about to end may hear of its own form, too
_PROCESS = f"form:{secrets.token_hex(4)}:"


class GuardedForm(discord.ui.Modal):
    """A modal with the bot's error boundary, recognised as this process's own by its id."""

    def __init__(self, *, title: str) -> None:
        super().__init__(title=title, custom_id=f"{_PROCESS}{secrets.token_hex(8)}")

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Every form is answered in the language of its user."""
        speak_to(interaction)
        return True

    async def on_error(  # type: ignore[override]  # as discord.ui.Modal's own, which mypy lets differ from a view's
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        """As for buttons."""
        await answer_error(interaction, error)


async def answer_orphan(interaction: discord.Interaction[Any]) -> None:
    """Tell whoever sent a form of an earlier process what to do; of any other interaction, nothing."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return
    data: Any = interaction.data  # of a form, by its type
    custom_id = str(data["custom_id"])
    if not custom_id.startswith(_PROCESS):
        await asyncio.sleep(HAND_OVER_SECONDS)
        speak_to(interaction)
        await tell(interaction, REOPEN)
