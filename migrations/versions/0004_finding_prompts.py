"""Finding prompts by their words, and pages of the history by mode and star without reading all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.prompt_words import words_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BATCH = 1000
_BY_MODE = "ix_interrogations_user_id_mode_id"
_STARRED = "ix_interrogations_starred"
_rows = sa.table("interrogations", *map(sa.column, ("id", "user_id", "caption", "prompt")))


def upgrade() -> None:
    """Forward. What is answered already becomes findable."""
    op.create_index(_BY_MODE, "interrogations", ["user_id", "mode", "id"])
    op.create_index(
        _STARRED,
        "interrogations",
        ["user_id", "id"],
        sqlite_where=sa.text("starred IS 1"),
        postgresql_where=sa.text("starred IS true"),
    )
    if op.get_context().dialect.name == "postgresql":
        _upgrade_postgresql()
    else:
        _upgrade_sqlite()


def downgrade() -> None:
    """Back."""
    op.execute("DROP TABLE prompt_words")
    op.drop_index(_STARRED, "interrogations")
    op.drop_index(_BY_MODE, "interrogations")


def _upgrade_sqlite() -> None:
    op.execute("CREATE VIRTUAL TABLE prompt_words USING fts5(owner, words, tokenize = 'unicode61 remove_diacritics 0')")
    insert = sa.text("INSERT INTO prompt_words (rowid, owner, words) VALUES (:row, :owner, :words)")
    _copy(insert, lambda row, words: {"row": row.id, "owner": f"u{row.user_id}", "words": " ".join(words)})


def _upgrade_postgresql() -> None:
    op.execute(
        "CREATE TABLE prompt_words ("
        "id BIGINT PRIMARY KEY REFERENCES interrogations (id) ON DELETE CASCADE, words TSVECTOR NOT NULL)"
    )
    op.execute("CREATE INDEX ix_prompt_words_words ON prompt_words USING gin (words)")
    insert = sa.text("INSERT INTO prompt_words (id, words) VALUES (:row, array_to_tsvector(CAST(:words AS text[])))")
    _copy(insert, lambda row, words: {"row": row.id, "words": [f"u_{row.user_id}", *words]})


def _copy(insert: sa.TextClause, values: Callable[[sa.Row[Any], tuple[str, ...]], dict[str, Any]]) -> None:
    connection, last = op.get_bind(), 0
    answered = sa.select(_rows).where(_rows.c.prompt.is_not(None)).order_by(_rows.c.id).limit(BATCH)
    while found := connection.execute(answered.where(_rows.c.id > last)).all():
        last = found[-1].id
        connection.execute(insert, [values(row, words_of(row.prompt, row.caption or "")) for row in found])
