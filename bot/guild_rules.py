"""What the admins of a server decide, as data; and the words of it for a form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from bot.text import one_line
from interrogator.types import Mode

MOST_CHOSEN = 25  # roles or channels: what a menu of Discord holds
MOST_WORDS = 200
MOST_EXTRA = 50  # phrases of a server's own
PROFILE_LIMIT = 100  # letters of a name: what a menu of Discord holds
WORD_LIMIT = 60  # letters of a blocked word
LONGEST_COOLDOWN = 86_400
MOST_A_DAY = 10_000

_Ids = Annotated[tuple[int, ...], Meta(max_length=MOST_CHOSEN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildRules:
    """As it stands, everyone may ask anywhere.

    `mode` and `profile` are what is used where none is chosen; an empty profile is the bot's own. Where `roles` or
    `channels` are given, only their members may ask, only there (a thread counts as its channel). `cooldown_seconds`
    lie between two questions of a person at least, and a person may ask about `daily_limit` pictures in a day (UTC); 0
    is no limit. `private`: answers are for the asker alone. No prompt has a word of `blocked` in it. `extra` are
    phrases of the server's own, used where they suit a picture. `safe_only`: no sexual or hateful words even in
    channels that are age-restricted; elsewhere there are none in any case.
    """

    mode: Mode | None = None
    profile: Annotated[str, Meta(max_length=PROFILE_LIMIT)] = ""
    roles: _Ids = ()
    channels: _Ids = ()
    cooldown_seconds: Annotated[int, Meta(ge=0, le=LONGEST_COOLDOWN)] = 0
    daily_limit: Annotated[int, Meta(ge=0, le=MOST_A_DAY)] = 0
    private: bool = False
    artists: bool = True
    blocked: Annotated[tuple[str, ...], Meta(max_length=MOST_WORDS)] = field(default=())
    extra: Annotated[tuple[str, ...], Meta(max_length=MOST_EXTRA)] = field(default=())
    safe_only: bool = True


def phrases_from(text: str) -> tuple[str, ...]:
    """The phrases that lines or commas divide, as they were written, each once, at most `MOST_EXTRA`."""
    phrases = (one_line(part)[:WORD_LIMIT].strip() for part in re.split(r"[,\n]", text))
    return tuple(dict.fromkeys(filter(None, phrases)))[:MOST_EXTRA]


def words_from(text: str) -> tuple[str, ...]:
    """The words, or runs of words, that lines or commas divide, each once, at most `MOST_WORDS`."""
    # Folded before it is cut: folding may lengthen a word, and what is stored must read the same when it is read again.
    words = (one_line(part.casefold())[:WORD_LIMIT].strip() for part in re.split(r"[,\n]", text))
    return tuple(dict.fromkeys(filter(None, words)))[:MOST_WORDS]


def number_from(text: str, most: int) -> int | None:
    """A whole number from 0 to `most`; an empty text is 0, anything else None."""
    text = text.strip()
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most else None
