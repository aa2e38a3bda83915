"""The tables. Their changes are in `migrations/`; a test holds the two together."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    Double,
    Enum,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    false,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bot.columns import Answer, CleanText, EmbeddedText, OriginText, PhraseList, Rules, UtcDateTime
from bot.guild_rules import GuildRules
from bot.origin import Origin
from interrogator.types import Embedded, Interrogation, Mode, Phrase


class State(StrEnum):
    """Where an interrogation stands; the moves between them are in `bot.history`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


def _values(choices: type[StrEnum]) -> list[str]:
    return [choice.value for choice in choices]


# SQLite counts up only in a column of exactly this type.
_Id = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Constraints are named, so that a migration can change them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class InterrogationRow(Base):
    """One image somebody asked about. Discord's ids are not unique here: a simulated Discord repeats them."""

    __tablename__ = "interrogations"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running') OR (interaction_token IS NULL AND image_url IS NULL)",
            name="secrets_erased_at_the_end",
        ),
        # the history of a user: all of it, and what others may see of it in one guild
        Index(None, "user_id", "id"),
        Index(None, "user_id", "guild_id", "private", "state", "id"),
        Index(None, "user_id", "mode", "id"),
        Index(
            "ix_interrogations_starred",
            "user_id",
            "id",
            sqlite_where=text("starred IS 1"),
            postgresql_where=text("starred IS true"),
        ),
        Index(None, "image_sha256"),
        Index(None, "state"),
        # An id stands in the buttons of a message: it must not come back for another row after a deletion.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    state: Mapped[State] = mapped_column(
        Enum(State, name="state", native_enum=False, create_constraint=True, length=16, values_callable=_values)
    )
    user_id: Mapped[int] = mapped_column(BigInteger)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int | None] = mapped_column(BigInteger)
    interaction_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    interaction_token: Mapped[str | None] = mapped_column(CleanText)
    image_url: Mapped[str | None] = mapped_column(CleanText)
    image_name: Mapped[str] = mapped_column(CleanText)
    image_sha256: Mapped[str | None] = mapped_column(String(64))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    frame: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    frames: Mapped[int | None] = mapped_column(BigInteger)
    mode: Mapped[Mode] = mapped_column(Enum(Mode, native_enum=False, length=16, values_callable=_values))
    style_only: Mapped[bool]
    subject: Mapped[str] = mapped_column(CleanText, default="", server_default=text("''"))
    artists: Mapped[bool] = mapped_column(default=True, server_default=true())
    profile: Mapped[str] = mapped_column(CleanText)
    engine: Mapped[str | None] = mapped_column(CleanText)
    caption: Mapped[str | None] = mapped_column(CleanText)
    prompt: Mapped[str | None] = mapped_column(CleanText)
    phrases: Mapped[tuple[Phrase, ...]] = mapped_column(PhraseList)
    similarity: Mapped[float | None] = mapped_column(Double)
    seconds: Mapped[float | None] = mapped_column(Double)
    embedded: Mapped[Embedded | None] = mapped_column(EmbeddedText)
    cached: Mapped[bool | None]
    nsfw: Mapped[float | None] = mapped_column(Double)
    error_kind: Mapped[str | None] = mapped_column(CleanText)
    error_message: Mapped[str | None] = mapped_column(CleanText)
    starred: Mapped[bool] = mapped_column(default=False)
    private: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Which process works on it, or did last (`bot.presence`); None where that was before there was this column.
    owner: Mapped[int | None] = mapped_column(BigInteger)
    # For whoever goes on with a row that another process left unfinished:
    application_id: Mapped[int | None] = mapped_column(BigInteger)
    token_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    file_limit: Mapped[int | None] = mapped_column(BigInteger)
    further: Mapped[bool] = mapped_column(default=False, server_default=false())
    origin: Mapped[Origin | None] = mapped_column(OriginText)
    unsent_answer: Mapped[Interrogation | None] = mapped_column(Answer)


class GuildSettingsRow(Base):
    """What the admins of a server decided, who of them, and when."""

    __tablename__ = "guild_settings"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rules: Mapped[GuildRules] = mapped_column(Rules)
    decided_by: Mapped[int] = mapped_column(BigInteger)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UserSettingsRow(Base):
    """What a person chose. Without a row their prompts are kept."""

    __tablename__ = "user_settings"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    keeps_history: Mapped[bool]


class UsageRow(Base):
    """How many pictures a person asked about on a day (UTC) in a server with limits, and when last."""

    __tablename__ = "usage"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    pictures: Mapped[int] = mapped_column(Integer)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BotStateRow(Base):
    """Small facts the bot remembers between runs, such as the hash of the commands it has synced."""

    __tablename__ = "bot_state"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
