"""Explain, and Edit and re-score: what the phrases of an answer's prompt are worth, and what a change of it is worth.

All they need stands in their message: the picture, the prompt and, in their custom id, the mode."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import discord

from bot import attachments, render
from bot.attachments import Picture
from bot.boundary import OUTDATED_BUTTON, guarded
from bot.form import GuardedForm
from bot.inquiry import inquire
from bot.measuring import MAX_PROMPT, check_prompt, scoring
from bot.policy import options_here
from bot.question import Choice
from bot.speech import in_any_language, said
from bot.text import one_line
from bot.views import PICTURE_GONE, PROFILE, profile_part
from interrogator.errors import UnreadableImageError, UnsupportedOptionError
from interrogator.types import Mode, Options

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

MOST_BYTES = 64 * 1024  # of a prompt: none is nearly as long
FETCH_SECONDS = 2.0  # of the three in which Discord wants to hear of us
DISCORD_IS_SLOW = "Discord did not give me the prompt in time. Please try again."
NO_PROMPT = "There is no prompt in this message."
_TEMPLATE = r"measure:v1:(?P<action>explain|edit):(?P<mode>[a-z]{1,20})(?::(?P<frame>[1-9][0-9]{0,3}))?" + PROFILE
_BLOCK = re.compile(r"```\n(?P<text>.*?)\n```", re.DOTALL)
_RECONSTRUCTED = re.compile(in_any_language(render.RECONSTRUCTED))
_BUTTON = discord.ui.Button[discord.ui.View]


class Action(StrEnum):
    """What a button does."""

    EXPLAIN = "explain"
    EDIT = "edit"


LABELS = {Action.EXPLAIN: "Explain", Action.EDIT: "Edit …"}


class MeasureButton(discord.ui.DynamicItem[_BUTTON], template=_TEMPLATE):
    """One of the actions on the prompt of its own message. Anyone may press it, and alone sees what comes of it."""

    def __init__(self, action: Action, mode: str, choice: Choice) -> None:
        which = f":{choice.frame}" if choice.frame > 1 else ""
        super().__init__(
            discord.ui.Button(
                label=said(LABELS[action]),
                style=discord.ButtonStyle.secondary,
                custom_id=f"measure:v1:{action.value}:{mode}{which}{profile_part(choice.profile)}",
            )
        )
        self.action = action
        self.mode = mode
        self.choice = choice

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        choice = Choice(frame=int(match["frame"] or 1), profile=match["profile"] or "")
        return cls(Action(match["action"]), match["mode"], choice)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Measure the prompt, or ask for another one."""
        async with guarded(interaction):
            if self.mode not in set(Mode):
                await interaction.response.send_message(render.failure(OUTDATED_BUTTON), ephemeral=True)
                return
            choice = replace(self.choice, mode=Mode(self.mode))
            picture = _picture_of(interaction)
            prompt = await _prompt_of(interaction)
            if self.action is Action.EDIT:
                await interaction.response.send_modal(EditForm(prompt, choice))
                return
            options = await options_here(interaction, choice)
            await inquire(interaction, picture, options, scoring(prompt, edit_view), private=True)


def edit_view(options: Options) -> discord.ui.View:
    """The button for another prompt alone."""
    view = discord.ui.View(timeout=None)
    view.add_item(MeasureButton(Action.EDIT, options.mode.value, Choice(frame=options.frame, profile=options.profile)))
    return view


class EditForm(GuardedForm):
    """Takes another prompt for the same picture and tells the difference."""

    def __init__(self, prompt: str, choice: Choice) -> None:
        super().__init__(title=said("Edit and re-score"))
        self._before = prompt
        self._choice = choice
        self.prompt: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="prompt",
            style=discord.TextStyle.paragraph,
            default=prompt[:MAX_PROMPT],
            max_length=MAX_PROMPT,
        )
        what = said("What stands between two commas is measured as a phrase")
        self.add_item(discord.ui.Label(text=said("Prompt"), description=what, component=self.prompt))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Measure both."""
        prompt = check_prompt(self.prompt.value)
        options = await options_here(interaction, self._choice)
        find = scoring(prompt, edit_view, before=self._before)
        await inquire(interaction, _picture_of(interaction), options, find, private=True)


def _picture_of(interaction: Interaction) -> Picture:
    """The picture of the message that was pressed. UnreadableImageError where it is gone."""
    picture = attachments.of_answer(interaction.message) if interaction.message is not None else None
    if picture is None:
        raise UnreadableImageError(PICTURE_GONE)
    return picture


async def _prompt_of(interaction: Interaction) -> str:
    """The whole prompt of the message that was pressed. UnsupportedOptionError where it has none."""
    message = interaction.message
    for attachment in message.attachments if message is not None else ():
        if attachment.filename == render.PROMPT_FILE:
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    return one_line(await attachments.download_text(attachment, MOST_BYTES))
            except TimeoutError:
                raise UnreadableImageError(DISCORD_IS_SLOW) from None
    [embed, *_] = (message.embeds if message is not None else []) or [discord.Embed()]
    text = _RECONSTRUCTED.split(embed.description or "")[-1]
    found = _BLOCK.search(text)
    if found is None:
        raise UnsupportedOptionError(NO_PROMPT)
    return one_line(found["text"])
