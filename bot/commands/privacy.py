"""/privacy: what is stored and why, and the buttons to have it, to delete it, and to have nothing kept."""

from __future__ import annotations

import asyncio
import re
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import app_commands

from bot.boundary import guarded
from bot.personal import as_file
from bot.render import COLOUR
from bot.speech import said

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

IN_MEMORY = (
    "**Pictures are never stored.** They are in memory while they are answered; what is remembered of them there for a "
    "while (a digest, numbers, the answer) carries no name."
)
STORED = (
    "**Stored for your `/history`**: your Discord id; the server, channel and message of each answer; the file's name, "
    "size and digest; mode, prompt, caption, similarity; times; what you starred. {retention}"
)
STORED_FOR_A_WHILE = (
    "**Stored to answer you** even after a restart, and erased with the answer: the picture's address at Discord, "
    "Discord's key for this one answer (15 minutes), your language, and whether you asked in a direct message, an "
    "age-restricted channel, or by an app that only you installed."
)
COUNTED = "**Counted** where a server limits it: how many pictures you asked about that day, for two days."
OTHERS = "Others see only what you asked publicly, in channels that they can read. Nothing is given to anybody else."
DELETED_IN_TIME = "Deleted after {days} days."
KEPT_FOR_EVER = "Kept until you delete it."
KEPT = "Your prompts are **kept**."
NOT_KEPT = "Your prompts are **not kept**: each is forgotten once it is shown."
SURE_OF_ONE = "This deletes your one prompt for good. Messages in channels stay: delete those by their button."
SURE = (
    "This deletes {count} prompts for good, your favorites among them. "
    "Messages in channels stay: delete those by their button."
)
NOTHING_TO_DELETE = "Nothing of yours is stored."
DELETED_ONE = "Done: 1 prompt deleted. Nothing of yours is stored any more but your choice whether to keep a history."
DELETED = (
    "Done: {count} prompts deleted. Nothing of yours is stored any more but your choice whether to keep a history."
)
EXPORTED = "All that is stored of you."
TOO_LARGE = "What is stored of you is larger than a file here may be. Please ask whoever runs this bot for it."
_BUTTON = discord.ui.Button[discord.ui.View]


class Choice(StrEnum):
    """What a button of /privacy does."""

    EXPORT = "export"
    KEEP = "keep"
    FORGET = "forget"
    ASK = "ask"
    DELETE = "delete"


_LABELS = {
    Choice.EXPORT: "Export",
    Choice.KEEP: "Keep my prompts",
    Choice.FORGET: "Keep nothing from now on",
    Choice.ASK: "Delete everything …",
    Choice.DELETE: "Yes, delete everything",
}


@app_commands.command(name="privacy", description="What is stored of you: export it, delete it, or have nothing kept")
async def privacy(interaction: Interaction) -> None:
    """Tell the one who asks alone."""
    kept = await interaction.client.rulebook.keeps_history(interaction.user.id)
    embed = privacy_embed(kept, interaction.client.settings.retention_days)
    await interaction.response.send_message(embed=embed, view=privacy_view(kept), ephemeral=True)


def privacy_embed(kept: bool, retention_days: int) -> discord.Embed:
    """`retention_days` as the setting: 0 where nothing is deleted by itself."""
    retention = said(DELETED_IN_TIME, days=retention_days) if retention_days else said(KEPT_FOR_EVER)
    stored = "\n".join([said(STORED, retention=retention), said(STORED_FOR_A_WHILE), said(COUNTED)])
    text = "\n\n".join([said(IN_MEMORY), stored, said(OTHERS), said(KEPT) if kept else said(NOT_KEPT)])
    return discord.Embed(title=said("Privacy"), description=text, colour=COLOUR)


def privacy_view(kept: bool) -> discord.ui.View:
    """The buttons under it."""
    view = discord.ui.View(timeout=None)
    for choice in (Choice.EXPORT, Choice.FORGET if kept else Choice.KEEP, Choice.ASK):
        view.add_item(PrivacyButton(choice))
    return view


class PrivacyButton(discord.ui.DynamicItem[_BUTTON], template=r"privacy:v1:(?P<choice>export|keep|forget|ask|delete)"):
    """Concerns whoever presses it, and nobody else."""

    def __init__(self, choice: Choice) -> None:
        danger = choice in (Choice.ASK, Choice.DELETE)
        style = discord.ButtonStyle.danger if danger else discord.ButtonStyle.secondary
        label = said(_LABELS[choice])
        super().__init__(discord.ui.Button(label=label, style=style, custom_id=f"privacy:v1:{choice.value}"))
        self.choice = choice

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        return cls(Choice(match["choice"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do it."""
        async with guarded(interaction):
            match self.choice:
                case Choice.EXPORT:
                    await _export(interaction)
                case Choice.KEEP | Choice.FORGET:
                    await _choose(interaction, self.choice is Choice.KEEP)
                case Choice.ASK:
                    await _ask(interaction)
                case Choice.DELETE:
                    await _delete(interaction)


async def _export(interaction: Interaction) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    everything = await interaction.client.personal.everything(interaction.user.id)
    file = await asyncio.to_thread(as_file, everything, interaction.filesize_limit)
    if file is None:
        await interaction.edit_original_response(content=said(TOO_LARGE))
        return
    name, content = file
    await interaction.edit_original_response(content=said(EXPORTED), attachments=[discord.File(BytesIO(content), name)])


async def _choose(interaction: Interaction, kept: bool) -> None:
    await interaction.client.rulebook.choose_history(interaction.user.id, kept)
    embed = privacy_embed(kept, interaction.client.settings.retention_days)
    await interaction.response.edit_message(embed=embed, view=privacy_view(kept))


async def _ask(interaction: Interaction) -> None:
    count = await interaction.client.personal.count(interaction.user.id)
    if not count:
        await interaction.response.send_message(said(NOTHING_TO_DELETE), ephemeral=True)
        return
    view = discord.ui.View(timeout=None)
    view.add_item(PrivacyButton(Choice.DELETE))
    sure = said(SURE_OF_ONE) if count == 1 else said(SURE, count=count)
    await interaction.response.send_message(sure, view=view, ephemeral=True)


async def _delete(interaction: Interaction) -> None:
    await interaction.response.defer()
    deleted = await interaction.client.personal.delete(interaction.user.id)
    done = said(DELETED_ONE) if deleted == 1 else said(DELETED, count=deleted)
    await interaction.edit_original_response(content=done, view=None)
