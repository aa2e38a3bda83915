"""A subject of one's own in the picture's style, prompts without artists' names, pictures that are not for everyone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("interrogations", sa.Column("subject", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("interrogations", sa.Column("artists", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("interrogations", sa.Column("nsfw", sa.Double(), nullable=True))


def downgrade() -> None:
    """Back."""
    for column in ("nsfw", "artists", "subject"):
        op.drop_column("interrogations", column)
