"""The buttons under an answer, and what its owner may do with it: star, share, make private, delete. The row of the
history says who that is, not what a button carries; a moderator may delete what stands in their server."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

import discord

from bot import attachments, render
from bot.boundary import guarded
from bot.history import Entry, NotYoursError, UnknownInterrogationError
from bot.measure_buttons import Action as MeasureAction
from bot.measure_buttons import MeasureButton
from bot.policy import NotAllowedError, must_be_private
from bot.question import Choice
from bot.speech import said
from bot.views import BUTTONS_A_ROW, MODE_LABELS, ModeButton, asker_of
from interrogator.types import DEFAULT_MODE, Mode, Options

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

NOW_PRIVATE = "Only you see this now; the public message is gone."
NOT_SHARED = "This picture may not be fit to be shown to everyone. It can be shared in age-restricted channels."
NO_ROW = 0  # ids begin at 1
_TEMPLATE = r"result:v1:(?P<action>star|unstar|share|hide|delete):(?P<row>[0-9]{1,18})"
_BUTTON = discord.ui.Button[discord.ui.View]


class Action(StrEnum):
    """What a button does. Who sees an answer cannot be changed: it is sent again, to everyone or to one."""

    STAR = "star"
    UNSTAR = "unstar"
    SHARE = "share"
    HIDE = "hide"
    DELETE = "delete"


_LABELS = {
    Action.STAR: "☆ Star",
    Action.UNSTAR: "★ Starred",
    Action.SHARE: "Share",
    Action.HIDE: "Make private",
    Action.DELETE: "Delete",
}


class ResultButton(discord.ui.DynamicItem[_BUTTON], template=_TEMPLATE):
    """One of the actions on the answer of a row."""

    def __init__(self, action: Action, row: int) -> None:
        danger = action is Action.DELETE
        super().__init__(
            discord.ui.Button(
                label=said(_LABELS[action]),
                style=discord.ButtonStyle.danger if danger else discord.ButtonStyle.secondary,
                custom_id=f"result:v1:{action.value}:{row}",
            )
        )
        self.action = action
        self.row_id = row

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        return cls(Action(match["action"]), int(match["row"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, or tell why not."""
        async with guarded(interaction):
            entry = await interaction.client.history.get(self.row_id)
            if self.action is Action.DELETE:
                await _delete(interaction, entry)
                return
            if entry is None:
                raise UnknownInterrogationError(self.row_id)
            if entry.user_id != interaction.user.id:
                raise NotYoursError
            match self.action:
                case Action.STAR | Action.UNSTAR:
                    await _star(interaction, entry, self.action is Action.STAR)
                case Action.SHARE:
                    await _share(interaction, entry)
                case Action.HIDE:
                    await _hide(interaction, entry)


def result_view(
    options: Options, row: int | None, *, private: bool, starred: bool = False, picture: bool = True
) -> discord.ui.View:
    """The buttons under the answer of row `row` of the history. Where the message carries the picture: one a mode, the
    current one marked, the way to or from style only, and what measures the prompt. Then what its owner may do with
    it, which without a row is to delete it."""
    view = discord.ui.View(timeout=None)
    places = itertools.chain.from_iterable(itertools.repeat(place, BUTTONS_A_ROW) for place in itertools.count())
    for item in [*(_picture_buttons(options) if picture else ()), *_own_buttons(row, private=private, starred=starred)]:
        item.row = next(places)
        view.add_item(item)
    return view


def _picture_buttons(options: Options) -> Iterator[ModeButton | MeasureButton]:
    artists, frame, profile = options.artists, options.frame, options.profile
    for mode, label in MODE_LABELS.items():
        style_only = options.style_only and mode is not Mode.CAPTION
        choice = Choice(style_only=style_only, artists=artists, frame=frame, profile=profile)
        yield ModeButton(mode.value, choice, label=label, current=mode is options.mode)
    toggled = options.mode if options.mode is not Mode.CAPTION else DEFAULT_MODE
    label = said("With subject") if options.style_only else said("Style only")
    choice = Choice(style_only=not options.style_only, artists=artists, frame=frame, profile=profile)
    yield ModeButton(toggled.value, choice, label=label)
    for action in MeasureAction:
        yield MeasureButton(action, options.mode.value, Choice(frame=frame, profile=profile))


def _own_buttons(row: int | None, *, private: bool, starred: bool) -> Iterator[ResultButton]:
    if row is not None:
        yield ResultButton(Action.UNSTAR if starred else Action.STAR, row)
        yield ResultButton(Action.SHARE if private else Action.HIDE, row)
    yield ResultButton(Action.DELETE, row or NO_ROW)


async def _star(interaction: Interaction, entry: Entry, starred: bool) -> None:
    await interaction.client.history.set_starred(entry.id, interaction.user.id, starred)
    await interaction.response.edit_message(view=_view_of(entry, private=_is_private(interaction), starred=starred))


async def _share(interaction: Interaction, entry: Entry) -> None:
    """In a new message, which everyone sees. NotAllowedError for a picture that is not for everyone here."""
    if must_be_private(interaction, entry.nsfw):
        raise NotAllowedError(NOT_SHARED)
    await interaction.response.defer(thinking=True)
    embed, files = await _copied(interaction)
    view = _view_of(entry, private=False, starred=entry.starred)
    sent = await interaction.edit_original_response(embed=embed, attachments=files, view=view)
    await interaction.client.history.set_private(entry.id, interaction.user.id, False, sent.id)


async def _hide(interaction: Interaction, entry: Entry) -> None:
    """In a new message, which its owner alone sees; then the public one goes."""
    await interaction.response.defer()
    embed, files = await _copied(interaction)
    await interaction.client.history.set_private(entry.id, interaction.user.id, True, None)
    view = _view_of(entry, private=True, starred=entry.starred)
    await interaction.followup.send(said(NOW_PRIVATE), embed=embed, files=files, view=view, ephemeral=True)
    await interaction.delete_original_response()


async def _delete(interaction: Interaction, entry: Entry | None) -> None:
    """The message, and where its owner does it, the row. What a moderator takes out of a server stays its owner's."""
    history = interaction.client.history
    asker = entry.user_id if entry is not None else asker_of(interaction.message)
    theirs = asker == interaction.user.id
    if not theirs and not (interaction.guild_id is not None and interaction.permissions.manage_messages):
        raise NotYoursError
    await interaction.response.defer()
    if entry is not None and theirs:
        await history.delete(entry.id)
    elif entry is not None:
        await history.set_private(entry.id, entry.user_id, True, None)
    await interaction.delete_original_response()


async def _copied(interaction: Interaction) -> tuple[discord.Embed, list[discord.File]]:
    """The answer of the message that was pressed, with its picture and its texts as files of its own."""
    message = interaction.message
    assert message is not None  # a button is always on one
    [embed, *_] = message.embeds or [discord.Embed()]
    files = []
    for attachment in message.attachments:
        if attachment.filename in (render.PROMPT_FILE, render.EMBEDDED_FILE):
            text = await attachments.download_text(attachment, interaction.client.settings.max_image_bytes)
            files.append(discord.File(BytesIO(text.encode()), attachment.filename))
    if (picture := attachments.of_answer(message)) is not None:
        image = await attachments.download(picture, interaction.client.settings.max_image_bytes)
        name, is_shown = attachments.shown_name(image)
        files.append(discord.File(BytesIO(image), name))
        if is_shown:
            embed.set_thumbnail(url=f"attachment://{name}")
    return embed, files


def _view_of(entry: Entry, *, private: bool, starred: bool) -> discord.ui.View:
    options = Options(
        mode=entry.mode,
        style_only=entry.style_only,
        subject=entry.subject,
        artists=entry.artists,
        profile=entry.profile,
        frame=entry.frame,
    )
    return result_view(options, entry.id, private=private, starred=starred)


def _is_private(interaction: Interaction) -> bool:
    return interaction.message is not None and interaction.message.flags.ephemeral
