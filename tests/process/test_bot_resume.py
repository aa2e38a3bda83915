"""What a bot that is gone left unanswered: the next one answers it in the same message, once."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pipelines
import pytest
from asking import PATIENCE
from bot_process import SCRIPTED, BotProcess, own_bot
from discord_interactions import Asked
from discord_payloads import BOB_ID
from discord_stub import DiscordStub, Upload

from bot.conversation import RESTARTING

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")


def held(tmp_path: Path, name: str = "release") -> tuple[Upload, Path]:
    """A picture whose answer comes once the file of this name exists."""
    release = tmp_path / name
    return Upload("a.png", pipelines.HOLDS + str(release).encode()), release


async def killed_at_work(stub: DiscordStub, bot: BotProcess, upload: Upload, **options: bool) -> Asked:
    asked = await stub.interrogate(upload, **options)
    await bot.until_state("running")
    assert bot.row_of(asked)["interaction_token"] == asked.token
    bot.tell(signal.SIGKILL)
    await bot.end()
    return asked


async def is_answered_once(asked: Asked, bot: BotProcess) -> None:
    """In the message that was promised, and nowhere else."""
    assert await asked.answer() is asked.original
    assert len(asked.everything) == 1
    row = await bot.ended(asked)
    assert (row["state"], row["message_id"]) == ("done", asked.everything[0].id)
    assert {row[name] for name in ("interaction_token", "image_url", "origin", "unsent_answer")} == {None}


async def test_what_a_killed_bot_was_working_on_is_answered_by_the_next_in_the_same_message(tmp_path: Path) -> None:
    upload, release = held(tmp_path)
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        asked = await killed_at_work(stub, bot, upload)
        release.touch()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            await is_answered_once(asked, next_bot)
            assert asked.token not in "\n".join(next_bot.log)
            next_bot.tell(signal.SIGTERM)
            assert await next_bot.end() == 0
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as third_bot:
            edits = len(asked.everything[0].edits)
            await third_bot.until_connected()
            assert (await (await stub.interrogate(Upload("b.png", b"a cat"), by=BOB_ID)).answer()).embeds
            assert len(asked.everything[0].edits) == edits
            assert bot.query("PRAGMA integrity_check") == [{"integrity_check": "ok"}]


async def test_an_answer_that_was_there_is_sent_as_it_was(tmp_path: Path) -> None:
    """The bot is killed while it tries to show what it has found, which is not looked for again."""
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        stub.loses_late = lambda edit: bool(edit.get("embeds"))
        asked = await stub.interrogate(Upload("a.png", b"a cat"))
        async with asyncio.timeout(PATIENCE):
            while not [row for row in bot.rows() if row["unsent_answer"]]:  # noqa: ASYNC110  another process writes
                await asyncio.sleep(0.02)
        bot.query("UPDATE interrogations SET unsent_answer = replace(unsent_answer, 'a cat', 'what was found')")
        bot.tell(signal.SIGKILL)
        await bot.end()
        stub.loses_late = lambda _edit: False
        stub.let_go.set()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            await next_bot.until_logged("is gone on with")
            await is_answered_once(asked, next_bot)
            assert "what was found" in (await asked.answer()).embeds[0]["description"]


async def test_it_is_still_known_where_it_was_asked_and_in_which_language(tmp_path: Path) -> None:
    """A flagged picture is answered between bot and asker as any other, and in a channel to the asker alone."""
    upload, release = held(tmp_path, "release flagged")
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        stub.about_everyone = {"locale": "de"}
        in_channel = await stub.interrogate(upload)
        await bot.until_state("running")
        stub.about_everyone = {"locale": "fr", "context": 1}
        direct = await stub.interrogate(upload, by=BOB_ID)
        await direct.until_deferred()
        bot.tell(signal.SIGKILL)
        await bot.end()
        release.touch()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            await is_answered_once(direct, next_bot)
            assert not (await direct.answer()).ephemeral
            assert "similarité **" in (await direct.answer()).embeds[0]["description"]
            alone = await in_channel.answer()
            assert alone.ephemeral
            assert "Ähnlichkeit **" in alone.embeds[0]["description"]
            await in_channel.until(lambda: not in_channel.seen_by_all())


async def test_each_of_several_pictures_is_answered_in_a_message_of_its_own_by_whichever_bot(tmp_path: Path) -> None:
    """The bot is killed at the second of three: its message is there, that of the third is not yet."""
    upload, release = held(tmp_path)
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        album = stub.post(Upload("1.gif", b"GIF89a cat"), upload, Upload("3.gif", b"GIF89a dog"))
        asked = await stub.choose("Interrogate image", album)
        await bot.until_state("done")
        await bot.until_state("running")
        bot.tell(signal.SIGKILL)
        await bot.end()
        release.touch()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            await next_bot.until_state("done", rows=3)
            await asked.until(lambda: len(asked.everything) > 3)
            assert asked.everything == list(asked.messages())
            *answers, pages = asked.everything
            assert [len(message.embeds) for message in answers] == [1, 1, 1]
            assert [row["message_id"] for row in next_bot.rows()] == [message.id for message in answers]
            assert pages.ephemeral
            assert pages.embeds[0]["title"].endswith("1 of 3")
            assert pages.embeds[0]["thumbnail"]["url"] == answers[0].embeds[0]["thumbnail"]["url"]
            for page in (2, 3):
                turned = await stub.press("▶", pages)
                await turned.until(lambda: pages.embeds[0]["title"].endswith(f"{page} of 3"))  # noqa: B023  at once
            assert pages.embeds[0]["thumbnail"]["url"] == answers[2].embeds[0]["thumbnail"]["url"]


async def test_what_is_too_late_to_be_answered_is_expired_and_in_the_history_it_says_why(tmp_path: Path) -> None:
    upload, _ = held(tmp_path)
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        asked = await killed_at_work(stub, bot, upload)
        assert bot.query("UPDATE interrogations SET token_ends_at = '2026-01-01 00:00:00.000000' RETURNING id")
        edits = len(asked.everything[0].edits)
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            await next_bot.until_connected()
            row = next_bot.row_of(asked)
            assert (row["state"], row["interaction_token"], row["image_url"]) == ("expired", None, None)
            listed = await (await stub.history()).answer()
            assert "Please send the image again" in listed.embeds[0]["description"]
            assert len(asked.everything[0].edits) == edits


async def test_a_picture_that_is_gone_by_then_fails_with_a_sentence(tmp_path: Path) -> None:
    upload, _ = held(tmp_path)
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        asked = await killed_at_work(stub, bot, upload)
        stub.forget_files()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            told = await asked.refusal()
            assert told.ephemeral
            assert "does not have this picture any more" in told.content
            assert (await next_bot.ended(asked))["state"] == "failed"
            assert asked.seen_by_all() == []


async def test_what_a_stop_leaves_says_so_and_is_answered_after_it(tmp_path: Path) -> None:
    upload, release = held(tmp_path)
    async with own_bot(tmp_path, *SCRIPTED, drain_seconds="0") as (stub, bot):
        asked = await stub.interrogate(upload)
        await bot.until_state("running")
        bot.tell(signal.SIGTERM)
        assert await bot.end() == 0
        (message,) = asked.messages()
        assert message.content == RESTARTING
        assert bot.row_of(asked)["state"] == "queued"
        release.touch()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as next_bot:
            await is_answered_once(asked, next_bot)


async def test_a_stop_waits_for_what_has_begun_and_takes_nothing_new(tmp_path: Path) -> None:
    upload, release = held(tmp_path)
    async with own_bot(tmp_path, *SCRIPTED, drain_seconds="30") as (stub, bot):
        asked = await stub.interrogate(upload)
        await bot.until_state("running")
        bot.tell(signal.SIGTERM)
        await bot.until_logged("waiting up to 30 s")
        refused = await (await stub.interrogate(Upload("b.png", b"a cat"), by=BOB_ID)).refusal()
        assert refused.ephemeral
        assert "takes nothing new" in refused.content
        release.touch()
        await is_answered_once(asked, bot)
        assert await bot.end() == 0
        assert "Traceback" not in "\n".join(bot.log)


async def test_of_bots_that_share_a_database_each_goes_on_with_what_those_that_are_gone_left_and_nothing_else(
    tmp_path: Path,
) -> None:
    """The first is killed before the third starts, the second while that one runs."""
    (upload, release), (second_upload, second_release) = held(tmp_path), held(tmp_path, "second")
    async with (
        own_bot(tmp_path, *SCRIPTED, "--look-seconds", "3600") as (stub, first),
        BotProcess.running(stub.url, tmp_path, *SCRIPTED, "--look-seconds", "3600") as second,
    ):
        asked = await stub.interrogate(upload)
        await first.until_state("running")
        await second.until_connected()
        asked_second = await stub.interrogate(second_upload, by=BOB_ID)
        await second.until_state("running", rows=2)
        first.tell(signal.SIGKILL)
        await first.end()
        async with BotProcess.running(stub.url, tmp_path, *SCRIPTED, "--look-seconds", "0.1") as third:
            await third.until_logged("interrogation 1 is gone on with")
            await third.until_connected()
            owners = [row["owner"] for row in third.rows()]
            assert len(set(owners)) == 2
            assert not any("interrogation 2" in line for line in third.log)

            second.tell(signal.SIGKILL)
            await second.end()
            await third.until_logged("interrogation 2 is gone on with")
            release.touch()
            second_release.touch()
            await is_answered_once(asked, third)
            await is_answered_once(asked_second, third)
            assert {row["owner"] for row in third.rows()} == {owners[0]}
