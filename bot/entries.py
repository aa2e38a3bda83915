"""What the history gives and takes, as data, and what it may answer instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.models import State
from bot.origin import Origin
from interrogator.errors import InterrogatorError
from interrogator.types import Embedded, Interrogation, Mode, Phrase


class UnknownInterrogationError(InterrogatorError):
    """No row has this id (any more)."""

    kind = "unknown_interrogation"

    def __init__(self, entry_id: int) -> None:
        super().__init__("This interrogation is not in the history any more.")
        self.entry_id = entry_id


class NotYoursError(InterrogatorError):
    """Somebody else's row."""

    kind = "not_yours"

    def __init__(self) -> None:
        super().__init__("Only the person who asked for this can do that.")


class IllegalTransitionError(InterrogatorError):
    """The row is in a state from which `wanted` cannot be reached; it was not changed.

    Expected where two ends race (Cancel is pressed as the answer arrives): the first writer wins, the second gets this
    and says nothing more to the user than `str(error)`.
    """

    kind = "illegal_transition"

    def __init__(self, entry_id: int, current: State, wanted: State) -> None:
        super().__init__(f"This interrogation is already {current}.")
        self.entry_id = entry_id
        self.current = current
        self.wanted = wanted


class TakenOverError(IllegalTransitionError):
    """Another process goes on with the row, since it took this one for gone: the user hears of that one alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a new row holds. `guild_id` is None outside servers.

    From `application_id` on, what another process needs to go on: when the token ends, how many bytes a file of the
    answer may have, whether the answer is a further message or the interaction's own, and where it was asked.
    """

    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    interaction_id: int | None = None
    interaction_token: str | None = field(default=None, repr=False)
    image_url: str | None = field(default=None, repr=False)
    image_name: str
    mode: Mode
    style_only: bool = False
    subject: str = ""
    artists: bool = True
    profile: str
    private: bool = False
    application_id: int | None = None
    token_ends_at: datetime | None = None
    file_limit: int | None = None
    further: bool = False
    frame: int = 1
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A row that a process which is gone left unfinished. `answer`, or `failure`, is there where it was found before
    and only the telling, or the storing, was missing. `message_id` as in `bot.reply.Reply`."""

    id: int
    ask: Ask
    message_id: int | None
    answer: Interrogation | None
    failure: InterrogatorError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row as it is read: all but its secrets. What the answer fills is None (`phrases` empty) until it is done.
    Of these, `frames` are the pictures in the file, of which `frame` was asked for; `embedded` is what the file says of
    how it was made, None where it says nothing; `cached` tells whether the answer was there before; `nsfw` is as in
    `Interrogation`. Times are UTC."""

    id: int
    state: State
    user_id: int
    guild_id: int | None
    channel_id: int | None
    interaction_id: int | None
    message_id: int | None
    image_name: str
    image_sha256: str | None
    width: int | None
    height: int | None
    frame: int
    frames: int | None
    mode: Mode
    style_only: bool
    subject: str
    artists: bool
    profile: str
    engine: str | None
    caption: str | None
    prompt: str | None
    phrases: tuple[Phrase, ...]
    similarity: float | None
    seconds: float | None
    embedded: Embedded | None
    cached: bool | None
    nsfw: float | None
    error_kind: str | None
    error_message: str | None
    starred: bool
    private: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Direction(StrEnum):
    """Which way a cursor leads."""

    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A page beside another: the rows directly older, or newer, than row `id` (which need not exist any more)."""

    direction: Direction
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows of a history are looked for: those with all the words of `search` (or words that begin with them),
    of a mode, the starred ones. As it stands, all."""

    search: str = ""
    mode: Mode | None = None
    starred: bool = False


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a history: in which guild, and which of its channels they may read. None and empty outside."""

    user_id: int
    guild_id: int | None = None
    channel_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; a cursor is None where there is nothing in that direction."""

    entries: tuple[Entry, ...]
    newer: Cursor | None
    older: Cursor | None
