"""The words of prompts and captions, to find rows of the history by: FTS5 in SQLite, a tsvector in PostgreSQL.

The table `prompt_words` is no model, since each database has a kind of its own; `migrations/` makes it. It has one row
an answered interrogation, written with the answer. What a word is, is decided here, for both databases alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, column, literal, literal_column, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import InterrogationRow

TABLE = "prompt_words"
MOST_WORDS = 12  # of a search
MOST_LETTERS = 60  # of a word
_WORDS = table(TABLE, column("id"), column("rowid"), column("words"))
_WORD = re.compile(r"[^\W_]+")
_INSERT_SQLITE = text("INSERT OR REPLACE INTO prompt_words (rowid, owner, words) VALUES (:row, :owner, :words)")
_INSERT_POSTGRESQL = text(
    "INSERT INTO prompt_words (id, words) VALUES (:row, array_to_tsvector(CAST(:words AS text[]))) "
    "ON CONFLICT (id) DO UPDATE SET words = excluded.words"
)
_DELETE_SQLITE = text("DELETE FROM prompt_words WHERE rowid = :row")


def is_a_model_s(name: str | None, kind: str, _parents: object) -> bool:
    """For Alembic, which compares the models with the tables: whether it is to look at this one. FTS5 makes tables of
    its own beside the one that we ask for."""
    return kind != "table" or name is None or not name.startswith(TABLE)


def words_of(*texts: str) -> tuple[str, ...]:
    """The words in the texts, each once: without case and accents, so that they are found however they are typed."""
    plain = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(dict.fromkeys(word[:MOST_LETTERS] for word in _WORD.findall(letters)))


async def remember(session: AsyncSession, row: int, user_id: int, words: Sequence[str]) -> None:
    """Make the row findable by these words."""
    if _is_postgresql(session):
        await session.execute(_INSERT_POSTGRESQL, {"row": row, "words": [_owner(user_id), *words]})
    else:
        await session.execute(_INSERT_SQLITE, {"row": row, "owner": f"u{user_id}", "words": " ".join(words)})


async def forget(session: AsyncSession, rows: Sequence[int]) -> None:
    """The rows are deleted. PostgreSQL forgets their words by itself."""
    if rows and not _is_postgresql(session):
        await session.execute(_DELETE_SQLITE, [{"row": row} for row in rows])


def found_by(session: AsyncSession, query: Select[Any], user_id: int, words: Sequence[str]) -> Select[Any]:
    """The query for those of the user's rows alone that have a word beginning with each of these."""
    if _is_postgresql(session):
        sought = " & ".join([f"'{_owner(user_id)}'", *(f"'{word}':*" for word in words)])
        match = _WORDS.c.words.op("@@")(cast(literal(sought), TSQUERY))
        return query.join(_WORDS, _WORDS.c.id == InterrogationRow.id).where(match)
    all_words = " AND ".join(f'"{word}"*' for word in words)
    sought_of_theirs = f"owner : u{user_id} AND words : ({all_words})"
    return query.join(_WORDS, _WORDS.c.rowid == InterrogationRow.id).where(
        literal_column(TABLE).op("MATCH")(sought_of_theirs)
    )


def key_of(session: AsyncSession, words: Sequence[str]) -> ColumnElement[int]:
    """The id that rows found by these words are put in order by. SQLite reads them by its own without sorting."""
    found: ColumnElement[int] = (
        InterrogationRow.id.expression if _is_postgresql(session) or not words else _WORDS.c.rowid
    )
    return found


def _owner(user_id: int) -> str:
    """A word that no text has."""
    return f"u_{user_id}"


def _is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"
