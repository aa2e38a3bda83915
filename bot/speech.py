"""What the bot says, in the language of the one who asks, as far as it is in `bot/languages`; else in English.

The language is that of the interaction which is being answered, wherever in its answering something is said: it travels
with the task. What the models, lists and files say is left as it is.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from bot.translation import CATALOGS, THOUSANDS, catalog, replies

if TYPE_CHECKING:
    import discord

LEAST_LETTERS = 15  # that a text has beside its values, for a sentence to be recognised by them
_catalog: ContextVar[str | None] = ContextVar("catalog", default=None)


def speak_to(interaction: discord.Interaction[Any]) -> None:
    """From here on, in this task and those that it starts, the language of whoever sent this."""
    _catalog.set(CATALOGS.get(interaction.locale))


def said(text: str, **values: object) -> str:
    """The text in that language, with the values in their places."""
    name = _catalog.get()
    translated = text if name is None else replies(name).get(text, text)
    return translated.format(**values) if values else translated


def retold(sentence: str) -> str:
    """A sentence that was made in English, with its values in it, in that language: errors, which may come from another
    process or out of the database. It stays English where it is none of our texts."""
    name = _catalog.get()
    if name is None:
        return sentence
    if (translated := replies(name).get(sentence)) is not None:
        return translated
    for pattern, text in _patterns(name):
        if found := pattern.fullmatch(sentence):
            return text.format(**{key: replies(name).get(value, value) for key, value in found.groupdict().items()})
    return sentence


def called(word: str) -> str:
    """A word of a command as Discord shows it in that language."""
    name = _catalog.get()
    return word if name is None else catalog(name).get(word, word)


def number(value: int) -> str:
    """With the thousands divided as that language does it."""
    return f"{value:,}".replace(",", THOUSANDS.get(_catalog.get(), ","))


@cache
def _patterns(name: str) -> list[tuple[re.Pattern[str], str]]:
    """What finds the values in an English sentence, with its translation, those first that say most themselves."""
    found = []
    for text, translated in replies(name).items():
        parts = re.split(r"{(\w+)}", text)
        letters = sum(map(len, parts[::2]))
        if len(parts) > 1 and letters >= LEAST_LETTERS:
            pieces = [f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
            found.append((letters, re.compile("".join(pieces), re.DOTALL), translated))
    return [(pattern, translated) for _, pattern, translated in sorted(found, key=lambda one: -one[0])]


def in_any_language(text: str) -> str:
    """A pattern for the text in whichever language it was said."""
    variants = {text, *(replies(name).get(text, text) for name in CATALOGS.values())}
    return f"(?:{'|'.join(map(re.escape, sorted(variants)))})"
