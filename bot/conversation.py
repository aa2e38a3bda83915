"""From an interaction to its answer: check, record, defer, download, ask the queue, show, and end the row whatever
happens. What a stop interrupts is left queued, for the next process to go on with (`bot.resume`)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import discord

from bot import attachments, render
from bot.album import tell_of_all
from bot.attachments import Picture
from bot.cancel_button import cancel_view
from bot.connection import DatabaseError
from bot.history import Ask, History, IllegalTransitionError, TakenOverError, UnknownInterrogationError
from bot.origin import origin_of
from bot.policy import answered_in_time, must_be_private
from bot.promise import promise
from bot.question import Question
from bot.reply import UNDELIVERED, Content, LiveStatus, Reply, reason, unremembered
from bot.result_buttons import result_view
from bot.row_reply import reply_of, unless_in_trouble
from bot.speech import said
from bot.trouble import told
from interrogator.errors import (
    CancelledError,
    DeadlineError,
    InternalError,
    InterrogatorError,
    UnsupportedOptionError,
    from_kind,
)
from interrogator.types import Done, End, Failed, Interrogation, Job, JobId, Measured, Options, Progress, Stage

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)

TOKEN_SECONDS = 14 * 60  # Discord lets an interaction be answered for 15 minutes
RECORD_SECONDS = 1.0  # a database that takes longer must not cost the 3 s in which Discord wants to hear of us
LAST_SECONDS = 4  # for showing an answer that is there when the bot is stopped; `close` waits a little longer
QUEUE_GRACE_SECONDS = 15  # the queue itself ends a job at its deadline; this ends one that it forgot
MOST_PICTURES = 10  # of a message: Discord attaches no more to one
MOST_PICTURES_OF_OWN_APP = 4  # follow-ups are limited to five where the app is installed by the user alone
RESTARTING = "⏳ The bot is restarting; I go on with this picture in a moment."
NOT_PROMISED = "Discord did not let the bot answer in time. Please send the image again."
UNEXPECTED = "Something unexpected went wrong with this image."


async def converse(interaction: Interaction, question: Question) -> None:
    """Answer each picture of the question in a message of its own, the first in the interaction's response."""
    bot = interaction.client
    if refusal := _refusal(question, bot.settings.max_image_bytes):
        await interaction.response.send_message(render.failure(str(refusal)), ephemeral=True)
        return
    token_end = time.time() + TOKEN_SECONDS
    most = _most_pictures(interaction)
    pictures = question.pictures[:most]
    rules = await bot.rules_of(interaction.guild_id)
    async with answered_in_time():
        await bot.rulebook.take(interaction.guild_id, interaction.user.id, len(pictures), rules)
    asks = [
        _ask(interaction, question, picture, token_end, further=number > 0) for number, picture in enumerate(pictures)
    ]
    # Recorded before it is promised: a bot that is killed in between has promised nothing that it forgets.
    recording = asyncio.ensure_future(bot.history.add_all(asks))
    await asyncio.wait([recording], timeout=RECORD_SECONDS)
    if recording.done():
        recording.result()  # where it failed, the boundary tells: nothing is promised yet
    try:
        await promise(interaction, private=question.private)
    except UNDELIVERED as error:
        await fail_unfinished(bot.history, await recording, NOT_PROMISED)
        if isinstance(error, discord.NotFound):
            raise
        log.warning("interaction %d could not be deferred: %s", interaction.id, reason(error))
        raise InternalError(NOT_PROMISED) from None
    try:
        rows = await recording
    except DatabaseError as error:
        await Reply(interaction, unremembered, private=question.private).fail(told(error))
        return
    for row in rows:
        log.info("interrogation %d: %s asked by user %d", row, question.options.mode.value, interaction.user.id)
    async with ended_together(bot.history, rows):
        for row, ask, picture in zip(rows, asks, pictures, strict=True):
            reply = reply_of(interaction, row, ask)
            await Turn(interaction, question.options, picture, reply).take(row)
    if len(rows) > 1:
        left_out = max(len(question.pictures) - most, 0)
        await finished_even_if_stopped(tell_of_all(interaction, rows, left_out=left_out))


def _most_pictures(interaction: Interaction) -> int:
    """How many pictures are answered at a time."""
    return MOST_PICTURES_OF_OWN_APP if origin_of(interaction).own_app else MOST_PICTURES


def _refusal(question: Question, max_bytes: int) -> InterrogatorError | None:
    """Why nothing of the question can be answered."""
    if sentence := render.refused_options(question.options):
        return UnsupportedOptionError(sentence)
    refusals = []
    for picture in question.pictures:
        try:
            attachments.check(picture, max_bytes)
        except InterrogatorError as error:
            refusals.append(error)
    return refusals[0] if refusals and len(refusals) == len(question.pictures) else None


def _ask(interaction: Interaction, question: Question, picture: Picture, token_end: float, *, further: bool) -> Ask:
    options = question.options
    return Ask(
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        interaction_id=interaction.id,
        interaction_token=interaction.token,
        image_url=picture.url,
        image_name=picture.name,
        mode=options.mode,
        style_only=options.style_only,
        subject=options.subject,
        artists=options.artists,
        profile=options.profile,
        private=question.private,
        application_id=interaction.application_id,
        token_ends_at=datetime.fromtimestamp(token_end, UTC),
        file_limit=interaction.filesize_limit,
        further=further,
        frame=options.frame,
        origin=origin_of(interaction),
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """One picture and the message that answers it. `answer`, or `failure`, is there where it was found before and only
    has to be told."""

    interaction: Interaction
    options: Options
    picture: Picture
    reply: Reply
    answer: Interrogation | None = None
    failure: InterrogatorError | None = None

    async def take(self, row: int) -> None:
        """Answer the row, which is queued, or tell why there is no answer. Cancelled, it leaves the row queued."""
        try:
            async with ended_together(self.interaction.client.history, [row]):
                await self._answer_or_fail(row)
        except TakenOverError:
            log.warning("interrogation %d is gone on with by another process", row)
        except asyncio.CancelledError:
            if await self._left_to_the_next_process(row):
                await self.reply.pause(said(RESTARTING))
            raise
        except BaseException:
            self.interaction.client.metrics.failed(InternalError.kind)
            # Told by the command boundary, which has no message to tell it in while this one is unanswered.
            await self.reply.withdraw()
            raise
        finally:
            self.interaction.client.unwanted.discard(row)

    async def _answer_or_fail(self, row: int) -> None:
        failure = self.failure
        if failure is None:
            try:
                with ExitStack() as place:  # the picture is in memory until it is shown
                    await self._answer(row, place)
            except TakenOverError:
                raise
            except InterrogatorError as error:
                failure = error
        if failure is not None:
            self.interaction.client.metrics.failed(failure.kind)
            log.info("interrogation %d failed: %s", row, failure.kind)
            await finished_even_if_stopped(self._fail(row, failure))

    async def _fail(self, row: int, failure: InterrogatorError) -> None:
        """Kept, told, then stored: after a crash in between the same is told again in the same message."""
        history, sentence = self.interaction.client.history, told(failure)
        try:
            with unless_in_trouble(row):
                await history.keep_failure(row, failure.kind, sentence)
        except TakenOverError:
            raise
        except (IllegalTransitionError, UnknownInterrogationError):  # ended, or deleted, meanwhile
            log.info("interrogation %d has ended before it could fail", row)
        await self.reply.fail(sentence)
        with suppress(IllegalTransitionError, UnknownInterrogationError), unless_in_trouble(row):
            await history.fail(row, failure.kind, sentence, self.reply.message_id)

    async def _answer(self, row: int, place: ExitStack) -> None:
        bot = self.interaction.client
        answer = self.answer
        image: bytes | None
        if answer is None:
            await self.reply.begin()
            image = await self._picture(place)
            answer = await self._interrogate(row, image)
            with unless_in_trouble(row):
                await bot.history.keep_answer(row, answer)
        elif message_id := await self.reply.shown():
            alone = must_be_private(self.interaction, answer.nsfw)
            await self._store(row, answer, message_id, kept=await self._is_kept(row), private=alone)
            return
        else:
            image = await self._picture_if_there(place)
        await finished_even_if_stopped(self._show(row, answer, image))

    async def _picture(self, place: ExitStack) -> bytes:
        bot = self.interaction.client
        max_bytes = bot.settings.max_image_bytes
        attachments.check(self.picture, max_bytes)
        size = self.picture.size if self.picture.size is not None else max_bytes
        place.enter_context(bot.places.taken(self.interaction.user.id, size))
        return await attachments.download(self.picture, max_bytes)

    async def _picture_if_there(self, place: ExitStack) -> bytes | None:
        """For an answer that does not need it any more."""
        try:
            return await self._picture(place)
        except InterrogatorError as error:
            log.info("interaction %d is answered without its picture: %s", self.interaction.id, error.kind)
            return None

    async def _left_to_the_next_process(self, row: int) -> bool:
        try:
            with unless_in_trouble(row):  # running, it is taken up all the same
                await self.interaction.client.history.requeue(row)
        except (IllegalTransitionError, UnknownInterrogationError):  # it was answered, or deleted, first
            return False
        return True

    async def _show(self, row: int, interrogation: Interrogation, image: bytes | None) -> None:
        """Shown, then stored, or forgotten where its asker wants that: after a crash in between it is found in its
        message, or shown there again."""
        kept = await self._is_kept(row)
        shown_row = row if kept else None
        alone = not self.reply.private and must_be_private(self.interaction, interrogation.nsfw)

        def make(with_files: bool) -> Content:
            return self._content(shown_row, interrogation, image, with_files, private=alone or self.reply.private)

        if alone:
            message_id = await self.reply.show_alone(make, said(render.NOT_FOR_EVERYONE), kept=kept)
        else:
            message_id = await self.reply.show(make)
        await self._store(row, interrogation, message_id, kept=kept, private=alone)

    async def _is_kept(self, row: int) -> bool:
        """Whether the asker wants a history; not, where that cannot be asked."""
        kept = False
        with unless_in_trouble(row):
            kept = await self.interaction.client.rulebook.keeps_history(self.interaction.user.id)
        return kept  # noqa: RET504 - not where the block above was left

    async def _store(
        self, row: int, interrogation: Interrogation, message_id: int | None, *, kept: bool, private: bool
    ) -> None:
        history = self.interaction.client.history
        # It may have been deleted from the history while it was being shown.
        with suppress(UnknownInterrogationError), unless_in_trouble(row):
            if kept:
                await history.finish(row, interrogation, message_id, private=private)
            else:
                await history.delete(row)
            self.interaction.client.metrics.answered(interrogation.mode)

    async def _show_status(self, row: int, text: str) -> None:
        await self.reply.show_status(text, cancel_view(row))

    async def _interrogate(self, row: int, image: bytes) -> Interrogation:
        """The answer of the queue, its progress shown. Raises what the job failed with, and CancelledError where the
        asker wanted it no more before the queue had it."""
        bot = self.interaction.client
        if row in bot.unwanted:
            raise CancelledError
        deadline = time.time() + bot.settings.job_seconds  # past the token's end, too: the history keeps the answer
        user = str(self.interaction.user.id)
        job = Job(id=JobId(str(row)), image=image, options=self.options, user=user, deadline=deadline)
        running = False
        outcome: End | None = None
        watch = bot.metrics.watch()
        try:
            async with (
                asyncio.timeout(deadline - time.time() + QUEUE_GRACE_SECONDS),
                LiveStatus(lambda text: self._show_status(row, text), bot.settings.progress_seconds) as status,
            ):
                async for event in bot.queue.submit(job):
                    watch.saw(event)
                    bot.waiting.saw(job.id, self.interaction.user.id, event)
                    if isinstance(event, End):
                        outcome = event
                        continue
                    status.set(render.status(event))
                    if isinstance(event, Progress) and event.stage is not Stage.LOAD and not running:
                        running = True
                        with unless_in_trouble(row):
                            await bot.history.start(row)
        except TimeoutError:
            log.warning("interrogation %d was not ended by the queue in time", row)
        finally:
            bot.waiting.saw(job.id, self.interaction.user.id, None)
            await bot.queue.cancel(job.id)
        match outcome:
            case Done(interrogation):
                return interrogation
            case Failed(kind, message):
                raise from_kind(kind, message)
            case Measured() | None:
                raise DeadlineError

    def _content(
        self,
        row: int | None,
        interrogation: Interrogation,
        image: bytes | None,
        with_files: bool,
        *,
        private: bool,
    ) -> Content:
        name, is_shown = attachments.shown_name(image or b"")
        kept = image is not None and with_files and len(image) <= self.interaction.filesize_limit
        picture = f"attachment://{name}" if kept and is_shown else None
        columns = self.interaction.client.display.columns
        answer = render.answer(interrogation, picture=picture, kept=kept, with_files=with_files, columns=columns)
        files = [discord.File(BytesIO(image), name)] if kept and image is not None else []
        texts = {render.PROMPT_FILE: answer.prompt_file, render.EMBEDDED_FILE: answer.embedded_file}
        files += [
            discord.File(BytesIO(text.encode("utf-8", "replace")), file_name)
            for file_name, text in texts.items()
            if text is not None and with_files
        ]
        view = result_view(self.options, row, private=private, picture=kept)
        return Content(embed=answer.embed, view=view, files=files)


async def finished_even_if_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; where this task is cancelled meanwhile, give it `LAST_SECONDS` more before that goes on."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait([task], timeout=LAST_SECONDS)
        finally:
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            log.error("at the stop", exc_info=error)
        raise


@asynccontextmanager
async def ended_together(history: History, rows: Sequence[int]) -> AsyncIterator[None]:
    """A block that an unexpected error ends leaves none of the rows waiting for what will not come; one that a
    cancellation ends leaves them as they are."""
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException:
        await fail_unfinished(history, rows, UNEXPECTED)
        raise


async def fail_unfinished(history: History, rows: Sequence[int], message: str) -> None:
    """Close those that have not ended."""
    for row in rows:
        with suppress(IllegalTransitionError, UnknownInterrogationError):
            await history.fail(row, InternalError.kind, message)
