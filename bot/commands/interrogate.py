"""/interrogate, and the two entries in the menu of a message."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import attachments, render
from bot.policy import check_profile, options_here
from bot.question import Choice, Question
from bot.text import one_line
from interrogator.limits import MAX_FRAME, MAX_SUBJECT
from interrogator.types import DEFAULT_MODE, Mode

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

MODE_HELP = {
    Mode.TURBO: "a quick search for the closest prompt",
    Mode.BEST: "the deepest search; takes longer",
    Mode.FAST: "the caption and the phrases that match best",
    Mode.CLASSIC: "the caption and the best phrase of each kind",
    Mode.CAPTION: "only what the picture shows",
    Mode.NEGATIVE: "what the picture is not, for a negative prompt",
}
IMAGE_HELP = "the picture (PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, HEIC)"
MOST_CHOICES, NAME_LIMIT = 25, 100  # what Discord shows
FURTHER = ("image2", "image3", "image4", "image5")
NO_PICTURE = "There is no picture in this message. Choose a message with an image, or use /interrogate with your own."


@app_commands.command(name="interrogate", description="Turn a picture into a prompt for text-to-image models")
@app_commands.describe(
    image=IMAGE_HELP,
    mode=f"how the prompt is made; {DEFAULT_MODE.value}, or the server's own default, where you choose none",
    style_only="leave the subject out and describe only the style",
    subject="put this into the picture's style, in place of what the picture shows",
    artists="whether the prompt may name artists; yes where you choose none, unless the server says no",
    profile="the models that answer; the server's or the bot's own where you choose none",
    frame="which picture of an animation, or page of a document; 1, the first, where you choose none",
    private="only you see the answer",
    **dict.fromkeys(FURTHER, "one more picture, answered in a message of its own"),
)
@app_commands.choices(
    mode=[app_commands.Choice(name=f"{mode.value}: {text}", value=mode.value) for mode, text in MODE_HELP.items()]
)
async def interrogate(  # noqa: PLR0913 - each is an option of the command
    interaction: Interaction,
    *,
    image: discord.Attachment,
    mode: str = "",
    style_only: bool = False,
    subject: app_commands.Range[str, 1, MAX_SUBJECT] = "",
    artists: bool = True,
    profile: str = "",
    frame: app_commands.Range[int, 1, MAX_FRAME] = 1,
    private: bool = False,
    image2: discord.Attachment | None = None,
    image3: discord.Attachment | None = None,
    image4: discord.Attachment | None = None,
    image5: discord.Attachment | None = None,
) -> None:
    """Answer with a prompt for each picture."""
    check_profile(profile, interaction.client.settings.offered)
    choice = Choice(
        Mode(mode) if mode else None,
        style_only=style_only,
        subject=one_line(subject).replace("`", "'"),
        artists=artists,
        frame=frame,
        profile=profile,
    )
    options = await options_here(interaction, choice)
    images = [found for found in (image, image2, image3, image4, image5) if found is not None]
    pictures = tuple(attachments.of_attachment(found) for found in images)
    await interaction.client.answer(interaction, Question(pictures=pictures, options=options, private=private))


@interrogate.autocomplete("profile")
async def _profiles(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Those that this bot has models for."""
    offered = (
        name
        for name in interaction.client.settings.offered
        if typed.casefold() in name.casefold() and len(name) <= NAME_LIMIT
    )
    return [app_commands.Choice(name=name, value=name) for name in islice(offered, MOST_CHOICES)]


@app_commands.context_menu(name="Interrogate image")
async def interrogate_message(interaction: Interaction, message: discord.Message) -> None:
    """Answer with a prompt for each picture of a message."""
    await _interrogate_message(interaction, message, style_only=False)


@app_commands.context_menu(name="Style only")
async def style_of_message(interaction: Interaction, message: discord.Message) -> None:
    """The same for the style alone."""
    await _interrogate_message(interaction, message, style_only=True)


async def _interrogate_message(interaction: Interaction, message: discord.Message, *, style_only: bool) -> None:
    pictures = attachments.of_message_or_answer(message, interaction.client.user)
    if not pictures:
        await interaction.response.send_message(render.failure(NO_PICTURE), ephemeral=True)
        return
    options = await options_here(interaction, Choice(style_only=style_only))
    await interaction.client.answer(interaction, Question(pictures=tuple(pictures), options=options))
