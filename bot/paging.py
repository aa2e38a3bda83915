"""The pages of a history: what of it may be seen, what of that is wanted, and the rows beside a cursor."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.entries import Cursor, Direction, Entry, Page, Viewer, Wanted
from bot.models import InterrogationRow, State
from bot.prompt_words import MOST_WORDS, found_by, key_of, words_of

EVERYTHING = Wanted()


def entry_of(row: InterrogationRow) -> Entry:
    """The row as it is read."""
    return Entry(**{field.name: getattr(row, field.name) for field in fields(Entry)})


async def read_page(
    session: AsyncSession, user_id: int, viewer: Viewer, wanted: Wanted, cursor: Cursor | None, limit: int
) -> Page:
    """As `bot.history.History.page`. Keyset paging: a page costs the same wherever it is."""
    words = words_of(wanted.search)[:MOST_WORDS]
    if wanted.search.strip() and not words:  # nothing but punctuation
        return Page((), newer=None, older=None)
    query = select(InterrogationRow).where(_visible(user_id, viewer), *_chosen(user_id, viewer, wanted))
    if words:
        query = found_by(session, query, user_id, words)
    key = key_of(session, words)
    rows, more = await _rows_beside(session, query, key, cursor, limit)
    if cursor is None:
        return _page(rows, newer=None, older=rows[-1].id if more else None)
    if cursor.direction is Direction.OLDER:
        first = rows[0].id if rows else cursor.id - 1
        newer = first if await _exists(session, query.where(key > first)) else None
        return _page(rows, newer=newer, older=rows[-1].id if more else None)
    last = rows[-1].id if rows else cursor.id + 1
    older = last if await _exists(session, query.where(key < last)) else None
    return _page(rows, newer=rows[0].id if more else None, older=older)


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


def _chosen(user_id: int, viewer: Viewer, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the filters ask for. What somebody has starred is theirs alone to know."""
    chosen: list[ColumnElement[bool]] = []
    if wanted.mode is not None:
        chosen.append(InterrogationRow.mode == wanted.mode)
    if wanted.starred:
        chosen.append(InterrogationRow.starred.is_(True) if viewer.user_id == user_id else false())
    return chosen


async def _rows_beside(
    session: AsyncSession,
    query: Select[Any],
    key: ColumnElement[int],
    cursor: Cursor | None,
    limit: int,
) -> tuple[list[InterrogationRow], bool]:
    """The rows of a page, newest first, and whether more follow in the cursor's direction."""
    query = query.limit(limit + 1)
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


async def _exists(session: AsyncSession, query: Select[Any]) -> bool:
    return (await session.scalar(query.with_only_columns(InterrogationRow.id).limit(1))) is not None


def _page(rows: list[InterrogationRow], *, newer: int | None, older: int | None) -> Page:
    return Page(
        entries=tuple(entry_of(row) for row in rows),
        newer=None if newer is None else Cursor(Direction.NEWER, newer),
        older=None if older is None else Cursor(Direction.OLDER, older),
    )
