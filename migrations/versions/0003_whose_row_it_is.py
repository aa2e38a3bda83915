"""Which process works on a row, which picture of the file was asked for, and what the file says of how it was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. What is unfinished belongs to no process: the next that starts takes it up."""
    op.add_column("interrogations", sa.Column("frame", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.add_column("interrogations", sa.Column("frames", sa.BigInteger()))
    op.add_column("interrogations", sa.Column("embedded", sa.Text()))
    op.add_column("interrogations", sa.Column("cached", sa.Boolean()))
    op.add_column("interrogations", sa.Column("owner", sa.BigInteger()))


def downgrade() -> None:
    """Back."""
    for column in ("owner", "cached", "embedded", "frames", "frame"):
        op.drop_column("interrogations", column)
