"""The queue as the settings want it: with a worker of the bot's own, or with one that runs by itself, and with further
ones for further profiles."""

from __future__ import annotations

from bot.settings import Settings
from interrogator.profiles import profile, to_argument
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.queue.remote import RemoteQueue, RemoteQueueConfig
from interrogator.queue.several import SeveralQueues


def queue_of(settings: Settings) -> LocalQueue | RemoteQueue | SeveralQueues:
    """To be entered by `async with`."""
    first, *further = settings.offered
    queue = _first(settings)
    if not further:
        return queue
    return SeveralQueues({first: queue, **{name: _own(settings, name) for name in further}})


def _first(settings: Settings) -> LocalQueue | RemoteQueue:
    if (address := settings.worker_address) is None:
        return _own(settings, settings.profile)
    config = RemoteQueueConfig(
        profile=settings.profile, max_jobs=settings.queue_length, max_jobs_per_user=settings.jobs_per_user
    )
    return RemoteQueue(address, settings.worker_credentials, config)


def _own(settings: Settings, name: str) -> LocalQueue:
    bounds = LocalQueueConfig(
        max_jobs=settings.queue_length,
        max_jobs_per_user=settings.jobs_per_user,
        stall_seconds=settings.stall_seconds,
    )
    return LocalQueue(to_argument(profile(name, settings.profiles)), bounds)
