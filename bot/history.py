"""The history: one row an image asked about, its states, and the pages people leaf through."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
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
    TakenOverError,
    Unfinished,
    UnknownInterrogationError,
    Viewer,
    Wanted,
)
from bot.models import InterrogationRow, State
from bot.paging import EVERYTHING, entry_of, read_page
from bot.prompt_words import forget, remember, words_of
from interrogator.errors import CancelledError, from_kind
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
    "TakenOverError",
    "Unfinished",
    "UnknownInterrogationError",
    "Viewer",
    "Wanted",
]

UNFINISHED = frozenset({State.QUEUED, State.RUNNING})
_BEFORE: dict[State, frozenset[State]] = {**dict.fromkeys(State, UNFINISHED), State.RUNNING: frozenset({State.QUEUED})}
"""From which states each can be reached. A cached answer takes a row from queued to done at once; what is left to the
next process is queued again."""

_APART = 1000  # rows of one interaction are not further apart: they are made at once, by several bots at most

EXPIRED_MESSAGE = "The bot was restarted before this was answered. Please send the image again."


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class History:
    """The interrogations in the database.

    Every change of state is one UPDATE that names the states it may come from, so of two writers one wins; the other
    gets `IllegalTransitionError`. A row belongs to the process that works on it: after another has taken it up, what
    the first still writes is refused with `TakenOverError`. A final state never changes, and with it the interaction
    token, the image's URL, its origin and the answer that was not sent are erased. Methods that take an id raise
    `UnknownInterrogationError` where there is no such row.
    """

    def __init__(self, database: Database, *, owner: int = 0, now: Callable[[], datetime] = utc_now) -> None:
        """`owner` is this process, as `bot.presence` calls it; 0 where nobody else uses the database."""
        self._database = database
        self._owner = owner
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
                owner=self._owner,
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
        """It is left to another process: back to queued."""
        await self._move(entry_id, State.QUEUED, started_at=None)

    async def keep_answer(self, entry_id: int, interrogation: Interrogation) -> None:
        """Remember an answer before it is sent: sent again after a crash, it is the same. Erased in a final state."""
        await self._change(
            entry_id, State.DONE, InterrogationRow.state.in_(UNFINISHED), {"unsent_answer": interrogation}
        )

    async def keep_failure(self, entry_id: int, kind: str, message: str) -> None:
        """Remember why there is no answer before that is told: told again after a crash, it is the same."""
        kept = {"error_kind": kind, "error_message": message}
        await self._change(entry_id, State.FAILED, InterrogationRow.state.in_(UNFINISHED), kept)

    async def finish(
        self, entry_id: int, interrogation: Interrogation, message_id: int | None = None, *, private: bool = False
    ) -> None:
        """Store the answer that was shown: to done; with `private`, others never see it. After a cancel this raises
        `IllegalTransitionError` and stores nothing."""
        values: dict[str, Any] = {} if message_id is None else {"message_id": message_id}
        if private:
            values["private"] = True
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
            frames=interrogation.frames,
            embedded=interrogation.embedded,
            cached=interrogation.cached,
            nsfw=interrogation.nsfw,
            words=words_of(interrogation.prompt, interrogation.caption),
            **values,
        )

    async def fail(self, entry_id: int, kind: str, message: str, message_id: int | None = None) -> None:
        """It could not be answered, or was cancelled; `kind` and `message` as in `interrogator.errors`. `message_id` is
        of the message that says so, where that stays."""
        state = State.CANCELLED if kind == CancelledError.kind else State.FAILED
        await self._move(entry_id, state, error_kind=kind, error_message=message, message_id=message_id)

    async def owners(self) -> frozenset[int | None]:
        """The processes whose rows are queued or running, this one among them where it has some."""
        async with self._database.transaction() as session:
            query = select(InterrogationRow.owner).where(InterrogationRow.state.in_(UNFINISHED)).distinct()
            return frozenset((await session.scalars(query)).all())

    async def expire_unfinished(self, gone: Collection[int | None]) -> int:
        """Close what processes that are gone left queued or running, where nobody will go on with it. Returns how many
        there were."""
        async with self._database.transaction() as session:
            return await self._expire(session, and_(InterrogationRow.state.in_(UNFINISHED), _owned_by(gone)))

    async def take_up(self, gone: Collection[int | None], application_id: int | None) -> tuple[list[Unfinished], int]:
        """What processes that are gone left queued or running. What is of this application, and Discord still takes an
        answer to, becomes this process's, queued, and is returned, oldest first; of several processes that ask for the
        same row, one gets it. What Discord takes no answer to is closed as expired, and counted."""
        row = InterrogationRow
        theirs = and_(row.state.in_(UNFINISHED), _owned_by(gone))
        ended = or_(
            row.token_ends_at.is_(None),
            row.token_ends_at <= self._now(),
            row.interaction_token.is_(None),
            row.image_url.is_(None),
        )
        claim = (
            update(row)
            .where(theirs, row.application_id == application_id)
            .values(owner=self._owner, state=State.QUEUED, started_at=None)
        )
        async with self._database.transaction() as session:
            expired = await self._expire(session, and_(theirs, ended))
            claimed = (await session.scalars(claim.returning(row.id))).all()
            left = (await session.scalars(select(row).where(row.id.in_(claimed)).order_by(row.id))).all()
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

    async def of_interaction(self, one: int, interaction_id: int) -> list[Entry]:
        """The rows of an interaction that are left, in the order of its pictures; `one` is the id of one of them, there
        or not. The caller decides who may see them."""
        row = InterrogationRow
        query = (
            select(row)
            .where(row.id.between(one - _APART, one + _APART), row.interaction_id == interaction_id)
            .order_by(row.id)
        )
        async with self._database.transaction() as session:
            found = [entry_of(each) for each in (await session.scalars(query)).all()]
        nearest = min(found, key=lambda entry: abs(entry.id - one), default=None)  # ids of interactions may come again
        return [entry for entry in found if nearest is not None and entry.created_at == nearest.created_at]

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

    async def count_unfinished(self, user_id: int) -> int:
        """How many pictures of the user wait, or are being answered."""
        row = InterrogationRow
        counted = select(func.count()).select_from(row).where(row.user_id == user_id, row.state.in_(UNFINISHED))
        async with self._database.transaction() as session:
            return await session.scalar(counted) or 0

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
        erased = dict.fromkeys(("interaction_token", "image_url", "origin", "unsent_answer"))
        return {"state": state, "finished_at": self._now(), **erased}

    async def _expire(self, session: AsyncSession, which: ColumnElement[bool]) -> int:
        end = self._end(State.EXPIRED)
        statement = (
            update(InterrogationRow).where(which).values(error_kind="expired", error_message=EXPIRED_MESSAGE, **end)
        )
        return len((await session.scalars(statement.returning(InterrogationRow.id))).all())

    async def _move(self, entry_id: int, state: State, *, words: Sequence[str] = (), **values: Any) -> None:
        change = {"state": state} if state in UNFINISHED else self._end(state)
        which = InterrogationRow.state.in_(_BEFORE[state])
        await self._change(entry_id, state, which, change | values, words=words)

    async def _change(
        self,
        entry_id: int,
        state: State,
        which: ColumnElement[bool],
        values: dict[str, Any],
        *,
        words: Sequence[str] = (),
    ) -> None:
        """Change the row, which is ours, and make it findable by `words`; where it is not as `which`
        says, raise what that means for a move to `state`."""
        row = InterrogationRow
        ours = row.owner == self._owner
        statement = update(row).where(row.id == entry_id, ours, which).values(**values).returning(row.user_id)
        async with self._database.transaction() as session:
            if (user_id := await session.scalar(statement)) is not None:
                if words:
                    await remember(session, entry_id, user_id, words)
                return
            found = (await session.execute(select(row.state, row.owner).where(row.id == entry_id))).one_or_none()
        if found is None:
            raise UnknownInterrogationError(entry_id)
        current, owner = found
        if owner != self._owner:
            raise TakenOverError(entry_id, current, state)
        raise IllegalTransitionError(entry_id, current, state)

    async def _change_own(self, entry_id: int, user_id: int, **values: Any) -> None:
        row = InterrogationRow
        change = update(row).where(row.id == entry_id, row.user_id == user_id).values(**values).returning(row.id)
        async with self._database.transaction() as session:
            if (await session.scalar(change)) is not None:
                return
            owner = await session.scalar(select(row.user_id).where(row.id == entry_id))
        raise UnknownInterrogationError(entry_id) if owner is None else NotYoursError


def _owned_by(owners: Collection[int | None]) -> ColumnElement[bool]:
    row = InterrogationRow
    theirs = row.owner.in_([owner for owner in owners if owner is not None])
    return or_(theirs, row.owner.is_(None)) if None in owners else theirs


def _unfinished(row: InterrogationRow) -> Unfinished:
    ask = Ask(**{field.name: getattr(row, field.name) for field in fields(Ask)})
    failure = None if row.error_kind is None else from_kind(row.error_kind, row.error_message or "")
    return Unfinished(id=row.id, ask=ask, message_id=row.message_id, answer=row.unsent_answer, failure=failure)
