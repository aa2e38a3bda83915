"""The commands are sent to Discord only when they differ from what it was sent last."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import discord
import simcord

from bot.client import InterrogatorBot
from bot.database import Database
from bot.settings import Settings
from bot.stores import Stores
from bot.sync import commands_hash, sync_if_changed
from interrogator.queue.local import LocalQueue


def make_bot(database: Database, tmp_path: Path) -> InterrogatorBot:
    return InterrogatorBot(Settings(data_dir=tmp_path), LocalQueue(), Stores.of(database))


async def test_synced_once_and_again_after_a_change(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path}/bot.db") as database:
        bot = make_bot(database, tmp_path)
        async with simcord.run(bot, shard_count=1) as env:
            outcomes = [await sync_if_changed(bot, database) for _ in range(2)]

            @bot.tree.command(name="new", description="a new command")
            async def new(interaction: discord.Interaction) -> None: ...

            outcomes.append(await sync_if_changed(bot, database))
            puts = [request for request in env.http_requests if request.method == "PUT"]
    assert outcomes == [True, False, True]
    assert len(puts) == 2


async def test_every_command_works_wherever_it_may_be_installed(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path}/bot.db") as database:
        bot = make_bot(database, tmp_path)
        payloads = [command.to_dict(bot.tree) for command in bot.tree.get_commands()]
        assert {payload["name"] for payload in payloads} == {
            "interrogate",
            "history",
            "favorites",
            "privacy",
            "settings",
            "help",
            "Interrogate image",
            "Style only",
        }
        for payload in payloads:
            assert payload["contexts"] == ([0] if payload["name"] == "settings" else [0, 1, 2])
            assert payload["integration_types"] == [0, 1]


async def test_two_bots_of_the_same_code_have_the_same_hash(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path}/bot.db") as database:
        first, second = make_bot(database, tmp_path), make_bot(database, tmp_path)
        assert commands_hash(first) == commands_hash(second)
        second.tree.remove_command("help")
        assert commands_hash(first) != commands_hash(second)


def test_no_privileged_intent_is_asked_for(tmp_path: Path) -> None:
    bot = InterrogatorBot(Settings(data_dir=tmp_path), LocalQueue(), Stores(*[cast("Any", None)] * 3))
    assert not bot.intents.message_content
    assert not bot.intents.members
    assert not bot.intents.presences
    assert bot.allowed_mentions is not None
    assert bot.allowed_mentions.to_dict() == discord.AllowedMentions.none().to_dict()
