"""Where a question was asked, for whoever goes on with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("interrogations", sa.Column("origin", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back."""
    op.drop_column("interrogations", "origin")
