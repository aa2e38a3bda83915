"""How the bot says how it is, over real HTTP."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest
from asking import PATIENCE
from bot_process import SCRIPTED, BotProcess, own_bot
from discord_payloads import NAMES
from discord_stub import Upload
from prometheus_client.parser import text_string_to_metric_families
from rude_servers import rude, unused_address
from yarl import URL

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")


async def get(address: str, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(address + path) as reply:
        return reply.status, await reply.text()


async def until_status(address: str, path: str, wanted: int) -> str:
    """The body, once the status is as wanted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                status, body = await get(address, path)
            except aiohttp.ClientConnectionError:  # it does not listen yet
                status, body = 0, ""
            if status == wanted:
                return body
            await asyncio.sleep(0.05)


async def test_it_is_alive_ready_and_counted(tmp_path: Path) -> None:
    address = unused_address()
    async with own_bot(tmp_path, *SCRIPTED, health_port=str(URL(address).port)) as (stub, bot):
        assert (await get(address, "/healthz"))[0] == 200
        assert '"ready": true' in await until_status(address, "/readyz", 200)
        await (await stub.interrogate(Upload("a.png", b"a cat"))).answer()
        await (await stub.interrogate(Upload("a.png", b"steps"))).answer()
        await (await stub.interrogate(Upload("a.png", b"unreadable"))).refusal()
        await bot.until_state("done", rows=2)
        await bot.until_state("failed")
        _, text = await get(address, "/metrics")
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert found["interrogator_answers_total", "turbo"] == 2
        assert found["interrogator_errors_total", "unreadable_image"] == 1
        assert found["interrogator_cached_answers_total",] == 1
        assert found["interrogator_stage_seconds_count", "search"] == 1
        assert found["interrogator_wait_seconds_count",] == 1
        assert found["interrogator_job_seconds_count",] == 3
        assert found["interrogator_worker_restarts_total",] == 0
        assert found["interrogator_jobs", "waiting"] == found["interrogator_jobs", "running"] == 0
        assert found["interrogator_event_loop_lag_seconds_count",] > 0
        async with asyncio.timeout(PATIENCE):  # the worker tells what it has done with its next heartbeat
            while "\ninterrogator_worker_images_total 3.0\n" not in (await get(address, "/metrics"))[1]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        personal = [*map(str, NAMES), "a cat", *(asked.token for asked in stub.asked)]
        assert [word for word in personal if word in text] == []


async def test_before_discord_has_let_it_in_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    address = unused_address()
    async with (
        rude(silent=True) as discord,
        BotProcess.running(discord, tmp_path, *SCRIPTED, health_port=str(URL(address).port)),
    ):
        await until_status(address, "/healthz", 200)
        body = await until_status(address, "/readyz", 503)
        assert '"ready": false' in body
        assert '"discord": false' in body
        assert '"database": true' in body
