"""What somebody asks, whichever way they asked it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.attachments import Picture
from bot.entries import Ask, Entry
from interrogator.types import Mode, Options


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose of a prompt; the rules of the server and the settings say the rest. `mode` None is the
    server's own default, as is an empty `profile`, and one that is not offered any more. The others as in
    `interrogator.types.Options`."""

    mode: Mode | None = None
    style_only: bool = False
    subject: str = ""
    artists: bool = True
    frame: int = 1
    profile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """At least one picture, each answered in a message of its own. `private`: only the one who asks sees the answer."""

    pictures: tuple[Picture, ...]
    options: Options
    private: bool = False


def choice_of(row: Ask | Entry) -> Choice:
    """What was chosen for a row of the history."""
    return Choice(
        row.mode,
        style_only=row.style_only,
        subject=row.subject,
        artists=row.artists,
        frame=row.frame,
        profile=row.profile,
    )
