"""Whatever is put into the history comes out again, or comes out safe."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from history_builders import an_ask, an_interrogation
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from bot.columns import clean_text
from bot.database import Database
from bot.history import Entry, History
from bot.origin import Origin
from interrogator.types import Embedded, Mode, Phrase

any_text = st.text(st.characters(codec=None), max_size=40)


async def kept(history: History, text: str) -> Entry:
    """What becomes of a text that is everywhere a text can be."""
    row = await history.add(an_ask(image_name=text, image_url=text, interaction_token=text, profile=text))
    await history.finish(
        row, an_interrogation(caption=text, prompt=text, engine=text, phrases=(Phrase(text, text, 0.5),))
    )
    entry = await history.get(row)
    assert entry is not None
    return entry


def all_texts(entry: Entry) -> set[str | None]:
    (phrase,) = entry.phrases
    return {
        entry.image_name,
        entry.profile,
        entry.caption,
        entry.prompt,
        entry.engine,
        phrase.text,
        phrase.group,
    }


@pytest.mark.parametrize(
    "text",
    ["", "'; DROP TABLE interrogations; --", "風景 🏔️ e\u0301", "\\u0000 100% {} ?", "\x01\x1b\n\r\t\x7f", "x" * 20_000],
)
async def test_a_text_comes_back_as_it_was(history: History, text: str) -> None:
    assert all_texts(await kept(history, text)) == {text}


@pytest.mark.parametrize(("text", "safe"), [("a\0b", "ab"), ("\ud83d", "\ufffd"), ("x\udfffy", "x\ufffdy"), ("\0", "")])
async def test_what_no_database_stores_is_made_safe(history: History, text: str, safe: str) -> None:
    assert all_texts(await kept(history, text)) == {safe}


async def test_the_reason_of_a_failure_is_made_safe_too(history: History) -> None:
    row = await history.add(an_ask())
    await history.fail(row, "internal\0" * 20, "bad name: \ud83d\0")
    entry = await history.get(row)
    assert entry is not None
    assert (entry.error_kind, entry.error_message) == ("internal" * 20, "bad name: \ufffd")


@given(text=any_text)
@example(text="\ud83d\ude00")  # two halves that were never joined
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_at_all_can_be_stored(history_file: tuple[asyncio.Runner, History], text: str) -> None:
    runner, history = history_file
    assert all_texts(runner.run(kept(history, text))) == {clean_text(text)}


@given(text=any_text)
def test_a_safe_text_has_utf8_and_no_nul_and_stays_as_it_is(text: str) -> None:
    safe = clean_text(text)
    assert "\0" not in safe
    assert safe.encode("utf-8").decode("utf-8") == safe
    assert clean_text(safe) == safe


async def test_times_are_utc_both_ways(database: Database) -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    history = History(database, now=lambda: datetime(2026, 11, 24, 2, 15, 0, 123456, tzinfo=kathmandu))
    entry = await history.get(await history.add(an_ask()))
    assert entry is not None
    assert entry.created_at == datetime(2026, 11, 23, 20, 30, 0, 123456, tzinfo=UTC)
    assert entry.created_at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    history = History(database, now=lambda: datetime(2026, 11, 23, 20, 30))
    with pytest.raises(StatementError, match="has no time zone"):
        await history.add(an_ask())


async def test_the_largest_ids_of_discord_and_every_mode_fit(history: History) -> None:
    largest = 2**63 - 1
    for mode in Mode:
        ask = an_ask(user_id=largest, guild_id=largest, channel_id=largest, interaction_id=largest, mode=mode)
        row = await history.add(ask)
        await history.set_message(row, largest)
        entry = await history.get(row)
        assert entry is not None
        assert {entry.user_id, entry.guild_id, entry.channel_id, entry.interaction_id, entry.message_id} == {largest}
        assert entry.mode is mode


async def test_the_same_ids_of_discord_may_come_again(history: History) -> None:
    """A simulated Discord counts from the same number in every run."""
    first, second = await history.add(an_ask()), await history.add(an_ask())
    assert first != second


async def test_the_rows_of_an_interaction_are_found_from_any_of_them_and_no_other_s(history: History) -> None:
    await history.add(an_ask())
    rows = await history.add_all([an_ask(), an_ask(), an_ask()])
    await history.add_all([an_ask(), an_ask(interaction_id=5)])
    for one in (rows[0], rows[1], rows[2]):
        assert [entry.id for entry in await history.of_interaction(one, an_ask().interaction_id or 0)] == rows
    await history.delete(rows[0])
    assert [entry.id for entry in await history.of_interaction(rows[1], an_ask().interaction_id or 0)] == rows[1:]
    assert await history.of_interaction(rows[1], 6) == []
    assert await history.of_interaction(10**18 - 1, 5) == []


async def test_where_it_was_asked_is_known_to_who_goes_on_with_it(history: History) -> None:
    origin = Origin(locale="de", own_app=True, direct=True, age_restricted=True)
    await history.add_all([an_ask(origin=origin), an_ask()])
    unfinished, _ = await history.take_up({0}, an_ask().application_id)
    assert [row.ask.origin for row in unfinished] == [origin, None]


async def test_a_similarity_that_is_no_number_does_not_lose_the_answer(history: History) -> None:
    row = await history.add(an_ask())
    await history.finish(row, an_interrogation(phrases=(Phrase("haze", "light", math.nan),)))
    entry = await history.get(row)
    assert entry is not None
    assert math.isnan(entry.phrases[0].similarity)


async def test_what_the_file_says_is_kept_whole_whatever_is_in_it(history: History) -> None:
    carried = Embedded("A1111 \0", "a \ud800 boat\n'; DROP", "ünï", (("Steps", "20"), ("Steps", "30"), ("", "")))
    for embedded in (carried, None):
        row = await history.add(an_ask(frame=3))
        waiting = await history.get(row)
        await history.finish(row, an_interrogation(embedded=embedded, frame=3, frames=12, cached=embedded is None))
        entry = await history.get(row)
        assert waiting is not None
        assert entry is not None
        assert (waiting.frame, waiting.frames, waiting.embedded, waiting.cached) == (3, None, None, None)
        assert (entry.frame, entry.frames, entry.embedded) == (3, 12, embedded)
        assert entry.cached is (embedded is None)
