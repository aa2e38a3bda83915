"""/compare, /score and /analyze, Explain, and Edit and re-score."""

from __future__ import annotations

import re

import discord
import pytest
import simcord
from worlds import MakeWorld, ScriptedQueue, World, buttons_of, embed_of, interrogation_for, prompt_of, told_alone

from bot.guild_rules import GuildRules
from interrogator.types import (
    Contribution,
    Done,
    Event,
    Explanation,
    Failed,
    Group,
    Job,
    Measured,
    Measurement,
    Mode,
)

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


def measuring(job: Job) -> Event:
    """A prompt of n phrases has a similarity of n/10, each phrase adds 0.1; a job without a measure is answered."""
    measure = job.measure
    if measure is None:
        return Done(interrogation_for(job))
    explanations = [
        Explanation(
            similarity=(prompt.count(",") + 1) / 10,
            phrases=tuple(Contribution(phrase.strip(), prompt.count(",") / 10, 0.1) for phrase in prompt.split(",")),
        )
        for prompt in measure.prompts
    ]
    groups = [Group("light", (("soft *light*", 0.25), ("hard light", 0.125)))] if measure.top else []
    return Measured(
        Measurement(
            sha256="0" * 64,
            width=8,
            height=8,
            profile=job.options.profile,
            engine="scripted",
            explanations=tuple(explanations),
            groups=tuple(groups),
            seconds=0.5,
        )
    )


def files_of(result: simcord.InteractionResult) -> set[str]:
    return {file.filename for file in result.response.attachments}


def attachments_and_media(result: simcord.InteractionResult) -> set[str]:
    embed = embed_of(result)
    return files_of(result) | {media.url for media in (embed.image, embed.thumbnail) if media.url}


def score_of(result: simcord.InteractionResult) -> float:
    found = re.search(r"similarity \*\*(.*?)\*\*", embed_of(result).description or "")
    assert found is not None
    return float(found[1])


@pytest.fixture
def picture(samples: dict[str, bytes]) -> tuple[str, bytes]:
    name = sorted(samples)[0]
    return name, samples[name]


async def test_explain_measures_what_the_answer_says(world: World, picture: tuple[str, bytes]) -> None:
    answer = await world.ann.slash(world.channel, "interrogate", image=picture)
    explained = await world.bob.click(answer.response, label="Explain")

    assert explained.response.ephemeral
    assert prompt_of(explained) == prompt_of(answer)
    assert score_of(explained) == pytest.approx(score_of(answer), abs=0.0011)
    assert "phrases.png" in files_of(explained)
    assert list(buttons_of(explained)) == ["Edit …"]
    assert len(await world.rows(world.bob)) == 0


async def test_an_edited_prompt_is_compared_and_may_be_edited_again(world: World, picture: tuple[str, bytes]) -> None:
    answer = await world.ann.slash(world.channel, "interrogate", image=picture)
    form = await world.ann.click(answer.response, label="Edit …")
    edited = await world.ann.submit_modal(form, {"prompt": "a spaceship in a desert"})

    assert edited.response.ephemeral
    assert prompt_of(edited) == "a spaceship in a desert"
    text = embed_of(edited).description or ""
    assert f"before **{score_of(answer):.3f}**" in text
    assert score_of(edited) < score_of(answer)
    assert "difference **-" in text

    again = await world.ann.click(edited.response, label="Edit …")
    back = await world.ann.submit_modal(again, {"prompt": prompt_of(answer)})
    assert score_of(back) == pytest.approx(score_of(answer), abs=0.0011)
    assert "difference **+" in (embed_of(back).description or "")


async def test_a_prompt_of_one_s_own_is_scored_for_its_writer_alone(world: World, picture: tuple[str, bytes]) -> None:
    scored = await world.ann.slash(world.channel, "score", image=picture, prompt="a cat, ,  `furry` ears")

    assert scored.response.ephemeral
    assert prompt_of(scored) == "a cat, , `furry` ears"
    assert 0 < score_of(scored) <= 1
    assert len(await world.rows(world.ann)) == 0


@pytest.mark.parametrize("prompt", [" , ,", "\u200b", ","])
async def test_a_prompt_without_words_is_refused(make_world: MakeWorld, prompt: str) -> None:
    world = await make_world(ScriptedQueue(measuring))
    refused = await world.ann.slash(world.channel, "score", image=PNG, prompt=prompt)
    assert "write at least one word" in told_alone(refused)
    assert world.bot.queue.jobs == []
    world.expect_errors()


async def test_what_is_near_is_told_by_kind(world: World, picture: tuple[str, bytes]) -> None:
    analysed = await world.ann.slash(world.channel, "analyze", image=picture)

    text = embed_of(analysed).description or ""
    groups = re.findall(r"^\*\*(.+?)\*\* (.+)$", text, re.MULTILINE)
    assert len(groups) > 3
    for _, line in groups:
        values = [float(value) for value in re.findall(r"(-?\d\.\d{3})(?: ·|$)", line)]
        assert values == sorted(values, reverse=True)
    assert "phrases.png" in files_of(analysed)
    assert not analysed.response.ephemeral


async def test_an_answer_in_the_menu_of_a_message_is_the_picture_that_it_is_about(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(measuring))
    analysed = await world.ann.slash(world.channel, "analyze", image=PNG)
    assert len(attachments_and_media(analysed)) > 1
    asked = await world.bob.context_menu(world.channel, "Interrogate image", analysed.response)
    assert prompt_of(asked)
    assert asked.followups == []
    assert world.bot.queue.jobs[-1].image == PNG[1]
    assert len(world.bot.queue.jobs) == 2


async def test_a_chart_is_no_picture_to_be_asked_about(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make_world(ScriptedQueue(measuring))
    monkeypatch.setattr(discord.Interaction, "filesize_limit", property(lambda _: 10, lambda *_: None))
    monkeypatch.setattr("bot.attachments.shown_name", lambda _image: ("image", False))
    analysed = await world.ann.slash(world.channel, "analyze", image=PNG)
    refused = await world.bob.context_menu(world.channel, "Interrogate image", analysed.response)
    assert "There is no picture in this message" in told_alone(refused)


async def test_modes_are_compared_and_the_most_similar_is_marked(world: World, picture: tuple[str, bytes]) -> None:
    compared = await world.ann.slash(world.channel, "compare", image=picture, private=True)

    assert compared.response.ephemeral
    text = embed_of(compared).description or ""
    found = re.findall(r"^(▲ )?\*\*(\w+)\*\* · similarity \*\*(.*?)\*\*", text, re.MULTILINE)
    assert [mode for _, mode, _ in found] == ["caption", "classic", "fast", "turbo", "best"]
    highest = max(float(similarity) for *_, similarity in found)
    assert all(float(similarity) == highest for mark, _, similarity in found if mark)
    assert any(mark for mark, *_ in found)
    pressed = await world.ann.click(compared.response, label="Best")
    assert prompt_of(pressed) in text


async def test_a_mode_that_fails_is_told_of_beside_the_others(make_world: MakeWorld) -> None:
    def all_but_turbo(job: Job) -> Event:
        return Failed("device_memory", "Too large for [me].") if job.options.mode is Mode.TURBO else measuring(job)

    world = await make_world(ScriptedQueue(all_but_turbo))
    compared = await world.ann.slash(world.channel, "compare", image=PNG)

    text = embed_of(compared).description or ""
    assert "**turbo** · ⚠️ Too large for" in text
    assert text.count("similarity **") == 4


@pytest.mark.parametrize("command", ["compare", "score", "analyze"])
async def test_a_failure_is_told_to_the_asker_alone(make_world: MakeWorld, command: str) -> None:
    world = await make_world(ScriptedQueue(Failed("unreadable_image", "This file is not an image.")))
    options = {"prompt": "a kite"} if command == "score" else {}
    refused = await world.ann.slash(world.channel, command, image=PNG, **options)
    assert "This file is not an image." in told_alone(refused)


@pytest.mark.parametrize("command", ["compare", "score", "analyze"])
async def test_the_rules_of_the_server_hold(make_world: MakeWorld, command: str) -> None:
    world = await make_world(ScriptedQueue(measuring))
    elsewhere = world.guild.create_text_channel("elsewhere")
    rules = GuildRules(channels=(world.channel.id,), daily_limit=1, private=True, blocked=("kite",), artists=False)
    await world.stores.rulebook.decide(world.guild.id, rules, world.ann.id)
    options = {"prompt": "a kite"} if command == "score" else {}

    assert "certain channels" in told_alone(await world.bob.slash(elsewhere, command, image=PNG, **options))
    answered = await world.bob.slash(world.channel, command, image=PNG, **options)
    assert answered.response.ephemeral
    assert "come back tomorrow" in told_alone(await world.bob.slash(world.channel, command, image=PNG, **options))
    world.expect_errors()
    for job in world.bot.queue.jobs:
        assert job.options.blocked == ("kite",)
        assert not job.options.artists
        assert not job.options.unsafe


async def test_words_of_lists_do_nothing_in_a_message(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(measuring))
    analysed = await world.ann.slash(world.channel, "analyze", image=PNG)
    assert r"soft \*light\* 0.250" in (embed_of(analysed).description or "")


async def test_a_long_prompt_is_measured_whole_after_it_was_shared(make_world: MakeWorld) -> None:
    long = ", ".join(f"thing number {number}" for number in range(300))
    world = await make_world(
        ScriptedQueue(lambda job: measuring(job) if job.measure else Done(interrogation_for(job, prompt=long)))
    )
    private = await world.ann.slash(world.channel, "interrogate", image=PNG, private=True)
    shared = await world.ann.click(private.response, label="Share")
    assert "prompt.txt" in files_of(shared)
    await world.ann.click(shared.response, label="Explain")
    assert world.bot.queue.jobs[-1].measure.prompts == (long,)


async def test_nobody_is_sent_to_a_history_that_has_nothing_of_it(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(measuring))
    world.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=503, times=2)
    refused = await world.ann.slash(world.channel, "analyze", image=PNG)
    assert "try again" in told_alone(refused)
    assert "/history" not in told_alone(refused)
