"""The bot is killed while it tells what came of four pictures, each at another moment, and their files go: the next bot
tells each of them once."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
import pipelines
import pytest
import pytest_asyncio
from aiohttp import web
from asking import PATIENCE
from bot_process import SCRIPTED, BotProcess, own_bot
from discord_faults import Fault
from discord_interactions import Asked
from discord_stub import DiscordStub, Upload

from interrogator.request import Request

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc"),
]

Told = Mapping[str, tuple[Asked, Mapping[str, Any]]]  # by the moment: what was asked, and its row at the end
SHOWN = "an answer that was shown and not yet stored"
MOMENTS: Mapping[str, tuple[bytes, Callable[[web.Request], bool]]] = {
    "an answer": (b"a cat", lambda request: request.content_type.startswith("multipart/")),
    "a failure": (pipelines.UNREADABLE, lambda request: request.method == "POST"),
    "a failure that was told and not yet stored": (pipelines.UNREADABLE, lambda request: request.method == "DELETE"),
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    folder = tmp_path_factory.mktemp("bot")
    async with own_bot(folder, *SCRIPTED) as (stub, bot):
        asked = {SHOWN: await stub.interrogate(Upload("a.png", b"a dog"))}
        await bot.ended(asked[SHOWN])
        asked |= await killed_at_each(stub, bot)
        stub.forget_files()
        unstore(bot, asked[SHOWN], b"a dog", f"{stub.url}/attachments/gone")
        async with BotProcess.running(stub.url, folder, *SCRIPTED) as next_bot:
            yield {moment: (one, await next_bot.ended(one)) for moment, one in asked.items()}


async def killed_at_each(stub: DiscordStub, bot: BotProcess) -> dict[str, Asked]:
    """The bot is killed once a request of each of the moments is on its way, none of which is done."""
    asked: dict[str, Asked] = {}
    held: set[str] = set()
    all_are_held = asyncio.Event()

    def hold(request: web.Request) -> Fault | None:
        for moment, one in asked.items():
            if one.token in request.path and "/webhooks/" in request.path and MOMENTS[moment][1](request):
                held.add(moment)
                if held == set(MOMENTS):
                    all_are_held.set()
                return Fault.HELD
        return None

    stub.faults = hold
    for moment, (image, _) in MOMENTS.items():
        asked[moment] = await stub.interrogate(Upload("a.png", image))
    async with asyncio.timeout(PATIENCE):
        await all_are_held.wait()
    bot.tell(signal.SIGKILL)
    await bot.end()
    stub.faults = lambda _request: None
    stub.let_go.set()
    return asked


def unstore(bot: BotProcess, asked: Asked, image: bytes, address: str) -> None:
    """Let the row be as it was when the answer was shown: a moment that no test can hit."""
    answer = json.dumps(msgspec.to_builtins(pipelines.answer(Request(image))))
    secrets = f"interaction_token = '{asked.token}', image_url = '{address}', unsent_answer = '{answer}'"
    change = f"state = 'running', finished_at = NULL, message_id = NULL, {secrets}"
    assert bot.query(f"UPDATE interrogations SET {change} WHERE interaction_id = {asked.id} RETURNING id")


@pytest.mark.parametrize(("moment", "prompt"), [("an answer", "a cat"), (SHOWN, "a dog")])
async def test_an_answer_is_shown_once_in_the_message_that_was_promised(moment: str, prompt: str, told: Told) -> None:
    asked, row = told[moment]
    ((message, _),) = asked.ends()
    assert asked.everything == [message]
    assert prompt in message.embeds[0]["description"]
    assert (row["state"], row["prompt"], row["message_id"]) == ("done", prompt, message.id)


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if "failure" in moment])
async def test_a_failure_is_told_once_to_the_person_alone(moment: str, told: Told) -> None:
    asked, row = told[moment]
    ((message, _),) = asked.ends()
    assert message.ephemeral
    assert list(asked.messages()) == [message]
    assert (row["state"], f"⚠️ {row['error_message']}") == ("failed", message.content)


async def test_no_secret_is_kept(told: Told) -> None:
    for _, row in told.values():
        assert (row["interaction_token"], row["image_url"], row["unsent_answer"]) == (None, None, None)
