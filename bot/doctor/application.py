"""What Discord says of the application: over HTTP alone, without the gateway, and without changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import discord
from discord.http import Route

from bot import invite
from bot.client import INTENTS
from bot.command_changes import Change
from bot.commands.catalogue import command_tree
from bot.doctor.findings import Finding, failure, ok, warning
from bot.doctor.machine import PORTAL, check_clock
from bot.reply import reason
from bot.sync import logged_in, payloads, pending

SECONDS = 60.0  # for all of it
GUILDS = 200  # a page of Discord's
GUILDS_NAMED = 5
GUILD_INSTALL, USER_INSTALL = "0", "1"  # integration types
_PRIVILEGED = {
    "Presence": discord.Intents(presences=True),
    "Server Members": discord.Intents(members=True),
    "Message Content": discord.Intents(message_content=True),
}


async def check_discord(token: str) -> AsyncIterator[Finding]:
    """As long as Discord answers; where it does not, a finding says so and is the last."""
    try:
        async with asyncio.timeout(SECONDS), logged_in(token) as client:
            yield _accepted(client)
            application = await client.http.request(Route("GET", "/applications/@me"))
            yield check_intents(client.application_flags)
            for finding in (*_installation(application), *_links(int(application["id"]))):
                yield finding
            yield check_guilds(await client.http.get_guilds(GUILDS))
            yield check_commands(await pending(client, await payloads(command_tree(client))))
            yield _starts((await client.http.request(Route("GET", "/gateway/bot")))["session_start_limit"])
            yield check_clock(discord=await _discord_time())
    except discord.LoginFailure:
        yield failure("discord", "it does not accept the token", f"Copy it again from {PORTAL}, under Bot.")
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        yield failure(
            "discord",
            f"it cannot be asked: {reason(error)}",
            "See to this machine's network; https://discordstatus.com tells of outages. --offline leaves this out.",
        )


def check_intents(flags: discord.ApplicationFlags | None) -> Finding:
    """That no privileged intent is asked for; and what the portal allows, where that is known."""
    asked = [name for name, intent in _PRIVILEGED.items() if INTENTS.value & intent.value]
    if asked:
        return failure("intents", f"privileged ones are asked for: {', '.join(asked)}", f"Allow them at {PORTAL}, Bot.")
    allowed = [] if flags is None else _allowed(flags)
    more = f"; the portal allows {', '.join(allowed)}, which may be switched off" if allowed else ""
    return ok("intents", f"none that is privileged is asked for{more}")


def check_guilds(guilds: Sequence[Any]) -> Finding:
    """Whether the bot has in each server what it asks for. A channel may still take some of it away."""
    lacking = {guild["name"]: lacks for guild in guilds if (lacks := invite.missing(int(guild["permissions"])))}
    if not guilds:
        return ok("servers", "in none yet: open the link above")
    count = f"in {len(guilds)}{' or more' if len(guilds) >= GUILDS else ''}"
    if not lacking:
        return ok("servers", f"{count}, with all permissions")
    named = [f"{name} ({', '.join(lacks)})" for name, lacks in list(lacking.items())[:GUILDS_NAMED]]
    more = f" and {len(lacking) - GUILDS_NAMED} more" if len(lacking) > GUILDS_NAMED else ""
    return warning(
        "servers",
        f"{count}; permissions lack in {'; '.join(named)}{more}",
        "Give the bot's role there these permissions, or invite it anew with the link above.",
    )


def check_commands(differing: Sequence[Change]) -> Finding:
    """Whether Discord knows the commands of this version."""
    if not differing:
        return ok("commands", "Discord knows them as they are")
    named = ", ".join(f"{change.name} {change.kind}" for change in differing)
    return warning("commands", f"Discord knows others: {named}", "The next start tells it, or now: python -m bot sync")


def _accepted(client: discord.Client) -> Finding:
    assert client.user is not None, "the client is logged in"
    return ok("discord", f"the token is accepted, for {client.user.name} (application {client.application_id})")


def _installation(application: dict[str, Any]) -> list[Finding]:
    contexts = application.get("integration_types_config") or {}
    where = f"{PORTAL}, Installation"
    findings = []
    if application.get("interactions_endpoint_url"):
        findings.append(
            failure(
                "installation",
                "an interactions endpoint URL is set: Discord sends commands there, and none to this bot",
                f"Empty it at {PORTAL}, General Information.",
            )
        )
    if application.get("bot_require_code_grant"):
        findings.append(
            warning(
                "installation", "a code grant is required: links alone add nobody", f"Switch it off at {PORTAL}, Bot."
            )
        )
    for kind, name in ((GUILD_INSTALL, "Guild Install"), (USER_INSTALL, "User Install")):
        if kind not in contexts:
            findings.append(warning("installation", f"{name} is not allowed", f"Tick it at {where}."))
        elif lacks := _lacks(contexts[kind], guild=kind == GUILD_INSTALL):
            findings.append(
                warning("installation", f"the default link of {name} lacks {', '.join(lacks)}", f"Add that at {where}.")
            )
    return findings or [ok("installation", "in servers and for people, with the right scopes and permissions")]


def _lacks(config: dict[str, Any], *, guild: bool) -> list[str]:
    """Scopes and permissions that the link on the application's page does not ask for. It has none by default."""
    params = config.get("oauth2_install_params")
    if params is None:
        return []
    scopes = [
        scope for scope in (invite.GUILD_SCOPES if guild else invite.USER_SCOPES) if scope not in params["scopes"]
    ]
    return scopes + (invite.missing(int(params["permissions"])) if guild else [])


def _links(application_id: int) -> list[Finding]:
    return [
        ok("invite", f"to a server: {invite.guild_link(application_id)}"),
        ok("invite", f"to your account: {invite.user_link(application_id)}"),
    ]


def _starts(limit: dict[str, Any]) -> Finding:
    text = f"{limit['remaining']} of {limit['total']} left before {limit['reset_after'] / 3.6e6:.0f} h are over"
    if limit["remaining"] < 1:
        return failure(
            "starts", text, "Discord lets nobody start more often: wait, and find out what restarts the bot."
        )
    return ok("starts", text)


def _allowed(flags: discord.ApplicationFlags) -> list[str]:
    """Names of the privileged intents that the portal allows, in full or as to a small bot."""
    allowed = {
        "Presence": flags.gateway_presence or flags.gateway_presence_limited,
        "Server Members": flags.gateway_guild_members or flags.gateway_guild_members_limited,
        "Message Content": flags.gateway_message_content or flags.gateway_message_content_limited,
    }
    return [name for name, is_allowed in allowed.items() if is_allowed]


async def _discord_time() -> float:
    """Discord's clock, in seconds since the epoch, as every answer of its tells."""
    async with aiohttp.ClientSession() as session, session.get(f"{Route.BASE}/gateway") as reply:
        return parsedate_to_datetime(reply.headers["Date"]).timestamp()
