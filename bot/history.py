"""The history: one row an image asked about, its states, and the pages people leaf through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from bot.entries import Ask, Cursor, Direction, Entry, IllegalTransitionError, Page, UnknownInterrogationError, Viewer
from bot.models import InterrogationRow, State
from interrogator.types import Interrogation

__all__ = [
    "Ask",
    "Cursor",
    "Direction",
    "Entry",
    "History",
    "IllegalTransitionError",
    "Page",
    "State",
    "UnknownInterrogationError",
    "Viewer",
]

_BEFORE: dict[State, frozenset[State]] = {
    State.RUNNING: frozenset({State.QUEUED}),
    **dict.fromkeys(
        (State.DONE, State.FAILED, State.CANCELLED, State.EXPIRED), frozenset({State.QUEUED, State.RUNNING})
    ),
}
"""From which states each can be reached. A cached answer takes a row from queued to done at once."""

UNFINISHED = _BEFORE[State.DONE]
EXPIRED_MESSAGE = "The bot was restarted before this was answered. Please send the image again."


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class History:
    """The interrogations in the database.

    Every change of state is one UPDATE that names the states it may come from, so of two writers one wins; the other
    gets `IllegalTransitionError`. A final state never changes, and with it the interaction token and the image's URL
    are erased. Methods that take an id raise `UnknownInterrogationError` where there is no such row.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    async def add(self, ask: Ask) -> int:
        """A new row, queued. Returns its id; ids grow and are never used again."""
        row = InterrogationRow(
            state=State.QUEUED,
            created_at=self._now(),
            phrases=(),
            **{field.name: getattr(ask, field.name) for field in fields(ask)},
        )
        async with self._database.transaction() as session:
            session.add(row)
        return row.id

    async def start(self, entry_id: int) -> None:
        """A worker has taken it: queued to running."""
        await self._move(entry_id, State.RUNNING, started_at=self._now())

    async def finish(self, entry_id: int, interrogation: Interrogation, message_id: int | None = None) -> None:
        """Store the answer: to done. After a cancel this raises `IllegalTransitionError` and stores nothing: the
        caller must not show the answer."""
        values = {} if message_id is None else {"message_id": message_id}
        await self._move(
            entry_id,
            State.DONE,
            image_sha256=interrogation.sha256,
            width=interrogation.width,
            height=interrogation.height,
            engine=interrogation.engine,
            caption=interrogation.caption,
            prompt=interrogation.prompt,
            phrases=interrogation.phrases,
            similarity=interrogation.similarity,
            seconds=interrogation.seconds,
            **values,
        )

    async def fail(self, entry_id: int, kind: str, message: str) -> None:
        """It could not be answered; `kind` and `message` as in `interrogator.errors`."""
        await self._move(entry_id, State.FAILED, error_kind=kind, error_message=message)

    async def cancel(self, entry_id: int) -> None:
        """Somebody stopped it."""
        await self._move(entry_id, State.CANCELLED)

    async def expire_unfinished(self) -> int:
        """Close what an earlier process left queued or running; for the start, before anything is added. Returns how
        many there were."""
        statement = (
            update(InterrogationRow)
            .where(InterrogationRow.state.in_(UNFINISHED))
            .values(error_kind="expired", error_message=EXPIRED_MESSAGE, **self._end(State.EXPIRED))
            .returning(InterrogationRow.id)
        )
        async with self._database.transaction() as session:
            return len((await session.scalars(statement)).all())

    async def set_message(self, entry_id: int, message_id: int) -> None:
        """Remember the message that carries the answer."""
        statement = update(InterrogationRow).where(InterrogationRow.id == entry_id).values(message_id=message_id)
        async with self._database.transaction() as session:
            if (await session.scalar(statement.returning(InterrogationRow.id))) is None:
                raise UnknownInterrogationError(entry_id)

    async def get(self, entry_id: int) -> Entry | None:
        """The row, whoever's it is: the caller decides who may see it."""
        async with self._database.transaction() as session:
            row = await session.get(InterrogationRow, entry_id)
            return None if row is None else _entry(row)

    async def page(self, user_id: int, viewer: Viewer, *, cursor: Cursor | None = None, limit: int = 5) -> Page:
        """A page of a user's history as the viewer may see it, newest first.

        One's own: everything, private rows and every server included, so show it to the viewer alone. Another's: what
        is done and not private in the viewer's guild and channels; nothing outside guilds.
        """
        visible = _visible(user_id, viewer)
        async with self._database.transaction() as session:
            rows, more = await _rows_beside(session, visible, cursor, limit)
            if cursor is None:
                return _page(rows, newer=None, older=rows[-1].id if more else None)
            if cursor.direction is Direction.OLDER:
                first = rows[0].id if rows else cursor.id - 1
                newer = first if await _exists(session, visible, InterrogationRow.id > first) else None
                return _page(rows, newer=newer, older=rows[-1].id if more else None)
            last = rows[-1].id if rows else cursor.id + 1
            older = last if await _exists(session, visible, InterrogationRow.id < last) else None
            return _page(rows, newer=rows[0].id if more else None, older=older)

    def _end(self, state: State) -> dict[str, Any]:
        return {"state": state, "finished_at": self._now(), "interaction_token": None, "image_url": None}

    async def _move(self, entry_id: int, state: State, **values: Any) -> None:
        change = {"state": state} if state is State.RUNNING else self._end(state)
        statement = (
            update(InterrogationRow)
            .where(InterrogationRow.id == entry_id, InterrogationRow.state.in_(_BEFORE[state]))
            .values(**change, **values)
            .returning(InterrogationRow.id)
        )
        async with self._database.transaction() as session:
            if (await session.scalar(statement)) is not None:
                return
            current = await session.scalar(select(InterrogationRow.state).where(InterrogationRow.id == entry_id))
        if current is None:
            raise UnknownInterrogationError(entry_id)
        raise IllegalTransitionError(entry_id, current, state)


def _entry(row: InterrogationRow) -> Entry:
    return Entry(**{field.name: getattr(row, field.name) for field in fields(Entry)})


def _visible(user_id: int, viewer: Viewer) -> ColumnElement[bool]:
    row = InterrogationRow
    if viewer.user_id == user_id:
        return row.user_id == user_id
    if viewer.guild_id is None:
        return false()
    return and_(
        row.user_id == user_id,
        row.guild_id == viewer.guild_id,
        row.private.is_(False),
        row.state == State.DONE,
        row.channel_id.in_(viewer.channel_ids),
    )


async def _rows_beside(
    session: AsyncSession, visible: ColumnElement[bool], cursor: Cursor | None, limit: int
) -> tuple[list[InterrogationRow], bool]:
    """The rows of a page, newest first, and whether more follow in the cursor's direction."""
    key = InterrogationRow.id
    query = select(InterrogationRow).where(visible).limit(limit + 1)
    if cursor is None:
        query = query.order_by(key.desc())
    elif cursor.direction is Direction.OLDER:
        query = query.where(key < cursor.id).order_by(key.desc())
    else:
        query = query.where(key > cursor.id).order_by(key)
    found = list((await session.scalars(query)).all())
    rows = found[:limit]
    if cursor is not None and cursor.direction is Direction.NEWER:
        rows.reverse()
    return rows, len(found) > limit


async def _exists(session: AsyncSession, visible: ColumnElement[bool], beyond: ColumnElement[bool]) -> bool:
    return (await session.scalar(select(InterrogationRow.id).where(visible, beyond).limit(1))) is not None


def _page(rows: list[InterrogationRow], *, newer: int | None, older: int | None) -> Page:
    return Page(
        entries=tuple(_entry(row) for row in rows),
        newer=None if newer is None else Cursor(Direction.NEWER, newer),
        older=None if older is None else Cursor(Direction.OLDER, older),
    )
