"""`python -m bot run`, or another command, with another machine in Discord's place: the one thing that no setting of
the bot may change.

python run_against_stub.py http://127.0.0.1:PORT [--download-seconds S] [--look-seconds S] [--lost-seconds S]
    [--busy-seconds S] [--pipeline MODULE:FUNCTION] [--queue NAME=NUMBER]... [--command COMMAND] [BOT OPTION]...
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import signal
import sys
import threading
import time

import discord.asset
import discord.gateway
import discord.http
from yarl import URL

from bot import attachments, connection, program, reply, resume, workers
from interrogator.queue.local import LocalQueueConfig


def follow(parent: int) -> None:
    """Stop like by SIGTERM when the tests are gone: killed ones cannot stop what they started."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def tell_what_it_waits_for(_number: int, _frame: object) -> None:
    """On SIGUSR1: a bot that does not end says where its tasks are."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)


def bound(text: str) -> tuple[str, float]:
    """One of `LocalQueueConfig`."""
    name, _, number = text.partition("=")
    return name, float(number)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("discord", type=URL)
    parser.add_argument("--download-seconds", type=float)
    parser.add_argument("--look-seconds", type=float)
    parser.add_argument("--lost-seconds", type=float)
    parser.add_argument("--busy-seconds", type=float)
    parser.add_argument("--pipeline")
    parser.add_argument("--command", default="run")
    parser.add_argument("--queue", type=bound, action="append", default=[])
    chosen, options = parser.parse_known_args()
    stand_in: URL = chosen.discord

    discord.http.Route.BASE = f"{stand_in.origin()}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = stand_in.with_scheme("ws") / "gateway"
    discord.asset.Asset.BASE = str(stand_in.origin())
    # The rule itself (https, no port, Discord's hosts) is tested beside the module; here its answer is the stand-in.
    attachments.is_on_discord = lambda url: URL(url).origin() == stand_in.origin()
    if chosen.download_seconds is not None:
        attachments.DOWNLOAD_SECONDS = chosen.download_seconds
    if chosen.look_seconds is not None:
        resume.LOOK_SECONDS = chosen.look_seconds
    if chosen.lost_seconds is not None:
        reply.LOST_SECONDS = chosen.lost_seconds
    if chosen.busy_seconds is not None:
        connection.BUSY_SECONDS = chosen.busy_seconds
    config = functools.partial(LocalQueueConfig, pipeline=chosen.pipeline, **dict(chosen.queue))
    setattr(workers, "LocalQueueConfig", config)  # noqa: B010
    signal.signal(signal.SIGUSR1, tell_what_it_waits_for)
    threading.Thread(target=follow, args=(os.getppid(),), daemon=True).start()
    return program.main([chosen.command, *options])


if __name__ == "__main__":
    sys.exit(main())
