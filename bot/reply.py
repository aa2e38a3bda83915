"""The one message in which a picture is answered: progress, then the answer or the reason why there is none."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import discord

from bot import render, trouble
from bot.origin import origin_of
from bot.speech import said

log = logging.getLogger(__name__)

LOST = (aiohttp.ClientError, OSError)  # the connection, and with it what became of the request
UNDELIVERED = (discord.HTTPException, *LOST)  # refused, or lost

LOST_SECONDS = 20.0  # for trying again what is said at the end, where the connection is lost
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds between two attempts
EDIT_SECONDS = 10.0  # for an edit that shows progress, once there is something better to show
STOP_SECONDS = 1.0  # the same, once the bot is told to stop
NEXT_PICTURE = "⏳ The next picture …"
A_MOMENT = "⏳"

Remember = Callable[[int], Awaitable[None]]
"""Told the id of a message as soon as it is there."""

Post = Callable[["Content", int | None], Awaitable[discord.Message]]
"""Posts an answer in the channel, where Discord takes none to the interaction any more, as a reply to the message of
this id. May be done twice: the same again is not posted again."""

TOKEN_ENDED = 50027


async def unremembered(_sent: int) -> None:
    """For a reply without a row that could remember its message."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A finished message."""

    embed: discord.Embed
    view: discord.ui.View | None = None
    files: list[discord.File] = field(default_factory=list)


class Reply:
    """The answer to a deferred interaction: its original response, or a follow-up for each further picture.

    Discord may refuse any of this (the message deleted, the channel gone, the token expired, an outage), or be out of
    reach: that is logged and otherwise harmless, the answer being in the history.

    An answer that is shown stays, whatever happens after it: nothing takes its place, and it is not deleted.

    An answer or a failure is always an edit of a message that is there and that `remember` was told of, never a new
    message: an edit that is made again, because its fate is not known, changes nothing. `message_id` is what an earlier
    process was told: of the further message, or of the one in which it told the person alone of a failure.

    A message that is remembered is of a row, so that a person may be sent to the history. Where the interaction's
    token has ended, `post` shows the answer; None where it must not be in the channel.
    """

    def __init__(
        self,
        interaction: discord.Interaction[Any],
        remember: Remember,
        *,
        private: bool,
        further: bool = False,
        message_id: int | None = None,
        post: Post | None = None,
    ) -> None:
        self._post = post
        self._kept = remember is not unremembered
        self._last_shown: int | None = None  # the message's id, once something is shown in it
        self._interaction = interaction
        self._remember = remember
        self._private = private
        self._further = further
        self._message_id = message_id
        self._thinking = not further
        self._ending = False  # whether the answer or the failure may be there
        self._answered = False

    @property
    def private(self) -> bool:
        """Whether only the one who asked sees it."""
        return self._private

    @property
    def message_id(self) -> int | None:
        """Of a further message, once it is sent."""
        return self._message_id if self._further else None

    async def begin(self) -> None:
        """Send a further message, for the next picture of the same interaction. Where it cannot be sent now, it is with
        what it is to say next. The original response is there already."""
        if not self._further:
            return
        try:
            await self._message(said(NEXT_PICTURE), private=self._private)
        except UNDELIVERED as error:
            log.warning("interaction %d: a further message was not sent: %s", self._interaction.id, reason(error))

    async def show_status(self, text: str, view: discord.ui.View | None = None) -> None:
        """Say what happens now, in the place of what was said before; `view` are the buttons under it."""
        self._last_shown = (await self._edit(content=text, view=view)).id
        self._thinking = False

    async def show(self, make: Callable[[bool], Content]) -> int | None:
        """Show the answer and return the message's id; None where Discord does not take it, of which the person is
        told unless the message is gone.

        `make(True)` is the whole answer; where Discord does not take that, `make(False)` must do without files.
        """
        self._ending = True
        until = time.monotonic() + LOST_SECONDS
        refusal: Exception | None = None
        for with_files in (True, False):
            try:
                message = await persistently(lambda: self._show(make(with_files)), until)  # noqa: B023  awaited here
            except discord.NotFound:
                refusal = None
                break
            except UNDELIVERED as error:
                if isinstance(error, discord.HTTPException) and error.code == TOKEN_ENDED:
                    return await self._show_late(make, until)
                refusal = error
                log.warning(
                    "interaction %d: the answer was not taken with files=%s: %s",
                    self._interaction.id,
                    with_files,
                    reason(error),
                )
            else:
                self._answered = True
                return message.id
        log.warning("interaction %d: the answer could not be shown", self._interaction.id)
        if refusal is not None:
            await self.fail(trouble.not_shown(refusal, kept=self._kept))
        return None

    async def show_alone(self, make: Callable[[bool], Content], why: str, *, kept: bool = True) -> int | None:
        """As `show`, to the person alone, with the reason; the public message goes away."""
        if self._private:
            return await self.show(make)
        self._ending = True
        until = time.monotonic() + LOST_SECONDS
        if self._further and kept and origin_of(self._interaction).own_app:  # one message more, as in `fail`
            await self.fail(f"{why} {said(trouble.IN_THE_HISTORY)}")
            return None
        try:
            await self._leave_public_message(until)
            for with_files in (True, False):
                try:
                    message = await persistently(lambda: self._show_beside(make(with_files), why), until)  # noqa: B023
                except discord.HTTPException as error:
                    log.warning(
                        "interaction %d: not taken with files=%s: %s", self._interaction.id, with_files, reason(error)
                    )
                else:
                    self._answered = True
                    await self._delete_original(until)
                    return message.id
        except UNDELIVERED as error:
            log.warning("interaction %d: it cannot be told alone: %s", self._interaction.id, reason(error))
        await self.fail(f"{why} {said(trouble.IN_THE_HISTORY if kept and self._kept else trouble.OUTAGE)}")
        return None

    async def _leave_public_message(self, until: float) -> None:
        """What comes next is a message of its own."""
        if self._further and self._message_id is not None:
            with suppress(discord.NotFound):
                public = await persistently(lambda: look(self._interaction, self._message_id), until)
                if public.flags.ephemeral:  # of a process before this one, which had come so far
                    return
                await persistently(lambda: self._interaction.followup.delete_message(public.id), until)
            self._message_id = None
        elif self._thinking and not self._further:  # as in `withdraw`
            with suppress(discord.NotFound):
                await persistently(lambda: self.show_status(A_MOMENT), until)

    async def _show_beside(self, content: Content, why: str) -> discord.Message:
        message_id = await self._message(A_MOMENT, private=True)
        return await self._interaction.followup.edit_message(
            message_id, content=why, embed=content.embed, attachments=content.files, view=content.view
        )

    async def _delete_original(self, until: float) -> None:
        if self._further:
            return
        try:
            with suppress(discord.NotFound):
                await persistently(self._interaction.delete_original_response, until)
        except UNDELIVERED as error:
            log.warning("interaction %d: the reply could not be deleted: %s", self._interaction.id, reason(error))

    async def _show_late(self, make: Callable[[bool], Content], until: float) -> int | None:
        """Post the answer in the channel, as far as that may be. Its message's id."""
        post = self._post
        for with_files in (True, False) if post is not None else ():
            assert post is not None
            try:
                message = await persistently(lambda: post(make(with_files), self._last_shown), until)  # noqa: B023
            except UNDELIVERED as error:
                log.warning("interaction %d: the answer was not posted: %s", self._interaction.id, reason(error))
            else:
                log.info("interaction %d was answered in its channel, too late for itself", self._interaction.id)
                self._answered = True
                return message.id
        log.warning("interaction %d: its token has ended, and the answer could not be shown", self._interaction.id)
        return None

    async def shown(self) -> int | None:
        """The id of the message where it shows an answer already; None where it does not, or cannot be asked."""
        if self._further and self._message_id is None:
            return None
        try:
            message = await look(self._interaction, self._message_id if self._further else None)
        except UNDELIVERED:
            return None
        return message.id if message.embeds else None

    async def fail(self, sentence: str) -> None:
        """Tell the person alone why there is no answer; a public message goes away. Where Discord does not take that,
        the public message says it.

        A further message says it itself: five follow-ups are all that Discord allows where the app is installed by the
        person alone, deleted ones included.
        """
        if self._answered:
            log.warning("interaction %d: after its answer was shown: %s", self._interaction.id, sentence)
            return
        self._ending = True
        text, until = render.failure(sentence), time.monotonic() + LOST_SECONDS
        if not self._private and not self._further and await self._told_alone(text, until):
            return
        try:
            await persistently(lambda: self._edit(content=text, embeds=[], attachments=[], view=None), until)
        except UNDELIVERED as error:
            log.warning("interaction %d: a failure could not be told: %s", self._interaction.id, reason(error))

    async def pause(self, text: str) -> None:
        """Say what is the matter, as far as Discord lets us; the answer comes later, from another process. Not where it
        was on its way: it may be there, though that was not heard."""
        if self._ending:
            return
        try:
            await self.show_status(text)
        except UNDELIVERED as error:
            log.warning("interaction %d: a pause could not be told: %s", self._interaction.id, reason(error))

    async def withdraw(self) -> None:
        """Delete the message, as far as Discord lets us."""
        if self._answered:
            return
        try:
            if self._thinking:
                # Discord takes a follow-up for the deferred answer, and so as public, while that is unanswered.
                await self.show_status(A_MOMENT)
            if not self._further:
                await self._interaction.delete_original_response()
            elif self._message_id is not None:
                await self._interaction.followup.delete_message(self._message_id)
        except UNDELIVERED as error:
            log.warning("interaction %d: the reply could not be deleted: %s", self._interaction.id, reason(error))

    async def _told_alone(self, text: str, until: float) -> bool:
        """Whether Discord has taken it as a message to the person alone, which is not among what all see."""
        try:
            with suppress(discord.NotFound):  # somebody has deleted it
                if self._thinking:  # as in `withdraw`
                    await persistently(lambda: self.show_status(A_MOMENT), until)
            message_id = await persistently(lambda: self._message(A_MOMENT, private=True), until)
            await persistently(lambda: self._interaction.followup.edit_message(message_id, content=text), until)
        except UNDELIVERED as error:
            log.warning("interaction %d: it cannot be told alone: %s", self._interaction.id, reason(error))
            return False
        await self._delete_original(until)
        return True

    async def _show(self, content: Content) -> discord.Message:
        return await self._edit(content=None, embed=content.embed, attachments=content.files, view=content.view)

    async def _edit(self, **content: Any) -> discord.Message:
        if not self._further:
            return await self._interaction.edit_original_response(**content)
        message_id = await self._message(said(NEXT_PICTURE), private=self._private)
        return await self._interaction.followup.edit_message(message_id, **content)

    async def _message(self, text: str, *, private: bool) -> int:
        """The id of the message beside the original response; it is sent with the text where it is not there yet."""
        if self._message_id is None:
            sent = await self._interaction.followup.send(text, ephemeral=private, wait=True)
            self._message_id = sent.id
            await self._remember(sent.id)
        return self._message_id


class LiveStatus:
    """Shows the latest status by an edit every `seconds` at most; what comes and goes in between is not shown.

    An edit that is under way when the block ends is awaited, for `EDIT_SECONDS`, so that none can overwrite the answer.
    """

    def __init__(self, show: Callable[[str], Awaitable[None]], seconds: float) -> None:
        self._show = show
        self._seconds = seconds
        self._latest = ""
        self._changed = asyncio.Event()
        self._editing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LiveStatus:
        self._task = asyncio.create_task(self._run(), name="status")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        assert self._task is not None
        stopped = kind is not None and issubclass(kind, asyncio.CancelledError)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS if stopped else EDIT_SECONDS), self._editing:
                    self._task.cancel()
        finally:
            self._task.cancel()
        await asyncio.wait([self._task])

    def set(self, text: str) -> None:
        """What is true now."""
        if text != self._latest:
            self._latest = text
            self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                async with self._editing:
                    await self._show(self._latest)
            except UNDELIVERED as error:
                log.info("progress is not shown any more: %s", reason(error))
                return
            await asyncio.sleep(self._seconds)


async def persistently(attempt: Callable[[], Awaitable[T]], until: float) -> T:
    """What the attempt returns, which is made again while the connection is lost, but not after `until` (of the
    monotonic clock). For what may be done twice: a request that was lost may have been done."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except LOST:
            if time.monotonic() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def look(interaction: discord.Interaction[Any], message_id: int | None = None) -> discord.WebhookMessage:
    """The interaction's original response, or this further message, as it is now. Raises what `UNDELIVERED` lists."""
    # `Interaction.original_response` answers from memory, and needs a channel.
    reference: Any = "@original" if message_id is None else message_id
    return await interaction.followup.fetch_message(reference)


def reason(error: Exception) -> str:
    """What Discord, or the way to it, had against a request, for the log; without what the request contained."""
    if isinstance(error, discord.HTTPException):
        return f"{type(error).__name__} {error.status} (code {error.code})"
    return type(error).__name__
