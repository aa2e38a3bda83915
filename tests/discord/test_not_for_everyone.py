"""A picture that the classifier flags is answered to its asker alone where anybody may read along."""

from __future__ import annotations

import pytest
import simcord
from worlds import MakeWorld, ScriptedQueue, World, buttons_of, embed_of, interrogation_for, told_alone

from bot.render import NOT_FOR_EVERYONE
from interrogator.types import Done, Event, Job, Measured, Measurement

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")
FLAGGED, FINE = 0.85, 0.75


def rated(nsfw: float | None) -> ScriptedQueue:
    def answered(job: Job) -> Event:
        if job.measure is None:
            return Done(interrogation_for(job, nsfw=nsfw))
        found = Measurement(sha256="0", width=1, height=1, profile="lite", engine="scripted", seconds=0.1, nsfw=nsfw)
        return Measured(found)

    return ScriptedQueue(answered)


def alone(result: simcord.InteractionResult) -> simcord.ResponseMessage:
    """The answer, which nobody else sees."""
    assert result.response is None
    [followup] = result.followups
    assert followup.ephemeral
    assert followup.content == NOT_FOR_EVERYONE
    return followup


async def asked(
    world: World, channel: simcord.ChannelHandle | None = None, **options: object
) -> simcord.InteractionResult:
    return await world.ann.slash(channel or world.channel, "interrogate", image=PNG, **options)


async def test_the_answer_is_private_with_a_reason_and_nothing_stands_in_the_channel(make_world: MakeWorld) -> None:
    world = await make_world(rated(FLAGGED))
    answer = alone(await asked(world))
    assert "a red kite" in (answer.embeds[0].description or "")
    assert answer.embeds[0].thumbnail.url
    assert [message for message in world.channel.history() if message.embeds] == []
    [row] = await world.rows(world.ann)
    assert (row.private, row.nsfw) == (True, FLAGGED)
    theirs = await world.bob.slash(world.channel, "history", user=world.ann)
    assert "a red kite" not in (embed_of(theirs).description or "")


async def test_it_is_not_shared_either(make_world: MakeWorld) -> None:
    world = await make_world(rated(FLAGGED))
    private = await asked(world, private=True)
    assert private.response.ephemeral
    refused = await world.ann.click(private.response, label="Share")
    world.expect_errors()
    assert "age-restricted" in told_alone(refused)
    assert (await world.rows(world.ann))[0].private


@pytest.mark.parametrize("command", ["compare", "analyze"])
async def test_what_is_found_of_it_is_private_too(make_world: MakeWorld, command: str) -> None:
    world = await make_world(rated(FLAGGED))
    alone(await world.ann.slash(world.channel, command, image=PNG))


@pytest.mark.parametrize("nsfw", [FINE, None])
async def test_others_are_answered_in_public(make_world: MakeWorld, nsfw: float | None) -> None:
    world = await make_world(rated(nsfw))
    answer = await asked(world)
    assert not answer.response.ephemeral
    assert "Make private" in buttons_of(answer)


async def test_adults_among_themselves_are_answered_in_public(make_world: MakeWorld) -> None:
    world = await make_world(rated(FLAGGED))
    channel = world.guild.create_text_channel("adults")
    world.bot.get_channel(channel.id).nsfw = True  # simcord has no such channels
    answer = await asked(world, channel)
    assert not answer.response.ephemeral


async def test_whoever_runs_the_bot_decides_from_when(make_world: MakeWorld) -> None:
    world = await make_world(rated(1.0), nsfw_threshold=1)
    assert not (await asked(world)).response.ephemeral


async def test_each_of_several_pictures_is_judged_by_itself(make_world: MakeWorld) -> None:
    scores = iter([FINE, FLAGGED, FINE])
    world = await make_world(ScriptedQueue(lambda job: Done(interrogation_for(job, nsfw=next(scores)))))
    result = await asked(world, image2=PNG, image3=PNG)
    assert not result.response.ephemeral
    *further, together = [followup for followup in result.followups if followup is not None]
    assert [followup.ephemeral for followup in further] == [True, False]
    assert "3 prompts" in together.content
