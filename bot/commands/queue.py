"""/queue: how much there is to do, and what of it is one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.render import seconds_text
from bot.speech import said
from interrogator.queue import QueueStatus, WorkerState
from interrogator.types import Queued

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

WORKER = {
    WorkerState.STARTING: "⏳ The image model is being loaded; pictures wait until it is ready.",
    WorkerState.READY: "The image model is ready.",
    WorkerState.RESTARTING: "⏳ The image model is being started again; nothing that waits is lost.",
    WorkerState.STOPPED: "⚠️ The image model does not run. Please tell whoever runs this bot.",
}
MOST_PLACES = 10  # of one person's
BUSY = "**{waiting}** waiting, **{running}** being answered."
IDLE = "Nobody waits: a picture would be answered at once."


@app_commands.command(name="queue", description="How many pictures wait, and how many of them are yours")
async def queue(interaction: Interaction) -> None:
    """Tell the one who asks alone."""
    bot = interaction.client
    own = await bot.history.count_unfinished(interaction.user.id)
    await interaction.response.send_message(
        queue_text(bot.queue.status(), own, bot.waiting.of(interaction.user.id)), ephemeral=True
    )


def queue_text(status: QueueStatus, own: int, places: Sequence[Queued]) -> str:
    """What the queue says, how many unfinished pictures are the reader's own, and where those stand that wait here."""
    lines = [said(WORKER[status.worker])]
    if status.waiting or status.running:
        lines.append(said(BUSY, waiting=status.waiting, running=status.running))
    elif status.worker is WorkerState.READY:
        lines.append(said(IDLE))
    if own:
        lines.append(said("One of them is yours.") if own == 1 else said("{count} of them are yours.", count=own))
    lines += [_place(place) for place in places[:MOST_PLACES]]
    return "\n".join(lines)


def _place(place: Queued) -> str:
    """Where a picture stands, in words."""
    line = said("Yours: next")
    if place.position > 1:
        line = said("Yours: position {position}", position=place.position)
    if place.eta is None:
        return line
    return f"{line}, {said('about {seconds}', seconds=seconds_text(max(place.eta, 0.1)))}"
