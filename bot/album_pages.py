"""The answers to several pictures in one message, a page each, with a way to the message that each stands in."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import discord

from bot import attachments, render
from bot.boundary import guarded, tell
from bot.entries import NotYoursError
from bot.history_again import picture_of
from bot.render_history import link_to
from bot.reply import UNDELIVERED
from bot.speech import said
from interrogator.errors import UnreadableImageError
from interrogator.types import Interrogation

if TYPE_CHECKING:
    from bot.client import InterrogatorBot
    from bot.entries import Entry

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)

MOST = 2**63 - 1  # of an id in the database
GONE = "These answers are not in your history any more."
_TEMPLATE = r"album:v1:(?P<first>[0-9]{1,18}):(?P<interaction>[0-9]{1,20}):(?P<page>[0-9]{1,3})"
_BUTTON = discord.ui.Button[discord.ui.View]


class AlbumButton(discord.ui.DynamicItem[_BUTTON], template=_TEMPLATE):
    """Turns to a page of the answers of an interaction, `first` being its first row in the history."""

    def __init__(self, first: int, interaction_id: int, page: int, *, label: str = "", there: bool = True) -> None:
        super().__init__(
            discord.ui.Button(
                label=label or str(page + 1),
                custom_id=f"album:v1:{first}:{interaction_id}:{page}",
                disabled=not there,
            )
        )
        self.first = first
        self.interaction_id = interaction_id
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        return cls(int(match["first"]), int(match["interaction"]), int(match["page"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the page in the place of the one before."""
        async with guarded(interaction):
            entries: Sequence[Entry] = ()
            if self.interaction_id <= MOST:
                entries = await interaction.client.history.of_interaction(self.first, self.interaction_id)
            if any(entry.user_id != interaction.user.id for entry in entries):
                raise NotYoursError
            entries = with_prompts(entries)
            if not entries:
                await tell(interaction, GONE)
                return
            await interaction.response.defer()
            embed, view = await album_page(interaction, entries, self.page)
            await interaction.edit_original_response(embed=embed, view=view)


def with_prompts(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Those that were answered by a prompt."""
    return [entry for entry in entries if entry.prompt]


async def album_page(
    interaction: Interaction, entries: Sequence[Entry], page: int
) -> tuple[discord.Embed, discord.ui.View]:
    """The answer of this page, counted from 0, with its picture where that can still be seen; the last page where
    there are not so many any more. `entries` are answers, at least one, of one interaction."""
    page = min(page, len(entries) - 1)
    entry = entries[page]
    picture: str | None = None
    try:
        address = (await picture_of(interaction, entry)).url
        picture = address if attachments.is_on_discord(address) else None  # no simulated address
    except (UnreadableImageError, *UNDELIVERED):  # such as an answer to the asker alone; the page has a link at most
        log.info("interrogation %d is shown without its picture", entry.id)
    columns = interaction.client.display.columns
    embed = render.answer(_interrogation_of(entry), picture=picture, with_files=False, columns=columns).embed
    embed.title = f"{embed.title} · {said('{page} of {pages}', page=page + 1, pages=len(entries))}"
    view = discord.ui.View(timeout=None)
    first, interaction_id = entries[0].id, entries[0].interaction_id or 0
    before, after = max(page - 1, 0), min(page + 1, len(entries) - 1)
    if before != after:
        view.add_item(AlbumButton(first, interaction_id, before, label="◀", there=page > 0))
        view.add_item(AlbumButton(first, interaction_id, after, label="▶", there=page < len(entries) - 1))
    if (link := link_to(entry)) is not None:
        view.add_item(discord.ui.Button(label=said("Open"), url=link))
    return embed, view


def _interrogation_of(entry: Entry) -> Interrogation:
    """What the history keeps of an answer."""
    return Interrogation(
        sha256=entry.image_sha256 or "",
        width=entry.width or 0,
        height=entry.height or 0,
        profile=entry.profile,
        engine=entry.engine or "",
        mode=entry.mode,
        style_only=entry.style_only,
        subject=entry.subject,
        caption=entry.caption or "",
        prompt=entry.prompt or "",
        phrases=entry.phrases,
        similarity=entry.similarity or 0.0,
        seconds=entry.seconds or 0.0,
        cached=bool(entry.cached),
        embedded=entry.embedded,
        frame=entry.frame,
        frames=entry.frames or 1,
    )
