"""What the bot tells Discord of itself: its commands and its intents. When it tells is in tests/process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import discord
import pytest

from bot.client import InterrogatorBot
from bot.commands.catalogue import command_tree
from bot.settings import Settings
from bot.stores import Stores
from bot.sync import digest, payloads
from interrogator.queue.local import LocalQueue


@pytest.fixture
def bot(tmp_path: Path) -> InterrogatorBot:
    return InterrogatorBot(Settings(data_dir=tmp_path), LocalQueue(), Stores(*[cast("Any", None)] * 3))


async def test_every_command_works_wherever_it_may_be_installed(bot: InterrogatorBot) -> None:
    told = await payloads(bot.tree)
    assert {payload["name"] for payload in told} == {
        "interrogate",
        "compare",
        "score",
        "analyze",
        "history",
        "favorites",
        "export",
        "queue",
        "privacy",
        "settings",
        "help",
        "Interrogate image",
        "Style only",
    }
    for payload in told:
        assert payload["contexts"] == ([0] if payload["name"] == "settings" else [0, 1, 2])
        assert payload["integration_types"] == [0, 1]


async def test_the_commands_are_the_same_for_whoever_tells_them(bot: InterrogatorBot) -> None:
    other = command_tree(discord.Client(intents=discord.Intents.none()))
    assert await payloads(bot.tree) == await payloads(other)


async def test_the_digest_is_of_the_commands_and_the_application(bot: InterrogatorBot) -> None:
    told = await payloads(bot.tree)
    assert digest(1, told) == digest(1, told[::-1])
    assert digest(1, told) != digest(2, told)
    assert digest(1, told) != digest(1, told[:-1])


def test_no_privileged_intent_is_asked_for(bot: InterrogatorBot) -> None:
    assert not bot.intents.message_content
    assert not bot.intents.members
    assert not bot.intents.presences
    assert bot.allowed_mentions is not None
    assert bot.allowed_mentions.to_dict() == discord.AllowedMentions.none().to_dict()
