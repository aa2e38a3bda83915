"""What is stored of a person: all of it as a file, and its deletion; and the deletion of what is old."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, delete, func, select

from bot.history import UNFINISHED, utc_now
from bot.models import InterrogationRow, UsageRow, UserSettingsRow
from bot.paging import entry_of
from bot.prompt_words import forget

if TYPE_CHECKING:
    from bot.database import Database

BATCH = 500  # rows read, or deleted, in one transaction: others need not wait


class Personal:
    """By user id. What is being answered at the moment is part of it."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    async def everything(self, user_id: int) -> dict[str, Any]:
        """All that is stored of the user, as JSON holds it; of an unfinished row without what is kept only until it is
        answered (the secrets that Discord gave for that, and where it was asked)."""
        rows = [entry async for entry in self._entries(user_id)]
        async with self._database.transaction() as session:
            chosen = await session.get(UserSettingsRow, user_id)
            usage = (await session.scalars(select(UsageRow).where(UsageRow.user_id == user_id))).all()
            counted = [
                {"guild_id": str(row.guild_id), "day": row.day.isoformat(), "pictures": row.pictures} for row in usage
            ]
        return {
            "exported_at": self._now().isoformat(),
            "user_id": str(user_id),
            "settings": {"keeps_history": chosen is None or chosen.keeps_history},
            "usage": counted,
            "interrogations": rows,
        }

    async def count(self, user_id: int) -> int:
        """How many interrogations of the user are stored."""
        async with self._database.transaction() as session:
            counted = select(func.count()).select_from(InterrogationRow).where(InterrogationRow.user_id == user_id)
            return await session.scalar(counted) or 0

    async def delete(self, user_id: int) -> int:
        """Delete it all but the choice whether to keep a history, which holds on. Returns how many interrogations
        there were."""
        async with self._database.transaction() as session:
            await session.execute(delete(UsageRow).where(UsageRow.user_id == user_id))
        return await self._delete(InterrogationRow.user_id == user_id)

    async def delete_old(self, days: int) -> int:
        """Delete what was asked longer than so many days ago and has ended. Returns how many rows there were."""
        row, before = InterrogationRow, self._now() - timedelta(days=days)
        return await self._delete((row.created_at < before) & row.state.not_in(UNFINISHED))

    async def _delete(self, which: ColumnElement[bool]) -> int:
        row, deleted = InterrogationRow, 0
        some = select(row.id).where(which).order_by(row.id).limit(BATCH).scalar_subquery()
        while True:
            async with self._database.transaction() as session:
                gone = (await session.scalars(delete(row).where(row.id.in_(some)).returning(row.id))).all()
                await forget(session, gone)
            deleted += len(gone)
            if len(gone) < BATCH:
                return deleted

    async def _entries(self, user_id: int) -> AsyncIterator[dict[str, Any]]:
        last, row = 0, InterrogationRow
        query = select(row).where(row.user_id == user_id).order_by(row.id).limit(BATCH)
        while True:
            async with self._database.transaction() as session:
                found = (await session.scalars(query.where(row.id > last))).all()
                entries = [entry_of(each) for each in found]
            for entry in entries:
                yield _as_json(asdict(entry))
            if len(entries) < BATCH:
                return
            last = entries[-1].id


def as_file(everything: dict[str, Any], limit: int) -> tuple[str, bytes] | None:
    """The name and content of a JSON file of at most `limit` bytes, compressed where it must be; None where even that
    is larger."""
    content = json.dumps(everything, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    if len(content) <= limit:
        return "interrogator.json", content
    packed = gzip.compress(content)
    return ("interrogator.json.gz", packed) if len(packed) <= limit else None


def _as_json(values: dict[str, Any]) -> dict[str, Any]:
    """Times as ISO 8601; ids of Discord as texts, since many a reader of JSON rounds numbers of that size."""
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, datetime):
            plain[name] = value.isoformat()
        elif name.endswith("_id") and value is not None:
            plain[name] = str(value)
        else:
            plain[name] = value
    return plain
