"""Telling Discord our commands, only where they differ from those it knows: it limits how often that may be done."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands
from discord.http import Route

from bot.command_changes import Change, Kind, Payload, changes, described
from bot.commands.catalogue import command_tree
from bot.database import Database
from bot.state import get_value, set_value

log = logging.getLogger(__name__)

KEY = "commands_hash"
FEW = 3  # so many are written one by one; more are written together, with those that stay as they are
EXIT_DIFFERENT = 3


@asynccontextmanager
async def logged_in(token: str) -> AsyncIterator[discord.Client]:
    """A client that may ask and tell Discord over HTTP; it opens no gateway. Raises what `discord.Client.login` does:
    LoginFailure, HTTPException, aiohttp.ClientError."""
    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(token)
        yield client


async def payloads(tree: app_commands.CommandTree[Any]) -> list[dict[str, Any]]:
    """The commands as they are sent to Discord, translated where the tree has a translator."""
    translator = tree.translator
    if translator is None:
        return [command.to_dict(tree) for command in tree.get_commands()]
    return [await command.get_translated_payload(tree, translator) for command in tree.get_commands()]


async def pending(client: discord.Client, ours: Sequence[Payload]) -> list[Change]:
    """What Discord does not know yet. The client must be logged in. Raises HTTPException."""
    route = Route("GET", "/applications/{application_id}/commands", application_id=client.application_id)
    theirs = await client.http.request(route, params={"with_localizations": "true"})
    return changes(ours, theirs)


async def write(client: discord.Client, ours: Sequence[dict[str, Any]], differing: Sequence[Change]) -> None:
    """Make Discord's commands ours: the few that differ, or all in one request. Raises HTTPException."""
    application = client.application_id
    assert application is not None, "the client is logged in"
    if len(differing) > FEW:
        await client.http.bulk_upsert_global_commands(application, payload=list(ours))
        return
    for change in differing:
        if change.kind is Kind.REMOVED:
            with suppress(discord.NotFound):  # somebody else has removed it meanwhile
                await client.http.delete_global_command(application, change.payload["id"])
        else:  # one of the same name is overwritten
            await client.http.upsert_global_command(application, payload=change.payload)  # type: ignore[arg-type]


def digest(application_id: int | None, ours: Sequence[Payload]) -> str:
    """Of the commands as they are sent to Discord, and of the application they belong to."""
    ordered = sorted(ours, key=lambda command: (command["type"], command["name"]))
    text = json.dumps([application_id, ordered], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def sync_if_changed(bot: commands.Bot | commands.AutoShardedBot, database: Database) -> bool:
    """Sync the commands unless these very ones were synced last; tells whether Discord had to be told any. The bot
    must be logged in."""
    ours = await payloads(bot.tree)
    current = digest(bot.application_id, ours)
    if await get_value(database, KEY) == current:
        log.info("the commands are as Discord knows them")
        return False
    differing = await pending(bot, ours)
    await write(bot, ours, differing)
    await set_value(database, KEY, current)
    log.info("commands synced: %s", ", ".join(f"{change.name} {change.kind}" for change in differing) or "no change")
    return bool(differing)


async def sync(token: str, *, dry_run: bool) -> int:
    """`python -m bot sync`: print the difference, then write it. The exit status: 0 where Discord knows our commands
    now, `EXIT_DIFFERENT` where it does not and this is a dry run. Raises as `logged_in`."""
    async with logged_in(token) as client:
        ours = await payloads(command_tree(client))
        differing = await pending(client, ours)
        for change in differing:
            _say(described(change))
        if not differing:
            _say(f"Discord knows all {len(ours)} commands as they are; nothing is written.")
            return 0
        if dry_run:
            _say("A dry run: nothing is written.")
            return EXIT_DIFFERENT
        await write(client, ours, differing)
        _say(f"Written. Discord knows all {len(ours)} commands now; people see them once they reload the app.")
        return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the answer to a command
