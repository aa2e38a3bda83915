"""The pages of /history and the buttons that turn them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import discord

from bot.boundary import OUTDATED_BUTTON, guarded, tell
from bot.history import Cursor, Direction, Page, Viewer, Wanted
from bot.history_again import AgainSelect, again_choices
from bot.render_history import Look, history_embed
from bot.speech import said
from interrogator.types import Mode

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

_TEMPLATE = (
    r"history:v2:(?P<user>[0-9]{1,20}):(?P<direction>older|newer):(?P<id>[0-9]{1,19})"
    r":(?P<mode>[a-z]{0,8}):(?P<starred>[01]):(?P<search>.{0,30})"
)
SEARCH_LIMIT = 30  # so that it fits into the 100 characters of a button's id
MOST = 2**63 - 1  # of an id in the database
_BUTTON = discord.ui.Button[discord.ui.View]


async def history_message(
    interaction: Interaction, user_id: int, wanted: Wanted, cursor: Cursor | None = None
) -> tuple[discord.Embed, discord.ui.View | None]:
    """The page beside `cursor`, as whoever sent the interaction may see it."""
    bot = interaction.client
    limit, viewer = bot.settings.history_page_size, viewer_of(interaction)
    page = await bot.history.page(user_id, viewer, wanted=wanted, cursor=cursor, limit=limit)
    look = Look(
        whose=None if user_id == interaction.user.id else user_id,
        in_guild=interaction.guild_id is not None,
        turned=cursor is not None,
        wanted=wanted,
        times=bot.display.times,
    )
    return history_embed(page, look), history_view(user_id, wanted, page, own=look.whose is None)


def viewer_of(interaction: Interaction) -> Viewer:
    """Whoever sent the interaction. Of a server that the bot is not in, it knows only the channel they are in."""
    guild_id, channel_id, member = interaction.guild_id, interaction.channel_id, interaction.user
    here = frozenset() if channel_id is None else frozenset({channel_id})
    guild = interaction.client.get_guild(guild_id) if guild_id is not None else None
    if guild is None or not isinstance(member, discord.Member):
        return Viewer(member.id, guild_id, here)
    # What was said in a private thread is known to its members alone, who are not known here.
    public = [thread for thread in guild.threads if not thread.is_private() and thread.parent is not None]
    readable = {channel.id for channel in (*guild.channels, *public) if _may_read(channel, member)}
    return Viewer(member.id, guild_id, here | readable)


def _may_read(channel: discord.abc.GuildChannel | discord.Thread, member: discord.Member) -> bool:
    permissions = channel.permissions_for(member)
    return permissions.view_channel and permissions.read_message_history


class HistoryButton(
    discord.ui.DynamicItem[_BUTTON],
    template=_TEMPLATE,
):
    """Turns a page of a history. What the presser may see is asked anew at every press."""

    def __init__(self, user_id: int, wanted: Wanted, cursor: Cursor | None, direction: Direction) -> None:
        row = cursor.id if cursor is not None else 0
        chosen = f"{wanted.mode or ''}:{int(wanted.starred)}:{wanted.search[:SEARCH_LIMIT]}"
        super().__init__(
            discord.ui.Button(
                label=said("Newer") if direction is Direction.NEWER else said("Older"),
                custom_id=f"history:v2:{user_id}:{direction.value}:{row}:{chosen}",
                disabled=cursor is None,
            )
        )
        self.user_id = user_id
        self.wanted = wanted
        self.cursor = Cursor(direction, row)

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        direction = Direction(match["direction"])
        mode = Mode(match["mode"]) if match["mode"] in set(Mode) else None
        wanted = Wanted(search=match["search"], mode=mode, starred=match["starred"] == "1")
        return cls(int(match["user"]), wanted, Cursor(direction, int(match["id"])), direction)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the page in the place of the one before."""
        async with guarded(interaction):
            if max(self.user_id, self.cursor.id) > MOST:
                await tell(interaction, OUTDATED_BUTTON)
                return
            embed, view = await history_message(interaction, self.user_id, self.wanted, self.cursor)
            await interaction.response.edit_message(embed=embed, view=view)


def history_view(user_id: int, wanted: Wanted, page: Page, *, own: bool) -> discord.ui.View | None:
    """Newer and Older, where there is more than one page, and what of one's own can be asked again."""
    view = discord.ui.View(timeout=None)
    if own and (choices := again_choices(page.entries)):
        view.add_item(AgainSelect(choices))
    if page.newer is not None or page.older is not None:
        view.add_item(HistoryButton(user_id, wanted, page.newer, Direction.NEWER))
        view.add_item(HistoryButton(user_id, wanted, page.older, Direction.OLDER))
    return view if view.children else None
