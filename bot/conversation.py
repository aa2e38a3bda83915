"""From an interaction to its answer: check, defer, record, download, ask the queue, show, and end the row whatever
happens."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import discord

from bot import attachments, render
from bot.attachments import Picture
from bot.history import Ask, History, IllegalTransitionError, UnknownInterrogationError
from bot.question import Question
from bot.reply import Content, LiveStatus, Reply
from bot.views import result_view
from interrogator.errors import DeadlineError, InternalError, InterrogatorError, UnsupportedOptionError, from_kind
from interrogator.types import Done, Failed, Interrogation, Job, JobId, Progress, Stage

if TYPE_CHECKING:
    from bot.client import InterrogatorBot

    Interaction = discord.Interaction[InterrogatorBot]

log = logging.getLogger(__name__)

TOKEN_SECONDS = 14 * 60  # Discord lets an interaction be answered for 15 minutes
LAST_SECONDS = 4  # for showing an answer that is there when the bot is stopped; `close` waits a little longer
QUEUE_GRACE_SECONDS = 15  # the queue itself ends a job at its deadline; this ends one that it forgot
PICTURES_A_MESSAGE = 4  # follow-ups are limited to five where the app is installed by the user alone
RESTARTING = "The bot is restarting. Please send the image again in a minute."
UNEXPECTED = "Something unexpected went wrong with this image."


async def converse(interaction: Interaction, question: Question) -> None:
    """Answer each picture of the question in a message of its own, the first in the interaction's response."""
    bot = interaction.client
    if refusal := _refusal(question, bot.settings.max_image_bytes):
        await interaction.response.send_message(render.failure(str(refusal)), ephemeral=True)
        return
    deadline = time.time() + TOKEN_SECONDS
    await interaction.response.defer(ephemeral=question.private, thinking=True)
    reply = Reply(interaction, private=question.private)
    for number, picture in enumerate(question.pictures[:PICTURES_A_MESSAGE]):
        if number > 0:
            reply = await Reply.following(interaction, private=question.private)
        await _Turn(interaction, question, picture, reply, deadline).take()
    if (left_out := len(question.pictures) - PICTURES_A_MESSAGE) > 0:
        await interaction.followup.send(
            f"I answer {PICTURES_A_MESSAGE} pictures of a message at a time; {left_out} more were left out. "
            "Use /interrogate for those.",
            ephemeral=True,
        )


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


@dataclass(frozen=True, slots=True)
class _Turn:
    """One picture and the message that answers it."""

    interaction: Interaction
    question: Question
    picture: Picture
    reply: Reply
    token_end: float

    async def take(self) -> None:
        with ExitStack() as place:  # the picture is in memory until it is shown
            if (answered := await self._answered(place)) is not None:
                await finished_even_if_stopped(self._show(*answered))

    async def _answered(self, place: ExitStack) -> tuple[int, Interrogation, bytes] | None:
        """The row, the answer and the picture; None where there is no answer, which is told."""
        bot = self.interaction.client
        max_bytes = bot.settings.max_image_bytes
        try:
            async with recorded(bot.history, self._ask()) as row:
                attachments.check(self.picture, max_bytes)
                size = self.picture.size if self.picture.size is not None else max_bytes
                place.enter_context(bot.places.taken(self.interaction.user.id, size))
                image = await attachments.download(self.picture, max_bytes)
                interrogation = await self._interrogate(row, image)
                await bot.history.finish(row, interrogation)
        except InterrogatorError as error:
            await self.reply.fail(str(error))
            return None
        except asyncio.CancelledError:
            await self.reply.fail(RESTARTING)
            raise
        except BaseException:
            # Told by the command boundary, which has no message to tell it in while this one is unanswered.
            await self.reply.withdraw()
            raise
        return row, interrogation, image

    async def _show(self, row: int, interrogation: Interrogation, image: bytes) -> None:
        message_id = await self.reply.show(lambda with_files: self._content(interrogation, image, with_files))
        if message_id is not None:
            with suppress(UnknownInterrogationError):  # deleted from the history while it was being shown
                await self.interaction.client.history.set_message(row, message_id)

    def _ask(self) -> Ask:
        options = self.question.options
        return Ask(
            user_id=self.interaction.user.id,
            guild_id=self.interaction.guild_id,
            channel_id=self.interaction.channel_id,
            interaction_id=self.interaction.id,
            interaction_token=self.interaction.token,
            image_url=self.picture.url,
            image_name=self.picture.name,
            mode=options.mode,
            style_only=options.style_only,
            profile=options.profile,
            private=self.question.private,
        )

    async def _interrogate(self, row: int, image: bytes) -> Interrogation:
        """The answer of the queue, its progress shown. Raises what the job failed with."""
        bot = self.interaction.client
        deadline = min(time.time() + bot.settings.job_seconds, self.token_end)
        user = str(self.interaction.user.id)
        job = Job(id=JobId(str(row)), image=image, options=self.question.options, user=user, deadline=deadline)
        running = False
        outcome: Done | Failed | None = None
        try:
            async with (
                asyncio.timeout(deadline - time.time() + QUEUE_GRACE_SECONDS),
                LiveStatus(self.reply.show_status, bot.settings.progress_seconds) as status,
            ):
                async for event in bot.queue.submit(job):
                    if isinstance(event, Done | Failed):
                        outcome = event
                        continue
                    status.set(render.status(event))
                    if isinstance(event, Progress) and event.stage is not Stage.LOAD and not running:
                        running = True
                        await bot.history.start(row)
        except TimeoutError:
            outcome = None
        finally:
            await bot.queue.cancel(job.id)
        match outcome:
            case Done(interrogation):
                return interrogation
            case Failed(kind, message):
                raise from_kind(kind, message)
            case None:
                raise DeadlineError

    def _content(self, interrogation: Interrogation, image: bytes, with_files: bool) -> Content:
        name, is_shown = attachments.shown_name(image)
        kept = with_files and len(image) <= self.interaction.filesize_limit
        picture = f"attachment://{name}" if kept and is_shown else None
        columns = self.interaction.client.display.columns
        answer = render.answer(interrogation, picture=picture, kept=kept, columns=columns)
        files = [discord.File(BytesIO(image), name)] if kept else []
        if with_files and answer.prompt_file is not None:
            files.append(discord.File(BytesIO(answer.prompt_file.encode("utf-8", "replace")), "prompt.txt"))
        return Content(embed=answer.embed, view=result_view(self.question.options) if kept else None, files=files)


async def finished_even_if_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; where this task is cancelled meanwhile, give it `LAST_SECONDS` more before that goes on."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=LAST_SECONDS)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            log.error("at the stop", exc_info=error)
        raise


@asynccontextmanager
async def recorded(history: History, ask: Ask) -> AsyncIterator[int]:
    """A new row's id; a block that is left by an exception leaves the row failed or cancelled."""
    row = await history.add(ask)
    log.info("interrogation %d: %s asked by user %d", row, ask.mode.value, ask.user_id)
    try:
        yield row
    except IllegalTransitionError:
        raise
    except InterrogatorError as error:
        log.info("interrogation %d failed: %s", row, error.kind)
        await history.fail(row, error.kind, str(error))
        raise
    except asyncio.CancelledError:
        with suppress(IllegalTransitionError, UnknownInterrogationError):  # it was answered, or deleted, first
            await history.cancel(row)
        raise
    except BaseException:
        await history.fail(row, InternalError.kind, UNEXPECTED)
        raise
