"""The buttons that ask again. All they need stands in their custom id, so they outlive restarts of the bot."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Self

import discord

from bot import attachments, render
from bot.boundary import OUTDATED_BUTTON, guarded
from bot.policy import options_here
from bot.question import Choice, Question
from bot.speech import in_any_language
from interrogator.limits import MAX_SUBJECT
from interrogator.types import Mode, Options

MODE_LABELS = {
    Mode.TURBO: "Turbo",
    Mode.BEST: "Best",
    Mode.FAST: "Fast",
    Mode.CLASSIC: "Classic",
    Mode.CAPTION: "Caption",
    Mode.NEGATIVE: "Negative",
}
BUTTONS_A_ROW = 3  # what a phone shows side by side
PICTURE_GONE = "The picture is gone from this message. Please send the image again."
PROFILE = r"(?::p=(?P<profile>[A-Za-z0-9_.-]{1,40}))?"  # in the id of a button, where the name can stand there
_PROFILE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TEMPLATE = (
    r"interrogate:v1:(?P<mode>[a-z]{1,20}):(?P<style>full|style)"
    r"(?::(?P<frame>[1-9][0-9]{0,3}))?(?P<unnamed>:unnamed)?" + PROFILE
)
_SUBJECT = re.compile(rf"^{in_any_language(render.SUBJECT)}`(?P<subject>[^`]+)`$", re.MULTILINE)
_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_BUTTON = discord.ui.Button[discord.ui.View]


class ModeButton(discord.ui.DynamicItem[_BUTTON], template=_TEMPLATE):
    """Interrogates the picture of its own message again, in another mode.

    Anyone may press it, and the answer is recorded as theirs. It is public only where the one who asked first presses
    the button of a public answer; others get an answer that they alone see, so that nobody can fill a channel with
    somebody else's picture.
    """

    def __init__(self, mode: str, choice: Choice, *, label: str = "", current: bool = False) -> None:
        which = f":{choice.frame}" if choice.frame > 1 else ""
        which += "" if choice.artists else ":unnamed"
        which += profile_part(choice.profile)
        super().__init__(
            discord.ui.Button(
                label=label or mode.capitalize(),
                style=discord.ButtonStyle.primary if current else discord.ButtonStyle.secondary,
                custom_id=f"interrogate:v1:{mode}:{'style' if choice.style_only else 'full'}{which}",
                disabled=current,
            )
        )
        self.mode = mode
        self.choice = choice

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        frame, artists = int(match["frame"] or 1), match["unnamed"] is None
        style_only, profile = match["style"] == "style", match["profile"] or ""
        return cls(match["mode"], Choice(style_only=style_only, artists=artists, frame=frame, profile=profile))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer in a new message."""
        async with guarded(interaction):
            if self.mode not in set(Mode):
                await interaction.response.send_message(render.failure(OUTDATED_BUTTON), ephemeral=True)
                return
            message = interaction.message
            picture = attachments.of_answer(message) if message is not None else None
            if message is None or picture is None:
                await interaction.response.send_message(render.failure(PICTURE_GONE), ephemeral=True)
                return
            mode = Mode(self.mode)
            subject = "" if self.choice.style_only or mode in render.STYLELESS else _subject_of(message)
            choice = replace(self.choice, mode=mode, subject=subject)
            question = Question(
                pictures=(picture,),
                options=await options_here(interaction, choice),
                private=message.flags.ephemeral or asker_of(message) != interaction.user.id,
            )
            await interaction.client.answer(interaction, question)


def mode_view(options: Options) -> discord.ui.View:
    """A button a mode, none of them the present one."""
    view = discord.ui.View(timeout=None)
    for place, (mode, label) in enumerate(MODE_LABELS.items()):
        button = ModeButton(
            mode.value, Choice(artists=options.artists, frame=options.frame, profile=options.profile), label=label
        )
        button.row = place // BUTTONS_A_ROW
        view.add_item(button)
    return view


def profile_part(profile: str) -> str:
    """What stands for the profile in the id of a button."""
    return f":p={profile}" if _PROFILE.fullmatch(profile) else ""


def _subject_of(message: discord.Message) -> str:
    """What an answer of the bot has put into the style of its picture; empty where it is about the picture's own."""
    for embed in message.embeds:
        if found := _SUBJECT.search(_BLOCK.sub("", embed.description or "")):  # a file may say anything in a block
            return found["subject"][:MAX_SUBJECT]
    return ""


def asker_of(message: discord.Message | None) -> int | None:
    """Who asked for this answer of the bot: as Discord tells it, or as the bot itself wrote where it posted the answer
    outside the interaction (`bot.row_reply`)."""
    if message is None:
        return None
    if (metadata := message.interaction_metadata) is not None:
        return metadata.user.id
    return next(iter(message.raw_mentions), None)
