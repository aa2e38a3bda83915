"""Every word of every command is there in every language, and as Discord takes it."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from discord import app_commands

from bot.client import InterrogatorBot
from bot.settings import Settings
from bot.stores import Stores
from bot.translation import CATALOGS, UNTRANSLATED, CommandTranslator, catalog
from interrogator.queue import InterrogationQueue
from interrogator.types import Mode

NAME = re.compile(r"[-_'\w]{1,32}")  # \w has the letters and numbers of every script


def make_bot() -> InterrogatorBot:
    return InterrogatorBot(Settings(), cast("InterrogationQueue", None), Stores(*[cast("Any", None)] * 3))


async def words_of_the_commands() -> dict[str, set[app_commands.TranslationContextLocation]]:
    """Each with where it stands."""
    found: dict[str, set[app_commands.TranslationContextLocation]] = {}

    class Listener(app_commands.Translator):
        async def translate(self, string: Any, locale: Any, context: Any) -> None:
            found.setdefault(string.message, set()).add(context.location)

    bot = make_bot()
    for command in bot.tree.get_commands():
        await command.get_translated_payload(bot.tree, Listener())
    return found


@pytest.mark.parametrize("name", sorted(set(CATALOGS.values())))
async def test_a_language_has_every_word_and_no_other(name: str) -> None:
    words = set(await words_of_the_commands()) - UNTRANSLATED
    assert set(catalog(name)) == words
    assert set(Mode) == UNTRANSLATED


@pytest.mark.parametrize("name", sorted(set(CATALOGS.values())))
async def test_words_are_as_discord_takes_them(name: str) -> None:
    where = app_commands.TranslationContextLocation
    for word, places in (await words_of_the_commands()).items():
        translated = catalog(name).get(word, word)
        assert 1 <= len(translated) <= 100
        menu = translated in {catalog(name)["Interrogate image"], catalog(name)["Style only"]} and word[0].isupper()
        if places & {where.command_name, where.parameter_name} and not menu:
            assert NAME.fullmatch(translated), translated
            assert translated == translated.lower()
        if menu:
            assert len(translated) <= 32


@pytest.mark.parametrize("name", sorted(set(CATALOGS.values())))
async def test_names_beside_each_other_differ(name: str) -> None:
    bot = make_bot()
    for command in bot.tree.get_commands():
        if isinstance(command, app_commands.Command):
            names = [catalog(name).get(option.name, option.name) for option in command.parameters]
            assert len(set(names)) == len(names)
    slash = [command.name for command in bot.tree.get_commands() if isinstance(command, app_commands.Command)]
    assert len({catalog(name)[each] for each in slash}) == len(slash)


async def test_discord_is_told_all_languages() -> None:
    bot = make_bot()
    command = bot.tree.get_command("interrogate")
    assert command is not None
    payload = await command.get_translated_payload(bot.tree, CommandTranslator())
    assert payload["name_localizations"]["de"] == "prompt-finden"
    assert set(payload["description_localizations"]) == {locale.value for locale in CATALOGS}
    assert payload["options"][0]["name_localizations"]["ja"] == "画像"
