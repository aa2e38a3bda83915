"""What the bot keeps in its database, by what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.database import Database
from bot.guilds import Guilds
from bot.history import History
from bot.personal import Personal


@dataclass(frozen=True, slots=True)
class Stores:
    """All of one database."""

    history: History
    guilds: Guilds
    personal: Personal

    @classmethod
    def of(cls, database: Database) -> Self:
        """The database must be open as long as they are used."""
        return cls(History(database), Guilds(database), Personal(database))
