"""The bot: what it is made of, how it starts and how it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

import discord
from discord.ext import commands

from bot import render, resume
from bot.album_pages import AlbumButton
from bot.boundary import InterrogatorTree
from bot.cancel_button import CancelButton, StopButton
from bot.commands.catalogue import COMMANDS, CONTEXTS, INSTALLS
from bot.commands.privacy import PrivacyButton
from bot.conversation import converse
from bot.form import answer_orphan
from bot.guild_rules import GuildRules
from bot.history import Unfinished
from bot.history_again import AgainSelect
from bot.history_pages import HistoryButton
from bot.inquiry import Inquiry
from bot.measure_buttons import MeasureButton
from bot.metrics import Metrics
from bot.places import Places
from bot.policy import answered_in_time, applied, check_asker
from bot.question import Choice, Question
from bot.render import Display
from bot.result_buttons import ResultButton
from bot.settings import Settings
from bot.settings_forms import FormButton
from bot.stores import Stores
from bot.views import ModeButton
from bot.waiting import Waiting
from interrogator.queue import InterrogationQueue, QueueStatus
from interrogator.types import DEFAULT_MODE, Options

log = logging.getLogger(__name__)

INTENTS = discord.Intents(guilds=True)
CLOSE_SECONDS = 5.0  # for telling those whose pictures are left to the next start
NO_NEW_WORK = "The bot is restarting and takes nothing new at the moment. Please ask again in a minute."


class InterrogatorBot(commands.AutoShardedBot):
    """Answers interactions. It opens nothing itself: the queue and the history are opened, and closed, by `main`.

    It needs no privileged intent, and may be installed in a server or by a person for themselves.
    """

    def __init__(self, settings: Settings, queue: InterrogationQueue, stores: Stores) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=InterrogatorTree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=INSTALLS,
            allowed_contexts=CONTEXTS,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.settings = settings
        self.queue = queue
        self.history = stores.history
        self.rulebook = stores.rulebook
        self.personal = stores.personal
        self.display = Display()
        self.places = Places(most=settings.queue_length, most_of_one=settings.jobs_per_user)
        self.metrics = Metrics(self._queue_status)
        self.waiting = Waiting()
        self.unwanted: set[int] = set()  # rows that were cancelled, until their turn here is over
        self.inquiries: dict[int, Inquiry] = {}  # by interaction, while they are answered
        self.stopping = False
        self._conversations: set[asyncio.Task[object]] = set()
        for command in COMMANDS:
            self.tree.add_command(command)

    async def setup_hook(self) -> None:
        """Make the buttons of earlier messages work."""
        self.add_dynamic_items(
            CancelButton,
            StopButton,
            ModeButton,
            MeasureButton,
            ResultButton,
            HistoryButton,
            AlbumButton,
            AgainSelect,
            FormButton,
            PrivacyButton,
        )

    async def on_ready(self) -> None:
        """Say that it works, and as whom."""
        assert self.user is not None
        log.info("ready as %s (%d) in %d servers", self.user, self.user.id, len(self.guilds))

    async def on_interaction(self, interaction: discord.Interaction[InterrogatorBot]) -> None:
        """Beside what discord.py itself finds somebody for."""
        await answer_orphan(interaction)

    async def options(self, guild_id: int | None, choice: Choice, *, age_restricted: bool = False) -> Options:
        """What a person chose, with what the rules of the server and the settings say of the rest."""
        rules = await self.rules_of(guild_id)
        wanted = (choice.profile, rules.profile, self.settings.profile)
        options = Options(
            mode=choice.mode or rules.mode or DEFAULT_MODE,
            style_only=choice.style_only,
            subject=choice.subject,
            artists=choice.artists,
            frame=choice.frame,
            profile=next(name for name in wanted if name in self.settings.offered),
            seconds=self.settings.search_seconds,
        )
        return applied(options, rules, age_restricted=age_restricted)

    async def rules_of(self, guild_id: int | None) -> GuildRules:
        """The rules of the server. Raises BusyError where the database does not tell them in time."""
        async with answered_in_time():
            return await self.rulebook.rules(guild_id)

    async def answer(self, interaction: discord.Interaction[InterrogatorBot], question: Question) -> None:
        """Answer the question, as far as the rules of the server allow it. `drain` waits for this, or ends it and
        leaves what is unanswered to the next start."""
        if self.stopping:
            await interaction.response.send_message(render.failure(NO_NEW_WORK), ephemeral=True)
            return
        rules = await self.rules_of(interaction.guild_id)
        check_asker(interaction, rules)
        await self.held(converse(interaction, replace(question, private=question.private or rules.private)))

    def go_on(self, unfinished: Sequence[Unfinished]) -> None:
        """Answer, in the background, what a process that is gone left unanswered of this application's. The bot must
        be logged in."""
        for rows in resume.by_interaction(unfinished):
            task = asyncio.create_task(self.held(resume.go_on(self, rows)), name=f"go on with {rows[0].id}")
            self._conversations.add(task)  # before it runs: nothing else holds it

    async def stay_connected(self) -> None:
        """As `connect`, but it can be cancelled at any time: discord.py, while it comes back to Discord, takes that for
        its own doing and forgets it. The connection ends with `close`."""
        connection = asyncio.create_task(self.connect(), name="connection")
        connection.add_done_callback(lambda task: task.cancelled() or task.exception())  # of no interest after `close`
        await asyncio.shield(connection)

    def is_connected(self) -> bool:
        """Whether Discord has greeted every shard and holds the connection."""
        return self.is_ready() and not self.is_closed() and not any(shard.is_closed() for shard in self.shards.values())

    async def drain(self) -> None:
        """Take no new questions, give those that are there `drain_seconds` to be answered, then leave them to the next
        start: their rows are queued, and their messages say so."""
        self.stopping = True
        running = self._conversations - {asyncio.current_task()}
        if not running:
            return
        left = running
        if (seconds := self.settings.drain_seconds) > 0:
            log.info("waiting up to %g s for %d conversations", seconds, len(running))
            _, left = await asyncio.wait(running, timeout=seconds)
        for task in left:
            task.cancel()
        if left:
            log.info("%d conversations are left to the next start", len(left))
            _, slow = await asyncio.wait(left, timeout=CLOSE_SECONDS)
            for task in slow:  # before there is no connection to Discord any more
                task.cancel()
            if slow:
                await asyncio.wait(slow, timeout=1)

    async def close(self) -> None:
        """End the conversations, then the connection."""
        await self.drain()
        await super().close()

    def _queue_status(self) -> QueueStatus:
        return self.queue.status()

    async def held(self, conversation: Coroutine[Any, Any, None]) -> None:
        """The conversation, known to `drain` until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            await conversation
        finally:
            self._conversations.discard(task)
