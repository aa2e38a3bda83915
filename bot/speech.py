"""What the bot says, in the language of the one who asks, as far as it is in `bot/languages`; else in English.

The language is that of the interaction which is being answered, wherever in its answering something is said: it travels
with the task. What the models, lists and files say is left as it is.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from bot.translation import CATALOGS, replies

if TYPE_CHECKING:
    import discord

_catalog: ContextVar[str | None] = ContextVar("catalog", default=None)


def speak_to(interaction: discord.Interaction[Any]) -> None:
    """From here on, in this task and those that it starts, the language of whoever sent this."""
    _catalog.set(CATALOGS.get(interaction.locale))


def said(text: str, **values: object) -> str:
    """The text in that language, with the values in their places."""
    name = _catalog.get()
    translated = text if name is None else replies(name).get(text, text)
    return translated.format(**values) if values else translated


def in_any_language(text: str) -> str:
    """A pattern for the text in whichever language it was said."""
    variants = {text, *(replies(name).get(text, text) for name in CATALOGS.values())}
    return f"(?:{'|'.join(map(re.escape, sorted(variants)))})"
