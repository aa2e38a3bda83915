"""The ids of buttons: short, of a form that nothing else has, and without a secret."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest

from bot.album_pages import AlbumButton
from bot.cancel_button import CancelButton, StopButton, cancel_view, stop_view
from bot.history import Cursor, Direction, Page, Wanted
from bot.history_pages import HistoryButton, history_view
from bot.measure_buttons import MeasureButton
from bot.result_buttons import ResultButton, result_view
from bot.views import ModeButton
from interrogator.types import Mode, Options

MOST = 2**63 - 1


def custom_ids(view: discord.ui.View | None) -> list[str]:
    assert view is not None
    return [item.custom_id for item in view.children if isinstance(item, discord.ui.DynamicItem)]


def template_of(button: type[discord.ui.DynamicItem[Any]]) -> re.Pattern[str]:
    return button.__discord_ui_compiled_template__


async def test_every_id_that_the_bot_writes_is_short_and_its_own() -> None:
    for mode in Mode:
        for style_only in (False, True):
            options = Options(mode=mode, style_only=style_only, artists=style_only, frame=1000, profile="p" * 40)
            for custom_id in custom_ids(result_view(options, 10**18 - 1, private=False)):
                assert len(custom_id) <= 100
                if any(template_of(kind).fullmatch(custom_id) for kind in (ModeButton, MeasureButton)):
                    assert not re.search(r"\d{5}", custom_id), "an id names nobody and holds no secret"
                else:
                    assert template_of(ResultButton).fullmatch(custom_id)
    (cancel,) = custom_ids(cancel_view(10**18 - 1))
    assert len(cancel) <= 100
    assert template_of(CancelButton).fullmatch(cancel)
    (stop,) = custom_ids(stop_view(MOST))
    assert len(stop) <= 100
    assert template_of(StopButton).fullmatch(stop)
    album = AlbumButton(10**18 - 1, 2**64 - 1, 9).item.custom_id or ""
    assert len(album) <= 100
    assert template_of(AlbumButton).fullmatch(album)
    page = Page(entries=(), newer=Cursor(Direction.NEWER, MOST), older=Cursor(Direction.OLDER, MOST))
    wanted = Wanted(search="\N{LATIN SMALL LETTER A WITH DIAERESIS}:" * 15, mode=Mode.NEGATIVE, starred=True)
    for custom_id in custom_ids(history_view(2**64 - 1, wanted, page, own=True)):
        assert len(custom_id) <= 100
        assert template_of(HistoryButton).fullmatch(custom_id)


@pytest.mark.parametrize("digits", ["\u0661", "\uff11", "1 ", "+1", "-1", "0x1", ""])
def test_an_id_is_written_in_plain_digits(digits: str) -> None:
    assert not template_of(HistoryButton).fullmatch(f"history:v2:{digits}:older:1::0:")
    assert not template_of(HistoryButton).fullmatch(f"history:v2:1:older:{digits}::0:")
