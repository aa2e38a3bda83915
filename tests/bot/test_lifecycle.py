"""The end of the bot's process, whatever its tasks do."""

from __future__ import annotations

import subprocess
import sys

STUBBORN = """
import asyncio

from bot.lifecycle import run_until_stopped


async def closing():
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.Event().wait()  # as for a thread that has ended


async def main():
    task = asyncio.create_task(closing())
    await asyncio.sleep(0)
    main.task = task
    return 7


raise SystemExit(run_until_stopped(main()))
"""


def test_a_task_that_goes_on_after_it_was_cancelled_does_not_keep_the_process() -> None:
    assert subprocess.run([sys.executable, "-c", STUBBORN], timeout=30, check=False).returncode == 7
