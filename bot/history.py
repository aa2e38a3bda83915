"""The history: one row an image asked about, its states, and the pages people leaf through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from bot.entries import (
    Ask,
    Cursor,
    Direction,
    Entry,
    IllegalTransitionError,
    NotYoursError,
    Page,
    Unfinished,
    UnknownInterrogationError,
    Viewer,
    Wanted,
)
from bot.models import InterrogationRow, State
from bot.paging import EVERYTHING, entry_of, read_page
from bot.prompt_words import forget, remember, words_of
from interrogator.types import Interrogation

__all__ = [
    "Ask",
    "Cursor",
    "Direction",
    "Entry",
    "History",
    "IllegalTransitionError",
    "NotYoursError",
    "Page",
    "State",
    "Unfinished",
    "UnknownInterrogationError",
    "Viewer",
    "Wanted",
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
            words=words_of(interrogation.prompt, interrogation.caption),
            **values,
        )

    async def fail(self, entry_id: int, kind: str, message: str) -> None:
        """It could not be answered; `kind` and `message` as in `interrogator.errors`."""
        await self._move(entry_id, State.FAILED, error_kind=kind, error_message=message)

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
            return None if row is None else entry_of(row)

    async def page(
        self,
        user_id: int,
        viewer: Viewer,
        *,
        wanted: Wanted = EVERYTHING,
        cursor: Cursor | None = None,
        limit: int = 5,
    ) -> Page:
        """A page of what is wanted of a user's history, as the viewer may see it, newest first.

        One's own: everything, private rows and every server included, so show it to the viewer alone. Another's: what
        is done and not private in the viewer's guild and channels, and nothing outside guilds; not what they starred.
        """
        async with self._database.transaction() as session:
            return await read_page(session, user_id, viewer, wanted, cursor, limit)

    async def set_starred(self, entry_id: int, user_id: int, starred: bool) -> None:
        """Keep it among the user's favorites, or no more. Raises `NotYoursError` where the row is another's."""
        await self._change_own(entry_id, user_id, starred=starred)

    async def set_private(self, entry_id: int, user_id: int, private: bool, message_id: int | None) -> None:
        """Whether others may see it, and in which message it stands now. Raises as `set_starred`."""
        await self._change_own(entry_id, user_id, private=private, message_id=message_id)

    async def delete(self, entry_id: int) -> None:
        """Forget the row, for good; whoever may do that is for the caller to decide."""
        async with self._database.transaction() as session:
            await forget(session, [entry_id])
            deleted = delete(InterrogationRow).where(InterrogationRow.id == entry_id).returning(InterrogationRow.id)
            if (await session.scalar(deleted)) is None:
                raise UnknownInterrogationError(entry_id)

    def _end(self, state: State) -> dict[str, Any]:
        erased = dict.fromkeys(("interaction_token", "image_url", "unsent_answer"))
        return {"state": state, "finished_at": self._now(), **erased}

    async def _expire(self, session: AsyncSession, which: ColumnElement[bool]) -> int:
        end = self._end(State.EXPIRED)
        statement = (
            update(InterrogationRow).where(which).values(error_kind="expired", error_message=EXPIRED_MESSAGE, **end)
        )
        return len((await session.scalars(statement.returning(InterrogationRow.id))).all())

    async def _move(self, entry_id: int, state: State, *, words: Sequence[str] = (), **values: Any) -> None:
        change = {"state": state} if state in UNFINISHED else self._end(state)
        which = and_(InterrogationRow.id == entry_id, InterrogationRow.state.in_(_BEFORE[state]))
        await self._change(entry_id, state, which, change | values, words)

    async def _change(
        self,
        entry_id: int,
        state: State,
        which: ColumnElement[bool],
        values: dict[str, Any],
        words: Sequence[str] = (),
    ) -> None:
        """Change the row, and make it findable by `words`; where it is not as `which` says, raise what that means for a
        move to `state`."""
        statement = update(InterrogationRow).where(which).values(**values).returning(InterrogationRow.user_id)
        async with self._database.transaction() as session:
            if (user_id := await session.scalar(statement)) is not None:
                if words:
                    await remember(session, entry_id, user_id, words)
                return
            current = await session.scalar(select(InterrogationRow.state).where(InterrogationRow.id == entry_id))
        if current is None:
            raise UnknownInterrogationError(entry_id)
        raise IllegalTransitionError(entry_id, current, state)

    async def _change_own(self, entry_id: int, user_id: int, **values: Any) -> None:
        row = InterrogationRow
        change = update(row).where(row.id == entry_id, row.user_id == user_id).values(**values).returning(row.id)
        async with self._database.transaction() as session:
            if (await session.scalar(change)) is not None:
                return
            owner = await session.scalar(select(row.user_id).where(row.id == entry_id))
        raise UnknownInterrogationError(entry_id) if owner is None else NotYoursError


def _unfinished(row: InterrogationRow) -> Unfinished:
    ask = Ask(**{field.name: getattr(row, field.name) for field in fields(Ask)})
    return Unfinished(id=row.id, ask=ask, message_id=row.message_id, answer=row.unsent_answer)
