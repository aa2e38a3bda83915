"""The bot as an app that somebody installed for themselves, in a conversation where the bot itself is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pipelines
import pytest
from bot_process import SCRIPTED, own_bot
from discord_stub import BOB_ID, Upload

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")


async def test_it_answers_and_its_buttons_and_history_work(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        stub.own_app = True
        asked = await stub.interrogate(Upload("a.png", b"a cat"), by=BOB_ID)
        answer = await asked.answer()
        assert not answer.ephemeral
        row = await bot.ended(asked)
        assert (row["state"], row["guild_id"], row["user_id"]) == ("done", None, BOB_ID)

        again = await (await stub.press("Fast", answer, by=BOB_ID)).answer()
        assert "a cat" in again.embeds[0]["description"]
        explained = await (await stub.press("Explain", answer, by=BOB_ID)).answer()
        assert explained.ephemeral
        shown = await stub.history(by=BOB_ID)
        await shown.until(lambda: bool(shown.original and shown.original.embeds))
        assert shown.original is not None
        assert "a cat" in shown.original.embeds[0]["description"]
        for command in ("analyze", "compare"):
            assert (await (await stub.use_on(command, Upload("b.png", b"a dog"), by=BOB_ID)).answer()).embeds


async def test_the_pictures_of_a_message_keep_within_what_discord_allows(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, _):
        stub.own_app = True
        images = [Upload(f"{number}.png", b"a cat %d" % number) for number in range(6)]
        images[2] = Upload("2.png", pipelines.UNREADABLE)
        asked = await stub.choose("Interrogate image", stub.post(*images))
        await asked.until(lambda: any("2 more were left out" in message.content for message in asked.messages()))
        shown = [message.embeds[0]["description"] for message in asked.messages() if message.embeds]
        *answers, pages = [text.split("```")[1].strip() for text in shown]
        assert answers == ["a cat 0", "a cat 1", "a cat 3"]
        assert pages == "a cat 0"
        assert len((await asked.refusal()).content) > 0


async def test_an_answer_after_the_token_has_ended_is_in_the_history_alone(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        stub.own_app = True
        release = tmp_path / "release"
        asked = await stub.interrogate(Upload("a.png", pipelines.HOLDS + bytes(release)))
        await bot.until_state("running")
        asked.token_seconds = 0
        release.touch()
        assert (await bot.ended(asked))["state"] == "done"
        assert stub.posts == {}
