"""Every word of every command is there in every language, and as Discord takes it."""

from __future__ import annotations

import asyncio
import re
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any, cast

import pytest
from discord import Locale, app_commands

from bot import measure_buttons, render, views
from bot.client import InterrogatorBot
from bot.settings import Settings
from bot.speech import said, speak_to
from bot.stores import Stores
from bot.translation import CATALOGS, UNTRANSLATED, CommandTranslator, catalog, replies
from interrogator.queue import InterrogationQueue
from interrogator.types import Embedded, Interrogation, Mode

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


@pytest.mark.parametrize("name", sorted(set(CATALOGS.values())))
def test_what_the_bot_says_is_said_in_every_language_with_its_values_in_place(name: str) -> None:
    english = replies("de")
    assert set(replies(name)) == set(english)
    for text, translated in replies(name).items():
        assert translated
        assert sorted(re.findall(r"{\w+}", translated)) == sorted(re.findall(r"{\w+}", text))
        assert [translated.count(mark) for mark in ("**", "⏳", "-#")] == [
            text.count(mark) for mark in ("**", "⏳", "-#")
        ]


@pytest.mark.parametrize("locale", list(Locale))
def test_an_answer_is_in_the_language_of_who_asks_and_its_buttons_read_it(locale: Locale) -> None:
    found = Interrogation(
        sha256="0" * 64,
        width=1,
        height=1,
        profile="lite",
        engine="lite",
        mode=Mode.TURBO,
        style_only=False,
        caption="a cat",
        prompt="a robot, soft light",
        phrases=(),
        similarity=0.5,
        seconds=1.0,
        subject="a robot",
        embedded=Embedded("A1111", "a hidden prompt"),
    )
    message = SimpleNamespace(attachments=[], embeds=[])

    def shown() -> None:
        speak_to(SimpleNamespace(locale=locale))
        message.embeds.append(render.answer(found, picture=None).embed)

    copy_context().run(shown)
    text = message.embeds[0].description
    name = CATALOGS.get(locale)
    word = "similarity" if name is None else replies(name)["similarity"]
    assert f"{word} **0.500**" in text
    assert views._subject_of(message) == "a robot"
    assert asyncio.run(measure_buttons._prompt_of(SimpleNamespace(message=message))) == "a robot, soft light"
    assert said("similarity") == "similarity"
