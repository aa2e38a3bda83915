"""The way to Discord is bad, one request at a time: an answer that was promised comes, and comes once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pipelines
import pytest
import pytest_asyncio
from aiohttp import web
from asking import PATIENCE, alive
from bot_process import SCRIPTED, BotProcess, own_bot
from discord_faults import Choose, Fault
from discord_interactions import Asked
from discord_payloads import BOB_ID
from discord_stub import DiscordStub, Upload

from bot.row_reply import BELOW

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[DiscordStub, BotProcess]]:
    async with own_bot(tmp_path_factory.mktemp("bot"), *SCRIPTED) as (stub, bot):
        yield stub, bot


@pytest.fixture(autouse=True)
def _no_faults_are_left(both: tuple[DiscordStub, BotProcess]) -> None:
    both[0].faults = lambda _request: None


def once(fault: Fault, method: str, path: str) -> Choose:
    """The fault at the first request of the method whose path contains this."""
    struck: list[str] = []

    def choose(request: web.Request) -> Fault | None:
        if struck or request.method != method or path not in request.path:
            return None
        struck.append(request.path)
        return fault

    return choose


async def is_answered_once(asked: Asked, bot: BotProcess, prompt: str) -> None:
    """In the message that was promised."""
    message = await asked.answer()
    row = await bot.ended(asked)
    assert message is asked.original
    assert prompt in message.embeds[0]["description"]
    assert (row["state"], row["prompt"], row["message_id"]) == ("done", prompt, message.id)
    assert [of for of, _ in asked.ends()] == [message]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_LATE, Fault.REFUSED, Fault.UNSURE, Fault.LIMITED])
async def test_whatever_happens_to_the_promise_of_an_answer_it_is_kept(
    fault: Fault, both: tuple[DiscordStub, BotProcess]
) -> None:
    stub, bot = both
    prompt = f"a promise, {fault}"
    stub.faults = once(fault, "POST", "/callback")
    asked = await stub.interrogate(Upload("a.png", prompt.encode()))
    await is_answered_once(asked, bot, prompt)
    assert asked.deferred


async def test_what_could_not_even_be_promised_is_a_failure_that_is_told(both: tuple[DiscordStub, BotProcess]) -> None:
    stub, bot = both
    lost: list[str] = []

    def twice(request: web.Request) -> Fault | None:
        lost.append(request.path)
        return Fault.CUT if "/callback" in request.path and len(lost) < 4 else None

    stub.faults = twice
    asked = await stub.interrogate(Upload("a.png", b"no promise"))
    told = await asked.refusal()
    assert told.ephemeral
    assert (await bot.ended(asked))["error_message"] in told.content
    assert len(asked.ends()) == 1


@pytest.mark.parametrize("fault", Fault)
async def test_whatever_happens_to_an_edit_the_answer_is_shown_once(
    fault: Fault, both: tuple[DiscordStub, BotProcess]
) -> None:
    if fault is Fault.HELD:
        both[0].let_go.set()
    stub, bot = both
    stub.faults = once(fault, "PATCH", "/messages/@original")
    await is_answered_once(await stub.interrogate(Upload("a.png", fault.encode())), bot, fault)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_LATE])
async def test_a_further_answer_comes_once_though_its_message_was_lost(
    fault: Fault, both: tuple[DiscordStub, BotProcess]
) -> None:
    stub, bot = both
    stub.faults = once(fault, "POST", "/webhooks/")
    album = stub.post(Upload("1.png", b"the first"), Upload("2.png", b"the second"))
    asked = await stub.choose("Interrogate image", album)
    await asked.until(lambda: len(asked.ends()) == 2)
    async with asyncio.timeout(PATIENCE):
        while [row["state"] for row in bot.rows() if row["interaction_id"] == asked.id] != ["done", "done"]:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.02)
    rows = [row for row in bot.rows() if row["interaction_id"] == asked.id]
    assert [row["message_id"] for row in rows] == [message.id for message, _ in asked.ends()]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_LATE])
async def test_a_failure_is_told_once_whatever_is_lost_on_the_way(
    fault: Fault, method: str, both: tuple[DiscordStub, BotProcess]
) -> None:
    stub, bot = both
    stub.faults = once(fault, method, "/webhooks/")
    asked = await stub.interrogate(Upload("a.png", pipelines.UNREADABLE))
    row = await bot.ended(asked)
    ((told, _),) = asked.ends()
    assert told.ephemeral
    assert row["error_message"] in told.content
    assert asked.seen_by_all() == []


async def test_what_was_asked_while_the_connection_was_broken_is_answered_after_it(
    both: tuple[DiscordStub, BotProcess],
) -> None:
    stub, bot = both
    stub.gateway.mute = True
    asked = await stub.interrogate(Upload("a.png", b"unheard of"))
    stub.gateway.mute = False
    await stub.gateway.close(4000)
    await is_answered_once(asked, bot, "unheard of")
    assert len(stub.gateway.identified) == 1


async def test_a_session_that_discord_ends_is_begun_anew(both: tuple[DiscordStub, BotProcess]) -> None:
    stub, bot = both
    known = len(stub.gateway.identified)
    await stub.gateway.invalidate()
    await stub.gateway.until_identified(known + 1)
    await is_answered_once(await stub.interrogate(Upload("a.png", b"a new session")), bot, "a new session")


@pytest.mark.parametrize("private", [False, True])
async def test_an_answer_after_the_token_has_ended_is_in_the_history_and_where_it_is_public_in_the_channel(
    both: tuple[DiscordStub, BotProcess], tmp_path: Path, private: bool
) -> None:
    stub, bot = both
    release = tmp_path / "release"
    upload = Upload("a.png", pipelines.HOLDS + bytes(release))
    asked = await stub.interrogate(upload, by=BOB_ID, private=private)
    await bot.until_state("running")
    await asked.until(lambda: bool(asked.original and asked.original.components))
    asked.token_seconds = 0
    release.touch()
    row = await bot.ended(asked)
    assert row["state"] == "done"
    assert asked.ends() == []
    posted = stub.posts.get(f"late {row['id']}")
    assert (posted is None) == private
    if posted is not None:
        assert posted.id == row["message_id"]
        assert posted.embeds
        assert f"<@{BOB_ID}>" in posted.content
        assert asked.original is not None
        assert asked.original.content == BELOW
        assert asked.original.components == []


async def test_who_keeps_no_history_may_delete_their_late_answer_and_others_may_not(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        bot.query(f"INSERT INTO user_settings (user_id, keeps_history) VALUES ({BOB_ID}, 0)")
        release = tmp_path / "release"
        asked = await stub.interrogate(Upload("a.png", pipelines.HOLDS + bytes(release)), by=BOB_ID)
        await bot.until_state("running")
        await asked.until(lambda: bool(asked.original and asked.original.components))
        asked.token_seconds = 0
        release.touch()
        await asked.until(lambda: bool(stub.posts))
        (posted,) = stub.posts.values()
        refused = await stub.press("Delete", posted)
        assert "Only" in (await refused.refusal()).content
        deleting = await stub.press("Delete", posted, by=BOB_ID)
        await deleting.until(lambda: posted.deleted)


async def test_a_worker_that_is_stopped_goes_when_its_bot_is_killed(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        assert (await (await stub.interrogate(Upload("a.png", b"a cat"))).answer()).embeds
        (worker,) = bot.workers()
        os.kill(worker, signal.SIGSTOP)
        bot.tell(signal.SIGKILL)
        await bot.end()
        async with asyncio.timeout(PATIENCE / 4):
            while alive(worker):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.02)
