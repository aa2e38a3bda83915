"""What Discord knows of an application apart from its conversations: its settings, its commands, its servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from discord_payloads import APPLICATION_ID, GUILD_ID, Json, application, gateway_bot

from bot.invite import PERMISSIONS

API = "/api/v10"
COMMANDS = f"{API}/applications/{APPLICATION_ID}/commands"
ALL_PERMISSIONS = str(PERMISSIONS.value)


class Portal:
    """The application as its owner has set it up: as the README says, unless a test changes it."""

    def __init__(self, new_id: Callable[[], int]) -> None:
        self.registrations: list[list[Json]] = []  # the commands of each PUT
        self.written: list[str] = []  # method and name of each other write
        self.commands: dict[str, Json] = {}  # by id
        scopes = {"scopes": ["applications.commands", "bot"], "permissions": ALL_PERMISSIONS}
        self.application: Json = application() | {
            "interactions_endpoint_url": None,
            "integration_types_config": {"0": {"oauth2_install_params": scopes}, "1": {}},
        }
        self.guilds: list[Json] = [guild("Studio")]
        self.starts_left = 999
        self._new_id = new_id

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{API}/oauth2/applications/@me", self._about),
            web.get(f"{API}/applications/@me", self._about),
            web.get(f"{API}/users/@me/guilds", self._guilds),
            web.get(f"{API}/gateway/bot", self._gateway),
            web.get(COMMANDS, self._list),
            web.put(COMMANDS, self._replace),
            web.post(COMMANDS, self._upsert),
            web.delete(f"{COMMANDS}/{{id}}", self._delete),
        ]

    def forget_commands(self, *names: str) -> None:
        """Let it not know these commands any more; all where none is named."""
        kept = {number: command for number, command in self.commands.items() if names and command["name"] not in names}
        self.commands = kept

    def know(self, command: Json) -> Json:
        """Keep a command as Discord does: under the id that one of this name has, with its own fields, without what is
        so by default."""
        return self._keep(command, self.commands)

    def command(self, name: str) -> Json:
        """The command of that name, to be changed as if another version had written it."""
        return next(command for command in self.commands.values() if command["name"] == name)

    def names(self) -> list[str]:
        return sorted(command["name"] for command in self.commands.values())

    async def _about(self, _request: web.Request) -> web.Response:
        return as_json(self.application)

    async def _guilds(self, _request: web.Request) -> web.Response:
        return as_json(self.guilds)

    async def _gateway(self, request: web.Request) -> web.Response:
        answer = gateway_bot(f"ws://{request.host}/gateway")
        answer["session_start_limit"]["remaining"] = self.starts_left
        return as_json(answer)

    async def _list(self, request: web.Request) -> web.Response:
        assert request.query["with_localizations"] == "true"
        return as_json(list(self.commands.values()))

    async def _replace(self, request: web.Request) -> web.Response:
        payload = await request.json()
        self.registrations.append(payload)
        known = self.commands
        self.commands = {}
        for command in payload:
            self._keep(command, known)
        return as_json(list(self.commands.values()))

    async def _upsert(self, request: web.Request) -> web.Response:
        command = await request.json()
        self.written.append(f"POST {command['name']}")
        return as_json(self.know(command), 201)

    async def _delete(self, request: web.Request) -> web.Response:
        command = self.commands.pop(request.match_info["id"], None)
        if command is None:
            return as_json({"code": 10063, "message": "Unknown application command"}, 404)
        self.written.append(f"DELETE {command['name']}")
        return web.Response(status=204)

    def _keep(self, command: Json, known: dict[str, Json]) -> Json:
        same = [one["id"] for one in known.values() if (one["name"], one["type"]) == (command["name"], command["type"])]
        number = same[0] if same else str(self._new_id())
        nothing = {"name_localizations": None, "description_localizations": None, "default_member_permissions": None}
        about = {"id": number, "application_id": str(APPLICATION_ID), "version": str(self._new_id())}
        kept = {**nothing, "description": "", **command, **about}
        if kept.get("options"):
            kept["options"] = [{key: value for key, value in one.items() if value} for one in kept["options"]]
        else:
            kept.pop("options", None)
        self.commands[number] = kept
        return kept


def guild(name: str, permissions: str = ALL_PERMISSIONS) -> Json:
    """A server that the bot is in, with what its roles allow there."""
    return {"id": str(GUILD_ID), "name": name, "icon": None, "owner": False, "permissions": permissions, "features": []}


def as_json(value: Any, status: int = 200) -> web.Response:
    """discord.py reads JSON only where the type is exactly this one, without a charset."""
    return web.Response(body=json.dumps(value).encode(), status=status, headers={"Content-Type": "application/json"})
