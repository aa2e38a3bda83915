"""The queue as the settings want it: with a worker of the bot's own, or with one that runs by itself."""

from __future__ import annotations

from bot.settings import Settings
from interrogator.profiles import to_argument
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.queue.remote import RemoteQueue, RemoteQueueConfig


def queue_of(settings: Settings) -> LocalQueue | RemoteQueue:
    """To be entered by `async with`."""
    if (address := settings.worker_address) is None:
        bounds = LocalQueueConfig(
            max_jobs=settings.queue_length,
            max_jobs_per_user=settings.jobs_per_user,
            stall_seconds=settings.stall_seconds,
        )
        return LocalQueue(to_argument(settings.models), bounds)
    config = RemoteQueueConfig(
        profile=settings.profile, max_jobs=settings.queue_length, max_jobs_per_user=settings.jobs_per_user
    )
    return RemoteQueue(address, settings.worker_credentials, config)
