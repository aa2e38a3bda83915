"""`python -m bot run | demo | migrate | sync | doctor`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import discord

from bot.client import InterrogatorBot
from bot.database import Database
from bot.doctor.examination import doctor
from bot.health import health_server
from bot.history import History
from bot.lifecycle import run_until_stopped
from bot.migrate import upgrade
from bot.presence import Presence, present
from bot.redaction import redact_log
from bot.resume import taking_up
from bot.retention import retention
from bot.settings import Settings, discord_token, load_settings
from bot.settings_errors import SettingsError
from bot.stores import Stores
from bot.sync import EXIT_DIFFERENT, sync, sync_if_changed
from bot.workers import queue_of
from interrogator.errors import InterrogatorError

EXIT_FAILED, EXIT_USAGE = 1, 2
DEMO_DATABASE = "demo.db"
DEMO_PORT = 8765
PORT_LIMIT = 65536
LOG_FORMAT = "[{asctime}] [{levelname:<8}] {name}: {message}"

log = logging.getLogger("bot")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status: 0, 1 for what went wrong, 2 for wrong usage or settings, 3 where
    `sync --dry-run` finds a difference."""
    try:
        return _obey(_parser().parse_args(arguments))
    except SettingsError as error:
        return _complain(str(error), EXIT_USAGE)
    except (InterrogatorError, discord.DiscordException, aiohttp.ClientError, OSError) as error:
        return _complain(_explain(error), EXIT_FAILED)


def _explain(error: Exception) -> str:
    """What ended the bot, as a sentence for whoever runs it."""
    reason = str(error) or type(error).__name__
    match error:
        case InterrogatorError():
            return reason
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):  # 4004: it was reset while the bot ran
            return "Discord does not accept the token. Copy it again from the developer portal."
        case aiohttp.ClientError():
            return f"Discord cannot be reached: {reason}"
        case _:
            return f"The bot had to stop: {reason}"


def _obey(chosen: argparse.Namespace) -> int:
    if chosen.command == "doctor":  # which says itself what is wrong with the settings
        _log_to_stderr(chosen.log_level or "ERROR")
        return run_until_stopped(doctor(chosen.config, offline=chosen.offline, as_object=chosen.json))
    settings = load_settings(chosen.config, {"log_level": chosen.log_level})
    if chosen.command == "demo":
        _log_to_stderr(chosen.log_level or "WARNING")
        return run_until_stopped(_demo(settings, chosen.port, open_browser=chosen.browser))
    if chosen.command == "sync":
        _log_to_stderr(chosen.log_level or "WARNING")
        return run_until_stopped(sync(discord_token(settings), dry_run=chosen.dry_run))
    _log_to_stderr(settings.log_level)
    if chosen.command == "migrate":
        return run_until_stopped(_migrate(settings))
    return run_until_stopped(_run(settings, discord_token(settings)))


async def _run(settings: Settings, token: str) -> int:
    async with (
        _opened(settings, settings.database_url) as (bot, database, presence),
        health_server(bot, database, settings.health_port),
        bot,
    ):
        await bot.login(token)
        await sync_if_changed(bot, database)
        async with taking_up(bot, presence):
            await bot.stay_connected()
    return 0


async def _demo(settings: Settings, port: int, *, open_browser: bool) -> int:
    logging.getLogger("discord").setLevel(logging.ERROR)  # its warnings are of Discord, which is simulated here
    try:
        from bot.demo import run_demo  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        return _complain(f"The demo needs the extra 'demo' ({error.name} is missing): make demo installs it.", 1)
    url = f"sqlite:///{(settings.data_dir / DEMO_DATABASE).absolute().as_posix()}"
    async with _opened(settings, url) as (bot, _, presence):
        await _close_what_was_left(bot.history, presence)
        return await run_demo(bot, port=port, open_browser=open_browser)


async def _migrate(settings: Settings) -> int:
    await upgrade(settings.database_url)
    log.info("the database is at the newest schema")
    return 0


async def _close_what_was_left(history: History, presence: Presence) -> None:
    """For the demo, whose Discord does not outlive it."""
    if expired := await history.expire_unfinished(await presence.gone(await history.owners())):
        log.info("%d interrogations that an earlier run left unfinished were closed", expired)


@asynccontextmanager
async def _opened(settings: Settings, database_url: str) -> AsyncIterator[tuple[InterrogatorBot, Database, Presence]]:
    """Everything the bot needs, opened in order and closed in reverse. The worker starts while the rest is opened."""
    async with (
        queue_of(settings) as queue,
        Database.open(database_url) as database,
        present(database_url) as presence,
    ):
        stores = Stores.of(database, owner=presence.owner)
        async with retention(stores.personal, stores.rulebook, settings.retention_days):
            yield InterrogatorBot(settings, queue, stores), database, presence


def _log_to_stderr(level: str) -> None:
    """DEBUG is for our own code alone: the libraries' holds tokens and the signed addresses of files."""
    chosen = logging.getLevelNamesMapping()[level]
    # discord.py by itself takes a container for a terminal, and colours what goes to a file there.
    formatter = discord.utils.MISSING if sys.stderr.isatty() else logging.Formatter(LOG_FORMAT, style="{")
    discord.utils.setup_logging(level=max(chosen, logging.INFO), formatter=formatter, root=True)
    for ours in ("bot", "interrogator"):
        logging.getLogger(ours).setLevel(chosen)
    logging.getLogger("alembic").setLevel(max(chosen, logging.WARNING))
    redact_log()
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot does not speak


def _complain(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - the answer to a command
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="The Interrogator Discord bot.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, metavar="FILE", help="a TOML file like config/default.toml")
    common.add_argument("--log-level", choices=("DEBUG", "INFO", "WARNING", "ERROR"), help="how much is logged")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", parents=[common], help="connect to Discord (token in INTERROGATOR_TOKEN)")
    demo = commands.add_parser("demo", parents=[common], help="the same bot in a Discord-like page, offline")
    demo.add_argument(
        "--port",
        type=_port,
        default=DEMO_PORT,
        help="of the page, or where it is taken the next free one (%(default)s)",
    )
    demo.add_argument("--no-browser", dest="browser", action="store_false", help="only print the address")
    commands.add_parser("migrate", parents=[common], help="bring the database to the newest schema")
    _add_admin_commands(commands, common)
    return parser


def _add_admin_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    sync = commands.add_parser("sync", parents=[common], help="tell Discord those commands that it knows otherwise")
    sync.add_argument(
        "--dry-run",
        action="store_true",
        help=f"only show the difference; exit status {EXIT_DIFFERENT} where there is one",
    )
    doctor = commands.add_parser("doctor", parents=[common], help="check everything; say what to do where it is wrong")
    doctor.add_argument("--offline", action="store_true", help="leave Discord out; needs no token")
    doctor.add_argument("--json", action="store_true", help="one JSON object")


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= port < PORT_LIMIT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 0 (any) to {PORT_LIMIT - 1}")
    return port
