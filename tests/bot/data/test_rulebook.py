"""The rules of servers: kept, applied, and the limits counted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from bot.database import Database
from bot.guild_rules import MOST_WORDS, WORD_LIMIT, GuildRules, number_from, words_from
from bot.rulebook import RateLimitedError, Rulebook
from interrogator.types import Mode

GUILD, ALICE, BOB = 197_038_439_483_310_086, 80_351_110_224_678_912, 9_007_199_254_740_993
ALL = GuildRules(
    mode=Mode.BEST,
    roles=(BOB,),
    channels=(1, 2),
    cooldown_seconds=30,
    daily_limit=5,
    private=True,
    artists=False,
    blocked=("spider", "fil d'araignée"),
    safe_only=False,
)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 14, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **time: float) -> None:
        self.time += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rulebook(database: Database, clock: Clock) -> Rulebook:
    return Rulebook(database, now=clock)


async def test_rules_are_kept_for_the_next_process(database: Database, rulebook: Rulebook) -> None:
    assert await rulebook.rules(GUILD) == GuildRules() == await rulebook.rules(None)
    await rulebook.decide(GUILD, GuildRules(private=True), ALICE)
    await rulebook.decide(GUILD, ALL, BOB)

    assert await rulebook.rules(GUILD) == ALL
    assert await Rulebook(database).rules(GUILD) == ALL
    assert await Rulebook(database).rules(GUILD + 1) == GuildRules()


async def test_rules_of_an_unknown_version_count_as_none(database: Database, rulebook: Rulebook) -> None:
    await rulebook.decide(GUILD, ALL, ALICE)
    async with database.transaction() as session:
        await session.execute(text("""UPDATE guild_settings SET rules = '{"mode": "dream"}'"""))
    assert await Rulebook(database).rules(GUILD) == GuildRules()


async def test_a_cooldown_is_of_one_person_and_passes(rulebook: Rulebook, clock: Clock) -> None:
    rules = GuildRules(cooldown_seconds=30)
    await rulebook.take(GUILD, ALICE, 1, rules)
    await rulebook.take(GUILD, BOB, 1, rules)
    clock.pass_(seconds=12.5)
    with pytest.raises(RateLimitedError, match="again in 18 s"):
        await rulebook.take(GUILD, ALICE, 1, rules)
    clock.pass_(seconds=17.5)
    await rulebook.take(GUILD, ALICE, 1, rules)


async def test_a_cooldown_goes_on_over_midnight(rulebook: Rulebook, clock: Clock) -> None:
    rules = GuildRules(cooldown_seconds=60)
    clock.pass_(hours=11, minutes=59, seconds=50)
    await rulebook.take(GUILD, ALICE, 1, rules)
    clock.pass_(seconds=20)
    with pytest.raises(RateLimitedError):
        await rulebook.take(GUILD, ALICE, 1, rules)


async def test_a_daily_limit_counts_pictures_and_begins_anew_each_day(rulebook: Rulebook, clock: Clock) -> None:
    rules = GuildRules(daily_limit=3)
    await rulebook.take(GUILD, ALICE, 2, rules)
    with pytest.raises(RateLimitedError, match="and 1 of yours are left"):
        await rulebook.take(GUILD, ALICE, 2, rules)
    await rulebook.take(GUILD, ALICE, 1, rules)
    await rulebook.take(GUILD + 1, ALICE, 3, rules)
    clock.pass_(hours=12)
    await rulebook.take(GUILD, ALICE, 3, rules)


async def test_without_limits_nothing_is_counted(database: Database, rulebook: Rulebook) -> None:
    await rulebook.take(GUILD, ALICE, 1, GuildRules())
    await rulebook.take(None, ALICE, 1, ALL)
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM usage")) == 0


async def test_of_many_questions_at_once_no_more_than_allowed_are_taken(rulebook: Rulebook) -> None:
    rules = GuildRules(daily_limit=4)
    taken = await asyncio.gather(*(rulebook.take(GUILD, ALICE, 1, rules) for _ in range(9)), return_exceptions=True)
    assert sum(outcome is None for outcome in taken) == 4
    assert sum(isinstance(outcome, RateLimitedError) for outcome in taken) == 5


async def test_counts_are_forgotten_after_two_days(rulebook: Rulebook, clock: Clock) -> None:
    await rulebook.take(GUILD, ALICE, 1, ALL)
    clock.pass_(days=2)
    assert await rulebook.forget_usage() == 0
    clock.pass_(days=1)
    assert await rulebook.forget_usage() == 1


async def test_a_person_chooses_whether_a_history_is_kept(database: Database, rulebook: Rulebook) -> None:
    assert await rulebook.keeps_history(ALICE)
    await rulebook.choose_history(ALICE, False)
    assert not await Rulebook(database).keeps_history(ALICE)
    assert await rulebook.keeps_history(BOB)
    await rulebook.choose_history(ALICE, True)
    assert await rulebook.keeps_history(ALICE)


@given(st.text(max_size=300))
@example("0" * (WORD_LIMIT - 1) + "ß")
def test_words_of_a_form_are_short_and_each_there_once(typed: str) -> None:
    words = words_from(typed)
    assert len(set(words)) == len(words) <= MOST_WORDS
    assert all(0 < len(word) <= WORD_LIMIT and "," not in word and "\n" not in word for word in words)
    assert words_from("\n".join(words)) == words


@pytest.mark.parametrize(
    ("typed", "number"), [("", 0), (" 7 ", 7), ("100", 100), ("101", None), ("-1", None), ("1.5", None), ("٣", None)]
)
def test_a_number_of_a_form_is_whole_and_within_its_bounds(typed: str, number: int | None) -> None:
    assert number_from(typed, 100) == number
