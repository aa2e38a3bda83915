"""Telling Discord our commands, only when they have changed: it limits how often that may be done."""

from __future__ import annotations

import hashlib
import json
import logging

from discord.ext import commands

from bot.database import Database
from bot.state import get_value, set_value

log = logging.getLogger(__name__)

KEY = "commands_hash"


def commands_hash(bot: commands.Bot | commands.AutoShardedBot) -> str:
    """A digest of the commands as they are sent to Discord, and of the application they belong to."""
    payload = [command.to_dict(bot.tree) for command in bot.tree.get_commands()]
    payload.sort(key=lambda command: (command["type"], command["name"]))
    text = json.dumps([bot.application_id, payload], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def sync_if_changed(bot: commands.Bot | commands.AutoShardedBot, database: Database) -> bool:
    """Sync the commands unless these very ones were synced last; tells which. The bot must be logged in."""
    digest = commands_hash(bot)
    if await get_value(database, KEY) == digest:
        log.info("the commands are as Discord knows them")
        return False
    synced = await bot.tree.sync()
    await set_value(database, KEY, digest)
    log.info("%d commands synced", len(synced))
    return True
