"""The objects of Discord's API as JSON, as far as discord.py reads them (API v10)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

APPLICATION_ID = 800_000_000_000_000_001
GUILD_ID = 800_000_000_000_000_002
CHANNEL_ID = 800_000_000_000_000_003
ANN_ID = 800_000_000_000_000_004
BOB_ID = 800_000_000_000_000_005
NAMES = {APPLICATION_ID: "Interrogator", ANN_ID: "ann", BOB_ID: "bob"}

MEBIBYTE = 2**20
EPHEMERAL = 1 << 6
LOADING = 1 << 7
OPTION_TYPES = {str: 3, bool: 5}
ATTACHMENT_OPTION = 11
FIRST_OF_MANY = 810_000_000_000_000_000  # the ids of people without a name follow
LONG_AGO = "2026-01-01T00:00:00+00:00"


def user(user_id: int) -> Json:
    return {
        "id": str(user_id),
        "username": NAMES.get(user_id, f"user{user_id % 1000}"),
        "global_name": None,
        "discriminator": "0",
        "avatar": None,
        "bot": user_id == APPLICATION_ID,
    }


def application() -> Json:
    return {
        "id": str(APPLICATION_ID),
        "name": NAMES[APPLICATION_ID],
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "owner": user(ANN_ID),
        "team": None,
        "flags": 0,
    }


def gateway_bot(url: str) -> Json:
    limits = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
    return {"url": url, "shards": 1, "session_start_limit": limits}


def ready(gateway_url: str, session: str, shard: object) -> Json:
    return {
        "v": 10,
        "user": user(APPLICATION_ID),
        "guilds": [{"id": str(GUILD_ID), "unavailable": True}],
        "session_id": session,
        "resume_gateway_url": gateway_url,
        "shard": shard,
        "application": {"id": str(APPLICATION_ID), "flags": 0},
    }


def channel() -> Json:
    return {
        "id": str(CHANNEL_ID),
        "type": 0,
        "guild_id": str(GUILD_ID),
        "name": "prompts",
        "position": 0,
        "permission_overwrites": [],
        "parent_id": None,
        "nsfw": False,
    }


def guild() -> Json:
    everyone = {
        "id": str(GUILD_ID),
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": "0",
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    return {
        "id": str(GUILD_ID),
        "name": "Studio",
        "owner_id": str(ANN_ID),
        "unavailable": False,
        "member_count": 3,
        "roles": [everyone],
        "channels": [channel()],
        "threads": [],
        "members": [],
        "features": [],
        "emojis": [],
        "stickers": [],
        "preferred_locale": "en-US",
    }


def command_options(options: dict[str, str | bool], attachments: dict[str, Json]) -> Json:
    """The `options` and `resolved` of a slash command; attachments by the name of their option."""
    given: list[Json] = [
        {"name": name, "type": OPTION_TYPES[type(value)], "value": value} for name, value in options.items()
    ]
    given += [{"name": name, "type": ATTACHMENT_OPTION, "value": file["id"]} for name, file in attachments.items()]
    return {"options": given, "resolved": {"attachments": {file["id"]: file for file in attachments.values()}}}


def personal_interaction(number: int, token: str, kind: int, data: Json, by: int) -> Json:
    """INTERACTION_CREATE in a conversation of people, for an app that one of them has installed for themselves: the bot
    is not there, and knows neither server nor members."""
    return {
        "id": str(number),
        "application_id": str(APPLICATION_ID),
        "type": kind,
        "token": token,
        "version": 1,
        "channel_id": str(CHANNEL_ID),
        "channel": {
            "id": str(CHANNEL_ID),
            "type": 3,
            "name": None,
            "icon": None,
            "recipients": [],
            "owner_id": str(by),
        },
        "user": user(by),
        "app_permissions": "0",
        "locale": "xx-XX",  # which no library knows
        "entitlements": [],
        "authorizing_integration_owners": {"1": str(by)},
        "context": 2,
        "attachment_size_limit": 10 * MEBIBYTE,
        "data": data,
    }


def interaction(number: int, token: str, kind: int, data: Json, by: int) -> Json:
    """INTERACTION_CREATE in the channel of the server."""
    member = {
        "user": user(by),
        "roles": [],
        "joined_at": LONG_AGO,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "permissions": "0",
    }
    return {
        "id": str(number),
        "application_id": str(APPLICATION_ID),
        "type": kind,
        "token": token,
        "version": 1,
        "guild_id": str(GUILD_ID),
        "guild": {"id": str(GUILD_ID), "locale": "en-US", "features": []},
        "channel_id": str(CHANNEL_ID),
        "channel": channel(),
        "member": member,
        "app_permissions": "0",
        "locale": "en-US",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(GUILD_ID)},
        "context": 0,
        "attachment_size_limit": 10 * MEBIBYTE,
        "data": data,
    }
