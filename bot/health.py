"""Whether the bot is well, over HTTP on the loopback interface: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from bot.client import InterrogatorBot
from bot.database import Database, DatabaseError
from bot.metrics import Metrics
from interrogator.queue import WorkerState

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
DATABASE_SECONDS = 2.0
LAG_PERIOD = 0.25  # seconds between two looks at the event loop
SHUTDOWN_SECONDS = 0.5  # for a request that is under way when the bot ends

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is needed to answer people, and whether each is there."""

    discord: bool
    worker: bool
    database: bool
    accepting: bool  # not stopping

    @property
    def ready(self) -> bool:
        """Whether all of it is."""
        return self.discord and self.worker and self.database and self.accepting

    def as_json(self) -> dict[str, bool]:
        """The body of /readyz."""
        return {
            "ready": self.ready,
            "discord": self.discord,
            "worker": self.worker,
            "database": self.database,
            "accepting": self.accepting,
        }


async def readiness(bot: InterrogatorBot, database: Database) -> Readiness:
    """Asked anew each time; takes no longer than `DATABASE_SECONDS`."""
    return Readiness(
        discord=bot.is_connected(),
        worker=bot.queue.status().worker is WorkerState.READY,
        database=await _answers(database),
        accepting=not bot.stopping,
    )


@asynccontextmanager
async def health_server(bot: InterrogatorBot, database: Database, port: int) -> AsyncIterator[None]:
    """Serve while the block lasts; nothing where `port` is 0. Raises OSError where the port cannot be had."""
    if port == 0:
        yield
        return
    application = web.Application()
    application.add_routes(
        [
            web.get("/healthz", _healthz),
            web.get("/readyz", _readyz(bot, database)),
            web.get("/metrics", _metrics(bot.metrics)),
        ]
    )
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    watching = asyncio.create_task(watch_event_loop(bot.metrics), name="event-loop-lag")
    try:
        await web.TCPSite(runner, HOST, port).start()
        log.info("health and metrics at http://%s:%d", HOST, port)
        yield
    finally:
        watching.cancel()
        await runner.cleanup()
        await asyncio.wait([watching])


async def watch_event_loop(metrics: Metrics) -> None:
    """Record for ever how late the loop is."""
    loop = asyncio.get_running_loop()
    while True:
        expected = loop.time() + LAG_PERIOD
        await asyncio.sleep(LAG_PERIOD)
        metrics.lagged(loop.time() - expected)


async def _answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await database.check()
    except (TimeoutError, DatabaseError, SQLAlchemyError) as error:
        log.warning("the database does not answer: %s", type(error).__name__)
        return False
    return True


async def _healthz(_request: web.Request) -> web.Response:
    """That there is an answer says that the event loop runs."""
    return web.json_response({"alive": True})


def _readyz(bot: InterrogatorBot, database: Database) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        found = await readiness(bot, database)
        return web.json_response(found.as_json(), status=200 if found.ready else 503)

    return handle


def _metrics(metrics: Metrics) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return handle
