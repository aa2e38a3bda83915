"""The buttons that stop a picture while it waits or is being answered: one of the history, and one that is not."""

from __future__ import annotations

import re
from typing import Any, Self

import discord

from bot import render
from bot.boundary import guarded
from bot.history import UNFINISHED, NotYoursError
from bot.speech import said
from interrogator.types import JobId

ENDED = "This has ended already; there is nothing to cancel."
_BUTTON = discord.ui.Button[discord.ui.View]


class CancelButton(discord.ui.DynamicItem[_BUTTON], template=r"cancel:v1:(?P<row>[0-9]{1,18})"):
    """Stops the picture of a row of the history, for the one who asked. That it is stopped is told where its answer
    would be, by who answers it."""

    def __init__(self, row: int) -> None:
        super().__init__(
            discord.ui.Button(label=said("Cancel"), style=discord.ButtonStyle.secondary, custom_id=f"cancel:v1:{row}")
        )
        self.row_id = row

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        return cls(int(match["row"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Stop it, or tell why not."""
        async with guarded(interaction):
            entry = await interaction.client.history.get(self.row_id)
            if entry is not None and entry.user_id != interaction.user.id:
                raise NotYoursError
            if entry is None or entry.state not in UNFINISHED:
                await interaction.response.send_message(render.failure(ENDED), ephemeral=True)
                return
            interaction.client.unwanted.add(entry.id)  # the queue may not have it yet
            await interaction.response.defer()
            await interaction.client.queue.cancel(JobId(str(entry.id)))


class StopButton(discord.ui.DynamicItem[_BUTTON], template=r"stop:v1:(?P<interaction>[0-9]{1,20})"):
    """Stops the inquiry of an interaction (`bot.inquiry`), for the one who asked."""

    def __init__(self, interaction_id: int) -> None:
        super().__init__(
            discord.ui.Button(
                label=said("Cancel"), style=discord.ButtonStyle.secondary, custom_id=f"stop:v1:{interaction_id}"
            )
        )
        self.interaction_id = interaction_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        return cls(int(match["interaction"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Stop it, or tell why not."""
        async with guarded(interaction):
            inquiry = interaction.client.inquiries.get(self.interaction_id)
            if inquiry is None:
                await interaction.response.send_message(render.failure(ENDED), ephemeral=True)
                return
            if inquiry.user_id != interaction.user.id:
                raise NotYoursError
            await interaction.response.defer()
            await inquiry.cancel()


def stop_view(interaction_id: int) -> discord.ui.View:
    """That button alone."""
    view = discord.ui.View(timeout=None)
    view.add_item(StopButton(interaction_id))
    return view


def cancel_view(row: int) -> discord.ui.View:
    """That button alone."""
    view = discord.ui.View(timeout=None)
    view.add_item(CancelButton(row))
    return view
