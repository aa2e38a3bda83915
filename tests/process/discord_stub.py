"""A small Discord on the loopback interface: the REST API v10 and the file server that one bot uses, beside the
gateway. It keeps the rules that the bot relies on and refuses what Discord would refuse."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import BodyPartReader, web
from discord_faults import Choose, Fault, hang_up, strike
from discord_gateway import Gateway
from discord_interactions import Asked, Message, RefusalError
from discord_limits import check_limits
from discord_payloads import (
    ANN_ID,
    APPLICATION_ID,
    BOB_ID,
    CHANNEL_ID,
    Json,
    command_options,
    interaction,
    personal_interaction,
    user,
)
from discord_portal import Portal

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.bot-token.very-secret"
SIGNATURE = "5ecre7"  # of the addresses of files
API = "/api/v10"
COMMAND, COMPONENT = 2, 3  # types of an interaction
SLASH, MESSAGE_MENU = 1, 3  # types of a command

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Trouble(StrEnum):
    """How the file server may fail."""

    MISSING = "missing"
    HANGING = "hanging"  # half of the file comes, and then nothing
    CUT = "cut"  # half of the file comes, and the connection ends
    ENDLESS = "endless"  # it comes again and again


@dataclass(frozen=True)
class Upload:
    """A file that somebody sends. `declared_size` where Discord says another size than it has."""

    name: str
    data: bytes
    content_type: str = "image/png"
    declared_size: int | None = None
    trouble: Trouble | None = None


MOST_FOLLOW_UPS = 5  # to an interaction of an app that its user has installed for themselves


class DiscordStub:
    """One application with a server, a channel and two people, ann and bob."""

    def __init__(self) -> None:
        self.gateway = Gateway(TOKEN)
        self.url = ""
        self.asked: list[Asked] = []
        self.edits = asyncio.Event()  # edits of messages wait until it is set
        self.edits.set()
        self.downloads = asyncio.Event()  # files come once it is set
        self.downloads.set()
        self.loses: Callable[[Json], bool] = lambda _edit: False  # which are not made: the connection ends instead
        self.loses_late: Callable[[Json], bool] = lambda _edit: False  # as `loses`, but not before `let_go` is set
        self.faults: Choose = lambda _request: None
        self.let_go = asyncio.Event()
        self.about_everyone: Json = {}  # what interactions say beside the usual, such as a locale
        self.own_app = False  # whether people use it as one that they installed for themselves, among themselves
        self.posts: dict[str, Message] = {}  # in the channel, by their nonces
        self._files: dict[str, Upload] = {}
        self._ids = itertools.count(900_000_000_000_000_001)
        self.portal = Portal(self._next_id)
        self.registrations = self.portal.registrations

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[DiscordStub]:
        stub = cls()
        application = web.Application(middlewares=[stub._guard], client_max_size=30 * 2**20)
        application.add_routes(stub._routes())
        # What still hangs when the stand-in ends is of no interest.
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield stub
        finally:
            await runner.cleanup()

    # What people do

    async def interrogate(self, image: Upload, *, by: int = ANN_ID, **options: str | bool) -> Asked:
        """Use /interrogate."""
        return await self.use_on("interrogate", image, by=by, **options)

    async def use_on(self, command: str, image: Upload, *, by: int = ANN_ID, **options: str | bool) -> Asked:
        """Use a command on an image."""
        return await self._use(command, SLASH, command_options(options, {"image": self._keep(image)}), by)

    def post(self, *images: Upload, by: int = BOB_ID) -> Message:
        """Send a message with files."""
        files = [self._keep(image) for image in images]
        return Message(self._next_id(), ephemeral=False, asker=by, posted=True, author=by, attachments=files)

    def forget_files(self) -> None:
        """Let all files be gone, as they are after a while."""
        self._files.clear()

    async def history(self, *, by: int = ANN_ID) -> Asked:
        """Use /history."""
        return await self.use("history", by=by)

    async def use(self, command: str, *, by: int = ANN_ID) -> Asked:
        """Use a command without options."""
        return await self._use(command, SLASH, {}, by)

    async def choose(self, entry: str, message: Message, *, by: int = ANN_ID) -> Asked:
        """Choose an entry in the menu of a message."""
        number = str(message.id)
        given = {"target_id": number, "resolved": {"messages": {number: message.payload()}}}
        return await self._use(entry, MESSAGE_MENU, given, by)

    async def press(self, label: str, message: Message, *, by: int = ANN_ID) -> Asked:
        """Press the button with this label under a message."""
        buttons = [button for row in message.components for button in row["components"]]
        custom_id = next(button["custom_id"] for button in buttons if button["label"] == label)
        data = {"component_type": 2, "custom_id": custom_id}
        return await self._push(COMPONENT, data, by, pressed=message)

    async def _use(self, name: str, kind: int, given: Json, by: int) -> Asked:
        return await self._push(COMMAND, {"id": str(self._next_id()), "name": name, "type": kind, **given}, by)

    async def _push(self, kind: int, data: Json, by: int, pressed: Message | None = None) -> Asked:
        await self.gateway.until_connected()
        number = self._next_id()
        most = MOST_FOLLOW_UPS if self.own_app else None
        asked = Asked(number, f"interaction-token-{number}", by, self._next_id, pressed, most_follow_ups=most)
        self.asked.append(asked)
        payload = (personal_interaction if self.own_app else interaction)(number, asked.token, kind, data, by)
        more = {} if pressed is None else {"message": pressed.payload()}
        await self.gateway.push("INTERACTION_CREATE", payload | self.about_everyone | more)
        return asked

    def _keep(self, upload: Upload) -> Json:
        """Put a file on the file server. Returns the attachment."""
        number = str(self._next_id())
        self._files[number] = upload
        address = f"{self.url}/attachments/{CHANNEL_ID}/{number}/{upload.name}?ex=1&is=1&hm={SIGNATURE}&"
        return {
            "id": number,
            "filename": upload.name,
            "size": len(upload.data) if upload.declared_size is None else upload.declared_size,
            "content_type": upload.content_type,
            "url": address,
            "proxy_url": address,
        }

    def _next_id(self) -> int:
        return next(self._ids)

    # What the bot asks for

    def _routes(self) -> list[web.RouteDef]:
        messages = f"{API}/webhooks/{APPLICATION_ID}/{{token}}/messages/{{message}}"
        return [
            web.get(f"{API}/users/@me", self._me),
            *self.portal.routes(),
            web.post(f"{API}/interactions/{{id}}/{{token}}/callback", self._respond),
            web.post(f"{API}/webhooks/{APPLICATION_ID}/{{token}}", self._follow_up),
            web.get(messages, self._read_message),
            web.patch(messages, self._edit_message),
            web.delete(messages, self._delete_message),
            web.post(f"{API}/channels/{CHANNEL_ID}/messages", self._post),
            web.get(f"{API}/channels/{CHANNEL_ID}/messages/{{message}}", self._read_own_message),
            web.patch(f"{API}/channels/{CHANNEL_ID}/messages/{{message}}", self._edit_own_message),
            web.get(f"/attachments/{CHANNEL_ID}/{{id}}/{{name}}", self._file),
            web.get("/gateway", self.gateway.serve),
        ]

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The token where it is needed, and refusals as Discord words them."""
        token_in_path = request.path.startswith((f"{API}/interactions/", f"{API}/webhooks/"))
        guarded = request.path.startswith(API) and not token_in_path
        if guarded and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        fault = self.faults(request)
        if fault is Fault.HELD:
            await self.let_go.wait()

        async def work() -> web.StreamResponse:
            try:
                return await handler(request)
            except RefusalError as refusal:
                return _json(refusal.body, refusal.status)
            except ConnectionError:  # the bot was killed while it asked
                return hang_up(request)

        return await work() if fault is None else await strike(fault, request, work)

    async def _me(self, _request: web.Request) -> web.Response:
        return _json(user(APPLICATION_ID))

    async def _respond(self, request: web.Request) -> web.Response:
        asked = self._asked(request)
        payload, files = await self._body(request)
        check_limits(payload.get("data") or {}, files)
        message = asked.respond(payload["type"], payload.get("data") or {}, files)
        about: Json = {"id": str(asked.id), "type": COMMAND}
        if message is None:
            return _json({"interaction": about, "resource": {"type": payload["type"]}})
        about |= {
            "response_message_id": str(message.id),
            "response_message_loading": message.loading,
            "response_message_ephemeral": message.ephemeral,
        }
        return _json({"interaction": about, "resource": {"type": payload["type"], "message": message.payload()}})

    async def _follow_up(self, request: web.Request) -> web.Response:
        asked = self._asked(request)
        asked.check_webhook()
        payload, files = await self._body(request)
        check_limits(payload, files)
        return _json(asked.follow_up(payload, files).payload())

    async def _read_message(self, request: web.Request) -> web.Response:
        asked = self._asked(request)
        asked.check_webhook()
        return _json(asked.find(request.match_info["message"]).payload())

    async def _edit_message(self, request: web.Request) -> web.Response:
        asked = self._asked(request)
        asked.check_webhook()
        message = asked.find(request.match_info["message"])
        payload, files = await self._body(request)
        check_limits(payload, files)
        if self.loses_late(payload):
            await self.let_go.wait()
            return hang_up(request)
        if self.loses(payload):
            return hang_up(request)
        if not self.edits.is_set():
            asked.waiting_edits += 1
            asked.touch()
            await self.edits.wait()
        message.write(payload, files)
        asked.touch()
        return _json(message.payload())

    async def _delete_message(self, request: web.Request) -> web.Response:
        asked = self._asked(request)
        asked.check_webhook()
        asked.delete(asked.find(request.match_info["message"]))
        return web.Response(status=204)

    async def _post(self, request: web.Request) -> web.Response:
        """A message in the channel; the same again where its nonce is known. One without an enforced nonce, which may
        come twice, is a mistake of the bot."""
        payload, files = await self._body(request)
        check_limits(payload, files)
        if not payload.get("nonce") or payload.get("enforce_nonce") is not True:
            raise RefusalError(400, 50035, "a post to a channel must have an enforced nonce")
        nonce = str(payload["nonce"])
        if nonce not in self.posts:
            self.posts[nonce] = Message(self._next_id(), ephemeral=False, asker=APPLICATION_ID, posted=True)
            self.posts[nonce].write(payload, files)
        return _json(self.posts[nonce].payload())

    async def _edit_own_message(self, request: web.Request) -> web.Response:
        """The bot may edit what it has said in the channel, for which it needs no interaction."""
        payload, files = await self._body(request)
        check_limits(payload, files)
        message = self._in_channel(request)
        message.write(payload, files)
        for asked in self.asked:
            asked.touch()
        return _json(message.payload())

    async def _read_own_message(self, request: web.Request) -> web.Response:
        return _json(self._in_channel(request).payload())

    def _in_channel(self, request: web.Request) -> Message:
        """What the bot has said there, and all can see."""
        if self.own_app:
            raise RefusalError(403, 50001, "Missing Access")
        wanted = int(request.match_info["message"])
        messages = [*self.posts.values(), *(message for asked in self.asked for message in asked.messages())]
        message = next((each for each in messages if each.id == wanted and not each.ephemeral), None)
        if message is None:
            raise RefusalError(404, 10008, "Unknown Message")
        return message

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """A file, or the trouble that it makes."""
        await self.downloads.wait()
        upload = self._files.get(request.match_info["id"])
        if upload is None or upload.trouble is Trouble.MISSING or request.query.get("hm") != SIGNATURE:
            return web.Response(status=404)
        if upload.trouble is None:
            return web.Response(body=upload.data, content_type=upload.content_type)
        endless = upload.trouble is Trouble.ENDLESS
        response = web.StreamResponse(headers={} if endless else {"Content-Length": str(len(upload.data))})
        with suppress(ConnectionError):  # the bot goes when it has had enough, or is killed
            await response.prepare(request)
            while endless:
                await response.write(upload.data)
            await response.write(upload.data[: len(upload.data) // 2])
        if upload.trouble is Trouble.HANGING:
            await asyncio.Event().wait()
        hang_up(request)
        return response

    def _asked(self, request: web.Request) -> Asked:
        token = request.match_info["token"]
        found = next((asked for asked in self.asked if asked.token == token), None)
        if found is None:
            raise RefusalError(404, 10015, "Unknown Webhook")
        return found

    async def _body(self, request: web.Request) -> tuple[Json, dict[str, Json]]:
        """The payload, and the files that come with it by the id under which the payload knows them."""
        if not request.content_type.startswith("multipart/"):
            return await request.json(), {}
        payload: Json = {}
        files: dict[str, Json] = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            assert part.name is not None
            if part.name == "payload_json":
                payload = json.loads(await part.text())
            else:  # files[0]
                number = part.name.removeprefix("files[").removesuffix("]")
                files[number] = self._keep(Upload(part.filename or "file", bytes(await part.read())))
        return payload, files


def _json(value: object, status: int = 200) -> web.Response:
    """discord.py reads JSON only where the type is exactly this one, without a charset."""
    return web.Response(body=json.dumps(value).encode(), status=status, headers={"Content-Type": "application/json"})
