"""The history: one row an image asked about, its states, and the pages people leaf through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from bot.entries import (
    Ask,
    Cursor,
    Direction,
    Entry,
    IllegalTransitionError,
    Page,
    Unfinished,
    UnknownInterrogationError,
    Viewer,
)
from bot.models import InterrogationRow, State
from interrogator.errors import from_kind
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
    "Unfinished",
    "UnknownInterrogationError",
    "Viewer",
]

UNFINISHED = frozenset({State.QUEUED, State.RUNNING})
_BEFORE: dict[State, frozenset[State]] = {**dict.fromkeys(State, UNFINISHED), State.RUNNING: frozenset({State.QUEUED})}
"""From which states each can be reached. A cached answer takes a row from queued to done at once; what is left to the
next process is queued again."""

EXPIRED_MESSAGE = "The bot was restarted before this was answered. Please send the image again."


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class History:
    """The interrogations in the database.

    Every change of state is one UPDATE that names the states it may come from, so of two writers one wins; the other
    gets `IllegalTransitionError`. A final state never changes, and with it the interaction token, the image's URL and
    the answer that was not sent are erased. Methods that take an id raise `UnknownInterrogationError` where there is no
    such row.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    async def add(self, ask: Ask) -> int:
        """A new row, queued. Returns its id; ids grow and are never used again."""
        [row] = await self.add_all([ask])
        return row

    async def add_all(self, asks: Sequence[Ask]) -> list[int]:
        """A new row for each, all or none. Returns their ids."""
        now = self._now()
        rows = [
            InterrogationRow(
                state=State.QUEUED,
                created_at=now,
                phrases=(),
                **{field.name: getattr(ask, field.name) for field in fields(ask)},
            )
            for ask in asks
        ]
        async with self._database.transaction() as session:
            session.add_all(rows)
        return [row.id for row in rows]

    async def start(self, entry_id: int) -> None:
        """A worker has taken it: queued to running."""
        await self._move(entry_id, State.RUNNING, started_at=self._now())

    async def requeue(self, entry_id: int) -> None:
        """It is left to a later process, or taken up by it: back to queued."""
        await self._move(entry_id, State.QUEUED, started_at=None)

    async def keep_answer(self, entry_id: int, interrogation: Interrogation) -> None:
        """Remember an answer before it is sent: sent again after a crash, it is the same. Erased in a final state."""
        unfinished = and_(InterrogationRow.id == entry_id, InterrogationRow.state.in_(UNFINISHED))
        await self._change(entry_id, State.DONE, unfinished, {"unsent_answer": interrogation})

    async def keep_failure(self, entry_id: int, kind: str, message: str) -> None:
        """Remember why there is no answer before that is told: told again after a crash, it is the same."""
        unfinished = and_(InterrogationRow.id == entry_id, InterrogationRow.state.in_(UNFINISHED))
        await self._change(entry_id, State.FAILED, unfinished, {"error_kind": kind, "error_message": message})

    async def finish(self, entry_id: int, interrogation: Interrogation, message_id: int | None = None) -> None:
        """Store the answer that was shown: to done. After a cancel this raises `IllegalTransitionError` and stores
        nothing."""
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

    async def fail(self, entry_id: int, kind: str, message: str, message_id: int | None = None) -> None:
        """It could not be answered; `kind` and `message` as in `interrogator.errors`. `message_id` is of the message
        that says so, where that stays."""
        await self._move(entry_id, State.FAILED, error_kind=kind, error_message=message, message_id=message_id)

    async def cancel(self, entry_id: int) -> None:
        """Somebody stopped it."""
        await self._move(entry_id, State.CANCELLED)

    async def expire_unfinished(self) -> int:
        """Close what an earlier process left queued or running, where nobody will go on with it; for the start, before
        anything is added. Returns how many there were."""
        async with self._database.transaction() as session:
            return await self._expire(session, InterrogationRow.state.in_(UNFINISHED))

    async def take_up(self) -> tuple[list[Unfinished], int]:
        """What an earlier process left queued or running; for the start, before anything is added and while no other
        process is there. Where Discord still takes an answer it is queued again and returned, oldest first; the rest
        is closed as expired, and counted."""
        row = InterrogationRow
        unfinished = row.state.in_(UNFINISHED)
        ended = or_(
            row.token_ends_at.is_(None),
            row.token_ends_at <= self._now(),
            row.interaction_token.is_(None),
            row.image_url.is_(None),
        )
        async with self._database.transaction() as session:
            expired = await self._expire(session, and_(unfinished, ended))
            await session.execute(update(row).where(unfinished).values(state=State.QUEUED, started_at=None))
            left = (await session.scalars(select(row).where(unfinished).order_by(row.id))).all()
            return [_unfinished(each) for each in left], expired

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
        erased = dict.fromkeys(("interaction_token", "image_url", "unsent_answer"))
        return {"state": state, "finished_at": self._now(), **erased}

    async def _expire(self, session: AsyncSession, which: ColumnElement[bool]) -> int:
        end = self._end(State.EXPIRED)
        statement = (
            update(InterrogationRow).where(which).values(error_kind="expired", error_message=EXPIRED_MESSAGE, **end)
        )
        return len((await session.scalars(statement.returning(InterrogationRow.id))).all())

    async def _move(self, entry_id: int, state: State, **values: Any) -> None:
        change = {"state": state} if state in UNFINISHED else self._end(state)
        which = and_(InterrogationRow.id == entry_id, InterrogationRow.state.in_(_BEFORE[state]))
        await self._change(entry_id, state, which, change | values)

    async def _change(self, entry_id: int, state: State, which: ColumnElement[bool], values: dict[str, Any]) -> None:
        """Change the row; where it is not as `which` says, raise what that means for a move to `state`."""
        statement = update(InterrogationRow).where(which).values(**values).returning(InterrogationRow.id)
        async with self._database.transaction() as session:
            if (await session.scalar(statement)) is not None:
                return
            current = await session.scalar(select(InterrogationRow.state).where(InterrogationRow.id == entry_id))
        if current is None:
            raise UnknownInterrogationError(entry_id)
        raise IllegalTransitionError(entry_id, current, state)


def _entry(row: InterrogationRow) -> Entry:
    return Entry(**{field.name: getattr(row, field.name) for field in fields(Entry)})


def _unfinished(row: InterrogationRow) -> Unfinished:
    ask = Ask(**{field.name: getattr(row, field.name) for field in fields(Ask)})
    failure = None if row.error_kind is None else from_kind(row.error_kind, row.error_message or "")
    return Unfinished(id=row.id, ask=ask, message_id=row.message_id, answer=row.unsent_answer, failure=failure)


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
