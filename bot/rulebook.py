"""The rules of servers in the database, the choices of users, and how much each has asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.guild_rules import GuildRules
from bot.history import utc_now
from bot.models import GuildSettingsRow, UsageRow, UserSettingsRow
from interrogator.errors import InterrogatorError

if TYPE_CHECKING:
    from bot.database import Database

EVERYTHING_ALLOWED = GuildRules()


class RateLimitedError(InterrogatorError):
    """The person has asked too soon, or often enough for today."""

    kind = "rate_limited"


class Rulebook:
    """What of the rules is read at every question is kept in memory: a server's questions reach one process alone."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now
        self._known: dict[int, GuildRules] = {}

    async def rules(self, guild_id: int | None) -> GuildRules:
        """Those of the server; outside servers, and where nothing was decided, everything is allowed."""
        if guild_id is None:
            return EVERYTHING_ALLOWED
        if (known := self._known.get(guild_id)) is None:
            async with self._database.transaction() as session:
                row = await session.get(GuildSettingsRow, guild_id)
            known = self._known[guild_id] = (row.rules if row is not None else None) or EVERYTHING_ALLOWED
        return known

    async def decide(self, guild_id: int, rules: GuildRules, user_id: int) -> None:
        """Put the rules in the place of those of before; `user_id` is who decided."""
        values = {"rules": rules, "decided_by": user_id, "decided_at": self._now()}
        insert = self._insert(GuildSettingsRow).values(guild_id=guild_id, **values)
        async with self._database.transaction() as session:
            await session.execute(insert.on_conflict_do_update(index_elements=["guild_id"], set_=values))
        self._known[guild_id] = rules

    async def take(self, guild_id: int | None, user_id: int, pictures: int, rules: GuildRules) -> None:
        """Count a question about so many pictures. Raises RateLimitedError, and counts nothing, where the rules allow
        it not yet."""
        if guild_id is None or not (rules.cooldown_seconds or rules.daily_limit):
            return
        now, row = self._now(), UsageRow
        key = {"guild_id": guild_id, "user_id": user_id, "day": now.date()}
        theirs = and_(row.guild_id == guild_id, row.user_id == user_id)
        # Written first, so that of two questions at once the second waits here, and then sees the first.
        first = self._insert(row).values(**key, pictures=0, asked_at=datetime.fromtimestamp(0, UTC))
        first = first.on_conflict_do_update(index_elements=list(key), set_={"pictures": row.pictures})
        async with self._database.transaction() as session:
            await session.execute(first)
            before = await session.scalar(select(row.pictures).where(theirs, row.day == now.date()))
            asked_at = await session.scalar(select(func.max(row.asked_at)).where(theirs))
            assert before is not None  # it was just written
            assert asked_at is not None
            _refuse_early(asked_at, now, rules)
            _refuse_many(before, pictures, rules)
            values = {"pictures": before + pictures, "asked_at": now}
            await session.execute(update(row).where(theirs, row.day == now.date()).values(**values))

    async def keeps_history(self, user_id: int) -> bool:
        """Whether the user's prompts are kept: yes, unless they said no."""
        async with self._database.transaction() as session:
            row = await session.get(UserSettingsRow, user_id)
        return row is None or row.keeps_history

    async def choose_history(self, user_id: int, kept: bool) -> None:
        """From now on, keep the user's prompts or not."""
        insert = self._insert(UserSettingsRow).values(user_id=user_id, keeps_history=kept)
        async with self._database.transaction() as session:
            await session.execute(
                insert.on_conflict_do_update(index_elements=["user_id"], set_={"keeps_history": kept})
            )

    async def forget_usage(self) -> int:
        """Delete the counts of days that no rule looks at any more. Returns how many there were."""
        old = delete(UsageRow).where(UsageRow.day < (self._now() - timedelta(days=2)).date())
        async with self._database.transaction() as session:
            return len((await session.scalars(old.returning(UsageRow.user_id))).all())

    def _insert(self, row: type[GuildSettingsRow | UsageRow | UserSettingsRow]) -> postgresql.Insert | sqlite.Insert:
        return postgresql.insert(row) if self._database.dialect == "postgresql" else sqlite.insert(row)


def _refuse_early(asked_at: datetime, now: datetime, rules: GuildRules) -> None:
    left = rules.cooldown_seconds - (now - asked_at).total_seconds()
    if left > 0:
        raise RateLimitedError(
            f"This server wants {rules.cooldown_seconds} s between two questions. Please ask again in {ceil(left)} s."
        )


def _refuse_many(before: int, pictures: int, rules: GuildRules) -> None:
    if rules.daily_limit and before + pictures > rules.daily_limit:
        left = max(rules.daily_limit - before, 0)
        raise RateLimitedError(
            f"This server allows {rules.daily_limit} pictures a person and day (UTC), and {left} of yours are left. "
            "Please come back tomorrow, or ask about fewer."
        )
