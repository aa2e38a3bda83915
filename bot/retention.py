"""The daily deletion of what is older than it is to be kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from bot.personal import Personal
from bot.rulebook import Rulebook

log = logging.getLogger(__name__)

DAY_SECONDS = 86_400.0


@asynccontextmanager
async def retention(
    personal: Personal, rulebook: Rulebook, days: int, period: float = DAY_SECONDS
) -> AsyncIterator[None]:
    """Delete at the beginning of the block and every `period` seconds while it lasts; prompts only where `days` is not
    0."""
    task = asyncio.create_task(_delete_for_ever(personal, rulebook, days, period), name="retention")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _delete_for_ever(personal: Personal, rulebook: Rulebook, days: int, period: float) -> None:
    while True:
        try:
            await rulebook.forget_usage()
            deleted = await personal.delete_old(days) if days else 0
        except (SQLAlchemyError, OSError) as error:
            log.warning("what is old was not deleted, the next try is in %g s: %s", period, type(error).__name__)
        else:
            if deleted:
                log.info("%d interrogations older than %d days were deleted", deleted, days)
        await asyncio.sleep(period)
