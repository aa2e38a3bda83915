"""Stopping: one place that turns Ctrl-C and SIGTERM into the cancellation of the main task."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)

EXIT_OK = 0
ATTEMPTS, ATTEMPT_SECONDS = 3, 1.0  # at ending what is left


def run_until_stopped(main: Coroutine[Any, Any, int]) -> int:
    """Run `main` to its end, or until SIGINT or SIGTERM cancels it; its `async with` blocks then close what is open.

    Further signals do not cut that short: it takes seconds at most, and who is waiting for an answer is told meanwhile.
    Returns the exit status of `main`, or 0 where a signal stopped it: being told to stop is no failure.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what asyncio expects to find
    try:
        return asyncio.run(_with_signals(main))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return EXIT_OK


async def _with_signals(main: Coroutine[Any, Any, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)

    def stop(name: str) -> None:
        if task.cancelling():
            log.info("%s received, already stopping", name)
            return
        log.info("%s received, stopping", name)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no loop signal handlers; asyncio.run turns Ctrl-C into a cancellation there.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop, number.name)
    try:
        return await task
    finally:
        await _end_what_is_left()


async def _end_what_is_left() -> None:
    """Cancel the tasks that are left, again and again. `asyncio.run` does it once, and waits for ever for one that goes
    on: aiosqlite, when it is cancelled while it closes a connection, waits for a thread that has ended."""
    for _ in range(ATTEMPTS):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return
        for each in left:
            each.cancel()
        await asyncio.wait(left, timeout=ATTEMPT_SECONDS)
