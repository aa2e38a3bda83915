"""What somebody asks, whichever way they asked it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.attachments import Picture
from interrogator.types import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """At least one picture, each answered in a message of its own. `private`: only the one who asks sees the answer."""

    pictures: tuple[Picture, ...]
    options: Options
    private: bool = False
