"""The first tables: interrogations, and what the bot remembers between runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATES = ("queued", "running", "done", "failed", "cancelled", "expired")


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "bot_state",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_bot_state")),
    )
    op.create_table(
        "interrogations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("channel_id", sa.BigInteger()),
        sa.Column("interaction_id", sa.BigInteger()),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("interaction_token", sa.Text()),
        sa.Column("image_url", sa.Text()),
        sa.Column("image_name", sa.Text(), nullable=False),
        sa.Column("image_sha256", sa.String(64)),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("style_only", sa.Boolean(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text()),
        sa.Column("caption", sa.Text()),
        sa.Column("prompt", sa.Text()),
        sa.Column("phrases", sa.JSON(), nullable=False),
        sa.Column("similarity", sa.Double()),
        sa.Column("seconds", sa.Double()),
        sa.Column("error_kind", sa.Text()),
        sa.Column("error_message", sa.Text()),
        sa.Column("starred", sa.Boolean(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(sa.column("state").in_(STATES), name=op.f("ck_interrogations_state")),
        sa.CheckConstraint(
            "state IN ('queued', 'running') OR (interaction_token IS NULL AND image_url IS NULL)",
            name=op.f("ck_interrogations_secrets_erased_at_the_end"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interrogations")),
        sqlite_autoincrement=True,
    )
    for columns in (
        ["user_id", "id"],
        ["user_id", "guild_id", "private", "state", "id"],
        ["image_sha256"],
        ["state"],
    ):
        op.create_index(op.f(f"ix_interrogations_{'_'.join(columns)}"), "interrogations", columns)


def downgrade() -> None:
    """Back."""
    op.drop_table("interrogations")
    op.drop_table("bot_state")
