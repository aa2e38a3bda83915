"""What can be seen on this machine without opening anything: the token's form, disks, the port, the clock."""

from __future__ import annotations

import base64
import binascii
import errno
import os
import re
import shutil
import socket
import time
from pathlib import Path

import aiohttp

from bot.doctor.findings import Finding, failure, ok, warning
from bot.health import HOST
from bot.settings import PREFIX, Settings
from interrogator.cache import cache_dir

MEBIBYTE = 2**20
LEAST_FREE = 100 * MEBIBYTE
ENOUGH_FREE = 1024 * MEBIBYTE  # the embeddings of all phrases, of the largest profile
ASK_SECONDS = 2.0
DAY = 24 * 3600
PORTAL = "https://discord.com/developers/applications"


def application_of(token: str) -> int | None:
    """The id of the application that a token belongs to, which is its first part; None where it is no such token."""
    parts = token.split(".")
    if len(parts) != 3 or not all(re.fullmatch(r"[\w-]+", part, re.ASCII) for part in parts):
        return None
    try:
        decoded = base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))
    except (binascii.Error, ValueError):
        return None
    return int(decoded) if decoded.isdigit() else None


def check_token(settings: Settings, *, offline: bool) -> Finding:
    """Whether there is one, and whether it looks like one. It is never shown."""
    where = f"Set {PREFIX}TOKEN, or token_file: {PORTAL} shows the token once, under Bot."
    if settings.token is None:
        return warning("token", "not set", where) if offline else failure("token", "not set", where)
    application = application_of(settings.token.get_secret_value())
    if application is None:
        return warning(
            "token",
            "set, but it does not look like one: three parts with dots between them, the first of the application's id",
            f"Copy it again from {PORTAL}, Bot, Reset Token; the client secret and the public key are something else.",
        )
    return ok("token", f"set, of the application {application}")


def check_space(name: str, folder: Path, what: str) -> Finding:
    """Whether there is room for `what` in the folder, which need not exist yet, and whether it may be written."""
    there = existing(folder)
    free = shutil.disk_usage(there).free
    room = f"{folder}: {free / MEBIBYTE:,.0f} MiB free"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return failure(name, f"{folder} cannot be written", f"Give the bot's user the right to write {there}.")
    if free < LEAST_FREE:
        return failure(name, room, f"Free some space: {what} is kept there.")
    if free < ENOUGH_FREE:
        return warning(name, room, f"Free some space, or name another folder: {what} is kept there.")
    return ok(name, room)


def check_cache() -> Finding:
    """The folder of what can be computed again."""
    return check_space("cache", cache_dir(), "what the models say of every phrase")


async def check_port(port: int) -> Finding:
    """Whether the port of /healthz is free, or a bot's."""
    if port == 0:
        return ok("health port", "none is set: no /healthz, /readyz and /metrics")
    with socket.socket() as probe:
        # As a server binds it: a port on which closed connections linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE and await _is_a_bot(port):
                return ok("health port", f"{port}: a bot serves it now")
            reason = "taken by another program" if error.errno == errno.EADDRINUSE else str(error.strerror)
            return failure("health port", f"{port}: {reason}", "Set another health_port, or 0 for none.")
    return ok("health port", f"{port} is free")


def check_clock(now: float | None = None, *, discord: float | None = None) -> Finding:
    """Against Discord's clock where that is known, else against the age of this code. Seconds since the epoch."""
    now = time.time() if now is None else now
    advice = "Set the clock, or let the system set it (NTP): times in the history and deadlines are reckoned by it."
    if discord is not None:
        ahead = now - discord
        text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Discord's"
        return ok("clock", text) if abs(ahead) < 60 else warning("clock", text, advice)
    if now < Path(__file__).stat().st_mtime - DAY:
        return warning("clock", "it shows a day before this program was made", advice)
    return ok("clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that there is."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.exists())


async def _is_a_bot(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{HOST}:{port}/healthz", allow_redirects=False) as reply,
        ):
            return bool(await reply.json() == {"alive": True})
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
