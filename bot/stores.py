"""What the bot keeps in its database, by what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.database import Database
from bot.history import History
from bot.personal import Personal
from bot.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Stores:
    """All of one database."""

    history: History
    rulebook: Rulebook
    personal: Personal

    @classmethod
    def of(cls, database: Database, owner: int = 0) -> Self:
        """The database must be open as long as they are used; `owner` as in `History`."""
        return cls(History(database, owner=owner), Rulebook(database), Personal(database))
