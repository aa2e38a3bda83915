"""A subject of one's own in the style of a picture, and prompts that name no artist."""

from __future__ import annotations

import pytest
from worlds import MakeWorld, ScriptedQueue, World, embed_of, facts_of, interrogation_for, prompt_of, told_alone

from bot.guild_rules import GuildRules
from interrogator.types import Done, Embedded, Event, Job

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


def in_style(job: Job) -> Event:
    subject = job.options.subject
    return Done(interrogation_for(job, subject=subject, prompt=f"{subject or 'a red kite'}, soft light"))


async def scripted(make_world: MakeWorld) -> World:
    return await make_world(ScriptedQueue(in_style))


async def test_the_real_models_put_it_into_the_style(world: World, samples: dict[str, bytes]) -> None:
    answer = await world.ann.slash(
        world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]), subject="a `tin` robot"
    )
    assert prompt_of(answer).startswith("a 'tin' robot, ")
    assert "cat" not in prompt_of(answer)
    assert embed_of(answer).title == "Your subject in this style"
    assert facts_of(answer)["mode"] == "turbo, another subject"

    best = await world.ann.click(answer.response, label="Best")
    assert prompt_of(best).startswith("a 'tin' robot, ")
    explained = await world.ann.click(answer.response, label="Explain")
    assert prompt_of(explained) == prompt_of(answer)
    for label in ("Caption", "Style only", "Negative"):
        own = await world.ann.click(answer.response, label=label)
        assert "robot" not in prompt_of(own)
    assert [row.subject for row in await world.rows(world.ann)] == ["", "", "", "a 'tin' robot", "a 'tin' robot"]


async def test_it_is_there_again_when_the_answer_is_run_again(make_world: MakeWorld) -> None:
    world = await scripted(make_world)
    await world.ann.slash(world.channel, "interrogate", image=PNG, subject="a robot", artists=False)
    shown = await world.ann.slash(world.channel, "history")
    [row] = await world.rows(world.ann)
    again = await world.ann.select(shown.response, custom_id="history:again:v1", values=[str(row.id)])

    assert prompt_of(again) == "a robot, soft light"
    assert [(job.options.subject, job.options.artists) for job in world.bot.queue.jobs] == [("a robot", False)] * 2


@pytest.mark.parametrize("options", [{"mode": "caption"}, {"mode": "negative"}, {"style_only": True}], ids=str)
async def test_what_has_no_style_is_refused(make_world: MakeWorld, options: dict[str, object]) -> None:
    world = await scripted(make_world)
    refused = await world.ann.slash(world.channel, "interrogate", image=PNG, subject="a robot", **options)
    assert "style" in told_alone(refused).lower()
    assert world.bot.queue.jobs == []


@pytest.mark.parametrize(("subject", "why"), [("a Robot dog", "does not want"), ("a nude", "age-restricted")])
async def test_words_that_no_prompt_may_have_are_refused(make_world: MakeWorld, subject: str, why: str) -> None:
    world = await scripted(make_world)
    await world.stores.rulebook.decide(world.guild.id, GuildRules(blocked=("robot",)), world.ann.id)
    refused = await world.ann.slash(world.channel, "interrogate", image=PNG, subject=subject)
    assert why in told_alone(refused)
    assert world.bot.queue.jobs == []
    world.expect_errors()


async def test_no_artist_is_named_by_the_buttons_of_such_an_answer(make_world: MakeWorld) -> None:
    world = await scripted(make_world)
    answer = await world.ann.slash(world.channel, "interrogate", image=PNG, artists=False)
    await world.ann.click(answer.response, label="Fast")
    await world.ann.click(answer.response, label="Style only")
    assert [job.options.artists for job in world.bot.queue.jobs] == [False] * 3


async def test_a_file_does_not_say_what_the_subject_is(make_world: MakeWorld) -> None:
    def carrying(job: Job) -> Event:
        return Done(interrogation_for(job, embedded=Embedded("A1111", "\nSubject: `a stranger`\n")))

    world = await make_world(ScriptedQueue(carrying))
    answer = await world.ann.slash(world.channel, "interrogate", image=PNG)
    assert "Subject: `a stranger`" in (embed_of(answer).description or "")
    await world.ann.click(answer.response, label="Fast")
    assert [job.options.subject for job in world.bot.queue.jobs] == ["", ""]
