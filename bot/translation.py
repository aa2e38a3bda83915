"""The commands, and what the bot says, in the languages of their users. The words are in `bot/languages`, a TOML file a
language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from discord import Locale, app_commands

CATALOGS = {
    Locale.german: "de",
    Locale.french: "fr",
    Locale.spain_spanish: "es",
    Locale.latin_american_spanish: "es",
    Locale.brazil_portuguese: "pt-BR",
    Locale.japanese: "ja",
    Locale.korean: "ko",
    Locale.chinese: "zh-CN",
    Locale.taiwan_chinese: "zh-TW",
}
"""The file of each language of Discord that we have; in all others our own English is shown."""

THOUSANDS: Mapping[str | None, str] = {"de": ".", "fr": "\u202f", "es": "\u202f", "pt-BR": "."}
"""What divides the thousands of a number in the language of a file; where it is not here, a comma does."""

# Modes are names: they stand in answers, in settings and on the command line, too.
UNTRANSLATED = frozenset({"turbo", "best", "fast", "classic", "caption", "negative"})


@cache
def catalog(name: str) -> Mapping[str, str]:
    """What the commands' words, in English, are in the language of this file."""
    text = (files("bot") / "languages" / f"{name}.toml").read_text(encoding="utf-8")
    commands: dict[str, str] = tomllib.loads(text)["commands"]
    return commands


@cache
def replies(name: str) -> Mapping[str, str]:
    """What the bot's answers, in English, are in the language of this file."""
    text = (files("bot") / "languages" / f"{name}.toml").read_text(encoding="utf-8")
    said: dict[str, str] = tomllib.loads(text)["replies"]
    return said


class CommandTranslator(app_commands.Translator):
    """Asked by discord.py whenever the commands are sent to Discord."""

    async def translate(
        self, string: app_commands.locale_str, locale: Locale, _context: app_commands.TranslationContextTypes
    ) -> str | None:
        """The words in the language, None for English."""
        name = CATALOGS.get(locale)
        return None if name is None else catalog(name).get(string.message)
