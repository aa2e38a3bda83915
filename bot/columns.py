"""Column types: what Python values become in the database, so that every database gives back what it was given."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import JSON, DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from bot.guild_rules import GuildRules
from bot.origin import Origin
from interrogator.types import Embedded, Interrogation, Phrase

T = TypeVar("T")

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Text that every database stores: without NUL, which PostgreSQL refuses and SQLite's functions stop at, and with
    U+FFFD for a lone surrogate, which has no UTF-8."""
    return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\0", ""))


class CleanText(TypeDecorator[str]):
    """Text of any length and content, stored as `clean_text` of it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else clean_text(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, in UTC when read. A naive one is refused: nobody knows which hour it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # SQLite keeps no zone


class PhraseList(TypeDecorator[tuple[Phrase, ...]]):
    """Phrases as JSON: `[{"text", "group", "similarity"}, ...]`. JSON has no NaN: it is stored as null."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[Phrase, ...] | None, _dialect: Dialect) -> list[dict[str, Any]]:
        return [
            {
                "text": clean_text(phrase.text),
                "group": clean_text(phrase.group),
                "similarity": phrase.similarity if math.isfinite(phrase.similarity) else None,
            }
            for phrase in value or ()
        ]

    def process_result_value(self, value: list[dict[str, Any]] | None, _dialect: Dialect) -> tuple[Phrase, ...]:
        return tuple(
            Phrase(item["text"], item["group"], math.nan if item["similarity"] is None else item["similarity"])
            for item in value or ()
        )


class _Whole(TypeDecorator[T]):
    """A dataclass as JSON in ASCII, which every database stores as it is, whatever its texts contain. One that another
    version of the code has written otherwise is read as None."""

    impl = Text
    cache_ok = True
    kind: type[T]

    def process_bind_param(self, value: T | None, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(msgspec.to_builtins(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> T | None:
        if value is None:
            return None
        try:
            return msgspec.convert(json.loads(value), self.kind)
        except msgspec.ValidationError:
            return None


class Answer(_Whole[Interrogation]):
    """A whole interrogation."""

    cache_ok = True
    kind = Interrogation


class EmbeddedText(_Whole[Embedded]):
    """What a file says of how its picture was made."""

    cache_ok = True
    kind = Embedded


class OriginText(_Whole[Origin]):
    """Where an interaction came from."""

    cache_ok = True
    kind = Origin


class Rules(_Whole[GuildRules]):
    """The rules of a server. What another version has written, and this one does not know, is read as None."""

    cache_ok = True
    kind = GuildRules
