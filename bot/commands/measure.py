"""/compare, /score and /analyze: a picture in five modes, against a prompt, against the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import attachments
from bot.commands.interrogate import IMAGE_HELP
from bot.inquiry import inquire
from bot.measure_buttons import edit_view
from bot.measuring import MAX_PROMPT, analysing, check_prompt, comparing, scoring
from bot.policy import options_here
from bot.question import Choice
from bot.views import mode_view
from interrogator.types import DEFAULT_MODE

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

PRIVATE_HELP = "only you see the answer"


@app_commands.command(name="compare", description="A picture's prompts in five modes, with similarity and seconds")
@app_commands.describe(image=IMAGE_HELP, private=PRIVATE_HELP)
async def compare(interaction: Interaction, image: discord.Attachment, private: bool = False) -> None:
    """Answer with one prompt a mode."""
    options = await options_here(interaction, Choice(DEFAULT_MODE))
    await inquire(interaction, attachments.of_attachment(image), options, comparing(mode_view), private=private)


@app_commands.command(name="score", description="How well a prompt of yours fits a picture, and what each phrase adds")
@app_commands.describe(image=IMAGE_HELP, prompt="the prompt, its phrases divided by commas")
async def score(
    interaction: Interaction, image: discord.Attachment, prompt: app_commands.Range[str, 1, MAX_PROMPT]
) -> None:
    """Tell the one who asks alone: the words are theirs, not the bot's."""
    find = scoring(check_prompt(prompt), edit_view)
    options = await options_here(interaction, Choice(DEFAULT_MODE))
    await inquire(interaction, attachments.of_attachment(image), options, find, private=True)


@app_commands.command(name="analyze", description="The phrases of every kind that are nearest to a picture")
@app_commands.describe(image=IMAGE_HELP, private=PRIVATE_HELP)
async def analyze(interaction: Interaction, image: discord.Attachment, private: bool = False) -> None:
    """Answer with the phrases and a chart of them."""
    options = await options_here(interaction, Choice(DEFAULT_MODE))
    await inquire(interaction, attachments.of_attachment(image), options, analysing(), private=private)
