"""`python -m bot run` as a process, over real HTTP and a real websocket, with a stand-in for Discord."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pipelines
import pytest
import pytest_asyncio
from bot_process import SCRIPTED, BotProcess, own_bot
from discord_interactions import Asked
from discord_payloads import ANN_ID, BOB_ID, Json
from discord_stub import TOKEN, DiscordStub, Trouble, Upload
from rude_servers import rude, unused_address

from bot.samples import read_sample

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc"),
]

PRIVILEGED = discord.Intents(members=True, presences=True, message_content=True)
TOO_LARGE = bytes(2**20 + 1)  # for the bots of these tests


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stub() -> AsyncIterator[DiscordStub]:
    async with DiscordStub.running() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bot(
    stub: DiscordStub, tmp_path_factory: pytest.TempPathFactory, lite_embedded: None
) -> AsyncIterator[BotProcess]:
    """With the real worker and the real models."""
    folder = tmp_path_factory.mktemp("bot")
    async with BotProcess.running(stub.url, folder) as running:
        await running.until_connected()
        yield running
        running.tell(signal.SIGTERM)
        assert await running.end() == 0
        assert "Traceback" not in "\n".join(running.log)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def impatient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[DiscordStub, BotProcess]]:
    """A bot that waits three seconds for a picture and half a second for a lost connection, with a Discord of its
    own."""
    folder = tmp_path_factory.mktemp("impatient")
    async with own_bot(folder, *SCRIPTED, "--download-seconds", "3", "--lost-seconds", "0.5") as (own_stub, running):
        yield own_stub, running
        assert "Traceback" not in "\n".join(running.log)


def photo(name: str, trouble: Trouble | None = None) -> Upload:
    return Upload("holiday.jpg", read_sample(name), "image/jpeg", trouble=trouble)


def keeps(_edit: Json) -> bool:
    """No edit is lost."""
    return False


# Starting


async def test_it_identifies_without_privileged_intents_and_keeps_the_connection(
    stub: DiscordStub, bot: BotProcess
) -> None:
    (identity,) = stub.gateway.identified
    assert identity["intents"] & PRIVILEGED.value == 0
    assert identity["intents"] & discord.Intents(guilds=True).value
    await stub.gateway.until_heartbeats(3)


async def test_it_registers_its_commands_for_servers_and_for_people(stub: DiscordStub, bot: BotProcess) -> None:
    (commands,) = stub.registrations
    assert {command["name"] for command in commands} == {
        "interrogate",
        "compare",
        "score",
        "analyze",
        "history",
        "favorites",
        "export",
        "queue",
        "settings",
        "privacy",
        "help",
        "Interrogate image",
        "Style only",
    }
    for command in commands:
        assert sorted(command["integration_types"]) == [0, 1]
        assert sorted(command["contexts"]) == ([0] if command["name"] == "settings" else [0, 1, 2])


async def test_it_registers_its_commands_again_only_when_they_have_changed(tmp_path: Path) -> None:
    async with DiscordStub.running() as stub:
        for expected in (1, 1, 2):
            async with BotProcess.running(stub.url, tmp_path, *SCRIPTED) as bot:
                await bot.until_connected()
                assert len(stub.registrations) == expected
                bot.tell(signal.SIGTERM)
                assert await bot.end() == 0
            if len(stub.gateway.identified) == 2:
                assert bot.query("UPDATE bot_state SET value = 'of another version' RETURNING key")
                stub.portal.forget_commands()


@pytest.mark.parametrize("trouble", ["token", "unreachable", "hung up"])
async def test_what_keeps_it_from_starting_is_one_sentence_and_status_1(trouble: str, tmp_path: Path) -> None:
    async with DiscordStub.running() as stub, rude() as hanging_up:
        addresses = {"token": stub.url, "unreachable": unused_address(), "hung up": hanging_up}
        token = "expired" if trouble == "token" else TOKEN
        address = addresses[trouble]
        async with BotProcess.running(address, tmp_path, *SCRIPTED, token=token, level="WARNING") as bot:
            assert await bot.end() == 1
            assert len(bot.log) == 1, bot.log
            (sentence,) = bot.log
            assert ("accept the token" if trouble == "token" else "Discord cannot be reached") in sentence
            assert bot.processes() == []


async def test_without_a_token_it_says_where_to_put_one(tmp_path: Path) -> None:
    async with BotProcess.running(unused_address(), tmp_path, token="") as bot:
        assert await bot.end() == 2
        (sentence,) = bot.log
        assert "INTERROGATOR_TOKEN" in sentence


async def test_a_profile_that_there_is_not_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/local.toml").write_text('profile = "sd15"')
    async with BotProcess.running(unused_address(), tmp_path) as bot:
        assert await bot.end() == 2
        assert bot.log == ["profile is 'sd15'; it must be one of lite, sd1, sd2, sdxl, or of the file profiles."]


# Answering


async def test_a_picture_is_answered_with_a_prompt_that_names_it(stub: DiscordStub, bot: BotProcess) -> None:
    asked = await stub.interrogate(photo("cat.jpg"))
    assert await asked.until_deferred() < 3
    message = await asked.answer()
    assert message is asked.original
    (embed,) = message.embeds
    _, prompt, _ = embed["description"].split("```")
    assert "cat" in prompt
    assert not message.ephemeral
    row = await bot.ended(asked)
    assert (row["state"], row["prompt"]) == ("done", prompt.strip())
    assert (row["interaction_token"], row["image_url"]) == (None, None)


async def test_a_private_question_is_answered_to_the_person_alone(stub: DiscordStub, bot: BotProcess) -> None:
    asked = await stub.interrogate(photo("cat.jpg"), private=True)
    assert (await asked.answer()).ephemeral
    assert all(message.ephemeral for message in asked.everything)
    assert (await bot.ended(asked))["private"]


async def test_a_button_is_answered_from_the_picture_in_its_message(stub: DiscordStub, bot: BotProcess) -> None:
    first = await (await stub.interrogate(photo("cat.jpg"))).answer()
    asked = await stub.press("Caption", first)
    assert await asked.until_deferred() < 3
    (embed,) = (await asked.answer()).embeds
    assert embed["title"] == "Caption"
    assert "cat" in embed["description"]
    assert first.embeds[0]["title"] == "Prompt"


async def test_somebody_else_who_presses_a_button_alone_sees_the_answer(stub: DiscordStub, bot: BotProcess) -> None:
    first = await (await stub.interrogate(photo("cat.jpg"))).answer()
    asked = await stub.press("Negative", first, by=BOB_ID)
    assert (await asked.answer()).ephemeral
    assert (await bot.ended(asked))["user_id"] == BOB_ID


async def test_two_at_once_each_get_their_own_answer(stub: DiscordStub, bot: BotProcess) -> None:
    pictures = {"cat.jpg": "cat", "coffee.jpg": "coffee"}
    questions = [
        await stub.interrogate(photo(name), by=by) for name, by in zip(pictures, (ANN_ID, BOB_ID), strict=True)
    ]
    answers = await asyncio.gather(*(asked.answer() for asked in questions))
    for message, subject in zip(answers, pictures.values(), strict=True):
        assert subject in message.embeds[0]["description"]


async def test_the_menu_of_a_message_answers_its_picture(stub: DiscordStub, bot: BotProcess) -> None:
    first = await (await stub.interrogate(photo("coffee.jpg"))).answer()
    asked = await stub.choose("Interrogate image", first, by=BOB_ID)
    assert await asked.until_deferred() < 3
    assert "coffee" in (await asked.answer()).embeds[0]["description"]


async def test_what_was_answered_is_in_the_history_of_the_one_who_asked(stub: DiscordStub, bot: BotProcess) -> None:
    asked = await stub.interrogate(photo("coffee.jpg"), by=BOB_ID)
    await asked.answer()
    row = await bot.ended(asked)
    listed = await (await stub.history(by=BOB_ID)).answer()
    assert listed.ephemeral
    assert row["prompt"][:40] in listed.embeds[0]["description"]


# Refusing


BAD_FILES = {
    "a text": (Upload("notes.png", b"Dear diary, today I was a picture."), "unreadable_image", "not a picture"),
    "gone": (photo("cat.jpg", trouble=Trouble.MISSING), "unreadable_image", "any more"),
    "cut off": (photo("cat.jpg", trouble=Trouble.CUT), "unreadable_image", "try again"),
    "endless": (photo("cat.jpg", trouble=Trouble.ENDLESS), "image_too_large", "1 MiB"),
    "larger than declared": (Upload("big.png", TOO_LARGE, declared_size=1000), "image_too_large", "1 MiB"),
}


@pytest.mark.parametrize("case", BAD_FILES)
async def test_a_bad_file_gets_a_sentence_that_its_sender_alone_sees(
    case: str, stub: DiscordStub, bot: BotProcess
) -> None:
    upload, kind, words = BAD_FILES[case]
    asked = await stub.interrogate(upload)
    await asked.until_deferred()
    await is_refused(asked, bot, kind, words)


async def test_a_file_that_never_comes_whole_is_refused_too(impatient: tuple[DiscordStub, BotProcess]) -> None:
    stub, bot = impatient
    asked = await stub.interrogate(photo("cat.jpg", trouble=Trouble.HANGING))
    await is_refused(asked, bot, "unreadable_image", "took too long")


async def is_refused(asked: Asked, bot: BotProcess, kind: str, words: str) -> None:
    told = await asked.refusal()
    assert told.ephemeral
    assert words in told.content
    row = await bot.ended(asked)
    assert asked.seen_by_all() == []
    assert (row["state"], row["error_kind"]) == ("failed", kind)
    assert (row["interaction_token"], row["image_url"]) == (None, None)


async def test_a_button_whose_picture_is_gone_asks_for_it_again(stub: DiscordStub, bot: BotProcess) -> None:
    first = await (await stub.interrogate(photo("cat.jpg"))).answer()
    stub.forget_files()
    told = await (await stub.press("Caption", first)).refusal()
    assert "does not have this picture any more" in told.content


async def test_a_file_larger_than_allowed_is_refused_before_it_is_asked_for(stub: DiscordStub, bot: BotProcess) -> None:
    asked = await stub.interrogate(Upload("big.png", TOO_LARGE, trouble=Trouble.HANGING))
    told = await asked.refusal()
    assert told.ephemeral
    assert not asked.deferred
    assert "1 MiB" in told.content


async def test_a_download_that_hangs_holds_up_nobody_else(impatient: tuple[DiscordStub, BotProcess]) -> None:
    stub, _ = impatient
    hanging = await stub.interrogate(photo("cat.jpg", trouble=Trouble.HANGING))
    asked = await stub.interrogate(Upload("a.png", b"a cat"), by=BOB_ID)
    assert (await asked.answer()).embeds
    await hanging.refusal()


async def test_more_than_one_s_share_is_refused_before_it_is_read(impatient: tuple[DiscordStub, BotProcess]) -> None:
    stub, bot = impatient
    asked = [await stub.interrogate(photo("cat.jpg", trouble=Trouble.HANGING)) for _ in range(4)]
    told = [(await one.refusal()).content for one in asked]
    kinds = [(await bot.ended(one))["error_kind"] for one in asked]
    assert sorted(kinds) == ["queue_full", "unreadable_image", "unreadable_image", "unreadable_image"]
    assert "You have 3 images in the queue" in told[kinds.index("queue_full")]
    assert sum("took too long" in sentence for sentence in told) == 3
    again = await stub.interrogate(Upload("a.png", b"a cat"))
    assert (await again.answer()).embeds


# Losing the connection


async def test_a_connection_lost_at_an_edit_does_not_lose_the_answer(stub: DiscordStub, bot: BotProcess) -> None:
    lost: list[Json] = []

    def until_the_first_answer(edit: Json) -> bool:
        answered = any(earlier.get("embeds") for earlier in lost)
        lost.append(edit)
        return not answered

    stub.loses = until_the_first_answer
    asked = await stub.interrogate(photo("cat.jpg"))
    assert "cat" in (await asked.answer()).embeds[0]["description"]
    assert any(edit.get("embeds") for edit in lost[:-1])
    stub.loses = keeps


async def test_an_answer_that_cannot_be_shown_is_in_the_history(impatient: tuple[DiscordStub, BotProcess]) -> None:
    stub, bot = impatient
    stub.loses = lambda _edit: True
    asked = await stub.interrogate(Upload("a.png", b"never shown"))
    await bot.until_logged(f"interaction {asked.id}: the answer could not be shown")
    stub.loses = keeps
    row = await bot.ended(asked)
    assert row["state"] == "done"
    listed = await (await stub.history()).answer()
    assert row["prompt"][:40] in listed.embeds[0]["description"]


async def test_a_broken_gateway_connection_is_resumed_while_a_job_goes_on(stub: DiscordStub, bot: BotProcess) -> None:
    asked = await stub.interrogate(photo("cat.jpg"))
    await asked.until_deferred()
    await stub.gateway.close(4000)
    await stub.gateway.until_resumed()
    await asked.answer()
    await (await stub.interrogate(photo("coffee.jpg"))).answer()
    assert len(stub.gateway.identified) == 1


async def test_a_token_that_is_reset_while_it_runs_ends_it_with_a_sentence(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED, drain_seconds="0") as (stub, bot):
        asked = await stub.interrogate(Upload("a.png", pipelines.WAITS))
        await bot.until_state("running")
        await stub.gateway.close(4004)
        assert await bot.end() == 1
        assert "does not accept the token" in bot.log[-1]
        assert "Traceback" not in "\n".join(bot.log)
        assert bot.row_of(asked)["state"] == "queued"
        assert bot.processes() == []
