"""What Discord keeps of an interaction: its messages, and its rules of who may answer when and how."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from asking import PATIENCE
from discord_payloads import APPLICATION_ID, CHANNEL_ID, EPHEMERAL, LOADING, LONG_AGO, Json, user

SECONDS_TO_RESPOND = 3.0
TOKEN_SECONDS = 15 * 60.0
PAGES = re.compile(r" · \d+ of \d+$")
WARNING = "⚠️"  # what a reason why there is no result begins with
MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE = 4, 5, 6  # types of a response


class RefusalError(Exception):
    """Discord's answer to what it does not allow."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message}


@dataclass
class Message:
    """A message of the bot as people see it. One that is `loading` shows "thinking"."""

    id: int
    ephemeral: bool
    asker: int
    posted: bool = False  # in the channel, in answer to no interaction
    author: int = APPLICATION_ID
    deleted: bool = False
    loading: bool = False
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)  # every content there was
    ends: list[str] = field(default_factory=list)  # the different ends that it came to; the same again is none

    def write(self, payload: Json, files: dict[str, Json]) -> None:
        """Apply the body of a message create or edit; a key that is absent changes nothing.

        A file that an embed shows (`attachment://NAME`) is not among the attachments of the message, as on Discord.
        """
        self.loading = False
        if "content" in payload:
            self.content = payload["content"] or ""
            self.edits.append(self.content)
        self.components = payload.get("components", self.components)
        self.embeds = payload.get("embeds", self.embeds)
        if "attachments" in payload:
            new = [files[str(file["id"])] for file in payload["attachments"] if str(file["id"]) in files]
            kept = {str(file["id"]) for file in payload["attachments"]}
            self.attachments = [file for file in self.attachments if file["id"] in kept] + new
        for media in (embed[key] for embed in self.embeds for key in ("image", "thumbnail") if key in embed):
            for file in list(self.attachments):
                if media["url"] == f"attachment://{file['filename']}":
                    media.update(url=file["url"], proxy_url=file["proxy_url"])
                    self.attachments.remove(file)
        end = self.end()
        if end is not None and end not in self.ends:
            self.ends.append(end)

    def end(self) -> str | None:
        """What it says, where that is a result or the reason why there is none; without the addresses of files, which
        are others at each upload."""
        if not self.embeds and not self.content.startswith(WARNING):
            return None
        if any(PAGES.search(embed.get("title") or "") for embed in self.embeds):  # of answers that stand elsewhere
            return None
        shown = [[embed.get(key) for key in ("title", "description", "footer")] for embed in self.embeds]
        pictures = [key for embed in self.embeds for key in ("image", "thumbnail") if key in embed]
        names = [file["filename"] for file in self.attachments]
        buttons = [button["custom_id"] for row in self.components for button in row["components"]]
        return json.dumps([self.content, shown, pictures, names, buttons])

    def payload(self) -> Json:
        of_interaction = {
            "webhook_id": str(APPLICATION_ID),
            "interaction_metadata": {"id": str(self.id - 1), "type": 2, "user": user(self.asker)},
            "type": 20,
        }
        return {
            "id": str(self.id),
            "channel_id": str(CHANNEL_ID),
            "author": user(self.author),
            "application_id": str(APPLICATION_ID),
            **({"type": 0} if self.posted else of_interaction),
            "content": self.content,
            "embeds": self.embeds,
            "attachments": self.attachments,
            "components": self.components,
            "flags": EPHEMERAL * self.ephemeral | LOADING * self.loading,
            "timestamp": LONG_AGO,
            "edited_timestamp": None,
            "tts": False,
            "pinned": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
        }


@dataclass
class Asked:
    """An interaction, and the bot's messages in answer to it that exist. Times are of the stand-in's clock."""

    id: int
    token: str
    asker: int
    new_id: Callable[[], int]
    pressed: Message | None = None  # whose button it was
    pushed: float = field(default_factory=time.monotonic)
    responded: float | None = None
    deferred: bool = False
    answered: float | None = None  # when the first of its messages came to an end
    token_seconds: float = TOKEN_SECONDS
    original: Message | None = None
    first: Message | None = None  # which the original was, also where it is deleted
    follow_ups: list[Message] = field(default_factory=list)
    everything: list[Message] = field(default_factory=list)  # those that were deleted too
    most_follow_ups: int | None = None  # deleted ones included
    waiting_edits: int = 0  # how many had to wait
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    # What the bot does

    def check_webhook(self) -> None:
        """Refuse what is asked before the first response, or after the token has ended."""
        if self.responded is None:
            raise RefusalError(404, 10015, "Unknown Webhook")
        if self.age() > self.token_seconds:
            raise RefusalError(401, 50027, "Invalid Webhook Token")

    def respond(self, kind: int, payload: Json, files: dict[str, Json]) -> Message | None:
        """The first response: a message, or the promise of one; or, to a button, that there is nothing to say."""
        now = time.monotonic()
        if self.responded is not None:
            raise RefusalError(400, 40060, "Interaction has already been acknowledged.")
        if now - self.pushed > SECONDS_TO_RESPOND:
            raise RefusalError(404, 10062, "Unknown interaction")
        assert kind in (MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE), kind
        self.responded = now
        if kind == DEFERRED_UPDATE:
            self.original = self.pressed
            self.touch()
            return None
        self.deferred = kind == DEFERRED_MESSAGE
        self.original = self.first = self._new_message(payload)
        self.original.loading = self.deferred
        if not self.deferred:
            self.original.write(payload, files)
        self.touch()
        return self.original

    def follow_up(self, payload: Json, files: dict[str, Json]) -> Message:
        """A further message. While the promised one is missing Discord takes it for that one, flags and all."""
        if self.original is not None and self.original.loading:
            message = self.original
        else:
            sent = sum(message is not self.first for message in self.everything)
            if self.most_follow_ups is not None and sent >= self.most_follow_ups:
                raise RefusalError(400, 40094, "This interaction has reached its maximum number of follow up messages")
            message = self._new_message(payload)
            self.follow_ups.append(message)
        message.write(payload, files)
        self.touch()
        return message

    def find(self, reference: str) -> Message:
        """`@original` or an id."""
        if reference == "@original":
            found = self.original
        else:
            found = next((message for message in self.messages() if str(message.id) == reference), None)
        if found is None:
            raise RefusalError(404, 10008, "Unknown Message")
        return found

    def delete(self, message: Message) -> None:
        message.deleted = True
        if message is self.original:
            self.original = None
        else:
            self.follow_ups.remove(message)
        self.touch()

    def touch(self) -> None:
        if self.answered is None and self.ends():
            self.answered = time.monotonic()
        self._changed.set()

    def _new_message(self, payload: Json) -> Message:
        message = Message(self.new_id(), bool(payload.get("flags", 0) & EPHEMERAL), self.asker)
        self.everything.append(message)
        return message

    # What people see

    def age(self) -> float:
        """Seconds since it was sent to the bot."""
        return time.monotonic() - self.pushed

    def ends(self) -> list[tuple[Message, str]]:
        """Every different end that a message of it came to, deleted ones included: an answer is one of these."""
        return [(message, end) for message in self.everything for end in message.ends]

    def messages(self) -> Iterator[Message]:
        if self.original is not None:
            yield self.original
        yield from self.follow_ups

    async def until_deferred(self) -> float:
        """Seconds that the bot took to say that it will answer."""
        await self.until(lambda: self.responded is not None)
        assert self.deferred
        assert self.responded is not None
        return self.responded - self.pushed

    async def answer(self) -> Message:
        """The message with the result."""
        await self.until(lambda: any(message.embeds for message in self.messages()) or bool(self._told()))
        return next((message for message in self.messages() if message.embeds), None) or self._fail()

    async def refusal(self) -> Message:
        """The message that says why there is no result."""
        await self.until(lambda: bool(self._told()))
        return self._told()[0]

    async def until_an_edit_waits(self) -> None:
        """Return once the bot has asked for an edit that Discord does not make at once."""
        await self.until(lambda: self.waiting_edits > 0)

    def seen_by_all(self) -> list[Message]:
        """What is left in the channel for everybody."""
        return [message for message in self.messages() if not message.ephemeral]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def _told(self) -> list[Message]:
        return [message for message in self.messages() if message.content.startswith(WARNING)]

    def _fail(self) -> Message:
        raise AssertionError(f"no result but {self._told()[0].content!r}")
