"""The whole of it: the socket, the worker and those who ask it, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from interrogator import wire
from interrogator.address import Address
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.serving.listening import check_listening, listening
from interrogator.serving.server import Server, ServerConfig
from interrogator.types import DEFAULT_PROFILE, Progress

MAX_JOBS = 1000
MAX_JOBS_PER_USER = 100  # who asks has its own, smaller bound for a person; this one is for a whole command line


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What to serve, and where. `allow_remote` lets it listen where other machines can come."""

    address: Address
    secret: bytes | None = field(default=None, repr=False)
    profile: str = DEFAULT_PROFILE
    allow_remote: bool = False
    queue: LocalQueueConfig = field(
        default_factory=lambda: LocalQueueConfig(max_jobs=MAX_JOBS, max_jobs_per_user=MAX_JOBS_PER_USER)
    )
    server: ServerConfig = field(default_factory=ServerConfig)


@dataclass(frozen=True, slots=True)
class Serving:
    """A service that runs: where it listens, and its worker."""

    address: Address
    queue: LocalQueue


@asynccontextmanager
async def serving(service: Service, report: Callable[[Progress], None] | None = None) -> AsyncIterator[Serving]:
    """Serve while the block lasts; `report` is told how far loading is. It listens before the models are loaded.

    Raises `WorkerAddressError` where it cannot, or must not, listen there.
    """
    check_listening(service.address, service.secret, allow_remote=service.allow_remote)
    server = Server(service.secret, service.server)

    def hear(news: wire.AboutWorker) -> None:
        if report and isinstance(news, wire.Loading):
            report(news.progress)
        server.tell(news)

    with listening(service.address) as (opened, address):
        async with (
            LocalQueue(service.profile, service.queue, hear) as queue,
            server.running(opened, queue),
        ):
            yield Serving(address, queue)


async def serve_until_told(
    service: Service,
    report: Callable[[Progress], None],
    listens: Callable[[Address], None],
    ready: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM. `listens` is called when there is somebody to talk to, `ready` when the models are
    loaded.

    Raises as `serving`, and the `InterrogatorError` that says why the models cannot be loaded.
    """
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows, Ctrl-C cancels the main task
            asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with serving(service, report) as running:
        listens(running.address)
        loaded = asyncio.create_task(running.queue.wait_ready())
        stopped = asyncio.create_task(told.wait())
        try:
            await asyncio.wait((loaded, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not told.is_set():
                loaded.result()
                ready()
                await stopped
        finally:
            loaded.cancel()
            stopped.cancel()
