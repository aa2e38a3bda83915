"""The bot: what it is made of, how it starts and how it ends."""

from __future__ import annotations

import asyncio
import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.boundary import InterrogatorTree
from bot.commands.about import show_help
from bot.commands.history import history as history_command
from bot.commands.interrogate import interrogate, interrogate_message, style_of_message
from bot.conversation import converse
from bot.history import History
from bot.history_pages import HistoryButton
from bot.places import Places
from bot.question import Question
from bot.render import Display
from bot.settings import Settings
from bot.views import ModeButton
from interrogator.queue import InterrogationQueue
from interrogator.types import Mode, Options

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0  # for telling those who wait; a container is killed 10 s after it is told to stop


class InterrogatorBot(commands.AutoShardedBot):
    """Answers interactions. It opens nothing itself: the queue and the history are opened, and closed, by `main`.

    It needs no privileged intent, and may be installed in a server or by a person for themselves.
    """

    def __init__(self, settings: Settings, queue: InterrogationQueue, history: History) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=InterrogatorTree,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.settings = settings
        self.queue = queue
        self.history = history
        self.display = Display()
        self.places = Places(most=settings.queue_length, most_of_one=settings.jobs_per_user)
        self._conversations: set[asyncio.Task[object]] = set()
        self.tree.add_command(interrogate)
        self.tree.add_command(history_command)
        self.tree.add_command(show_help)
        self.tree.add_command(interrogate_message)
        self.tree.add_command(style_of_message)

    async def setup_hook(self) -> None:
        """Make the buttons of earlier messages work."""
        self.add_dynamic_items(ModeButton, HistoryButton)

    async def on_ready(self) -> None:
        """Say that it works, and as whom."""
        assert self.user is not None
        log.info("ready as %s (%d) in %d servers", self.user, self.user.id, len(self.guilds))

    def options(self, mode: Mode, *, style_only: bool) -> Options:
        """What a person chose, with what the settings say of the rest."""
        return Options(
            mode=mode, style_only=style_only, profile=self.settings.profile, seconds=self.settings.search_seconds
        )

    async def answer(self, interaction: discord.Interaction[InterrogatorBot], question: Question) -> None:
        """Answer the question. `close` ends this, and waits until the person is told and the row is closed."""
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            await converse(interaction, question)
        finally:
            self._conversations.discard(task)

    async def close(self) -> None:
        """End the conversations, then the connection."""
        running = self._conversations - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=CLOSE_SECONDS)
        await super().close()
