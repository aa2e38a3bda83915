"""Pages of history: within Discord's limits whatever the entries hold."""

from __future__ import annotations

from contextvars import copy_context
from datetime import UTC, datetime
from types import SimpleNamespace

import discord
from hypothesis import given
from hypothesis import strategies as st

from bot.history import Entry, Page, Wanted
from bot.models import State
from bot.render_history import Look, history_embed
from bot.speech import speak_to
from bot.text import units
from interrogator.types import Embedded, Mode

ID = 10**19 - 1  # as long as an id of Discord's can be
SOME_TEXT = st.text(st.characters(), max_size=30).map(lambda text: text * 40)
TEXTS = st.none() | SOME_TEXT
CARRIED = st.none() | st.builds(Embedded, SOME_TEXT, SOME_TEXT)


def entry(**changes: object) -> Entry:
    values: dict[str, object] = dict.fromkeys(Entry.__slots__)
    values |= {
        "id": 1,
        "state": State.DONE,
        "user_id": ID,
        "guild_id": ID,
        "channel_id": ID,
        "message_id": ID,
        "image_name": "kite.png",
        "mode": Mode.NEGATIVE,
        "style_only": True,
        "frame": 1000,
        "frames": 10_000_000,
        "profile": "lite",
        "phrases": (),
        "prompt": "a red kite",
        "similarity": 0.5,
        "starred": False,
        "private": False,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]


def text_of(*entries: Entry) -> str:
    return history_embed(Page(entries, None, None), Look()).description or ""


@given(
    st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(State), CARRIED), min_size=1, max_size=10),
    st.booleans(),
    st.sampled_from(list(discord.Locale)),
)
def test_any_page_fits(
    outcomes: list[tuple[str | None, str | None, State, Embedded | None]], others: bool, locale: discord.Locale
) -> None:
    entries = tuple(
        entry(prompt=prompt, error_message=error, state=state, embedded=carried)
        for prompt, error, state, carried in outcomes
    )
    look = Look(whose=ID if others else None, wanted=Wanted(search="`" * 30, mode=Mode.NEGATIVE))

    def shown() -> discord.Embed:
        speak_to(SimpleNamespace(locale=locale))  # type: ignore[arg-type]
        return history_embed(Page(entries, None, None), look)

    page = copy_context().run(shown)
    assert 0 < units(page.description or "") <= 4096
    (page.description or "").encode("utf-8")


def test_a_private_answer_has_no_link() -> None:
    assert "[open](" in text_of(entry())
    assert "[open](" not in text_of(entry(private=True))


def test_an_answer_outside_servers_links_there() -> None:
    assert f"https://discord.com/channels/@me/{ID}/{ID}" in text_of(entry(guild_id=None))


def test_every_state_without_a_prompt_says_something() -> None:
    for state in State:
        assert text_of(entry(prompt=None, similarity=None, state=state)).splitlines()[1].strip("*")


def test_what_the_file_says_stands_in_a_quiet_line_below() -> None:
    carried = Embedded("A1111", "a boat ` on\n@everyone", "fog", (("Steps", "20"),))
    first, second, third = text_of(entry(embedded=carried)).splitlines()
    assert (second, third) == ("`a red kite`", "-# **Embedded in the file** (A1111) `a boat ' on @everyone`")
    assert "frame 1000 of 10000000" in first
    assert text_of(entry(embedded=Embedded("A1111", ""))).splitlines()[2] == "-# **Embedded in the file** (A1111)"
    assert len(text_of(entry(frames=1)).splitlines()) == 2
    assert "frame" not in text_of(entry(frames=1))
