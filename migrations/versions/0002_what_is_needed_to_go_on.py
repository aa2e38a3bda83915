"""What an unfinished row must know so that the next process can go on with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Rows of before cannot be gone on with: they have no time at which their token ends."""
    op.add_column("interrogations", sa.Column("application_id", sa.BigInteger()))
    op.add_column("interrogations", sa.Column("token_ends_at", sa.DateTime(timezone=True)))
    op.add_column("interrogations", sa.Column("file_limit", sa.BigInteger()))
    op.add_column("interrogations", sa.Column("further", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("interrogations", sa.Column("unsent_answer", sa.Text()))


def downgrade() -> None:
    """Back."""
    for column in ("unsent_answer", "further", "file_limit", "token_ends_at", "application_id"):
        op.drop_column("interrogations", column)
