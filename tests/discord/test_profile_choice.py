"""Several profiles: people choose one, servers another default, buttons keep it."""

from __future__ import annotations

import pytest
from worlds import MakeWorld, ScriptedQueue, World, told_alone

from bot.guild_rules import GuildRules

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


async def with_profiles(make_world: MakeWorld) -> World:
    return await make_world(ScriptedQueue(), further_profiles="sd1, sdxl")


def asked_of(world: World) -> list[str]:
    return [job.options.profile for job in world.bot.queue.jobs]


async def test_the_one_that_is_chosen_answers_and_its_buttons_ask_it_again(make_world: MakeWorld) -> None:
    world = await with_profiles(make_world)
    answer = await world.ann.slash(world.channel, "interrogate", image=PNG, profile="sd1")
    await world.ann.click(answer.response, label="Fast")
    [*_, row] = await world.rows(world.ann)
    shown = await world.ann.slash(world.channel, "history")
    await world.ann.select(shown.response, custom_id="history:again:v1", values=[str(row.id)])
    assert asked_of(world) == ["sd1"] * 3


async def test_the_server_s_default_comes_before_the_bot_s(make_world: MakeWorld) -> None:
    world = await with_profiles(make_world)
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    await world.stores.rulebook.decide(world.guild.id, GuildRules(profile="sdxl"), world.ann.id)
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    await world.ann.slash(world.channel, "interrogate", image=PNG, profile="sd1")
    await world.stores.rulebook.decide(world.guild.id, GuildRules(profile="of last year"), world.ann.id)
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    assert asked_of(world) == ["lite", "sdxl", "sd1", "lite"]


async def test_one_that_is_not_there_is_refused_and_those_that_are_are_named(make_world: MakeWorld) -> None:
    world = await with_profiles(make_world)
    refused = await world.ann.slash(world.channel, "interrogate", image=PNG, profile="sd2")
    world.expect_errors()
    assert "`lite`, `sd1`, `sdxl`" in told_alone(refused)
    assert asked_of(world) == []


@pytest.mark.parametrize(("typed", "names"), [("", ["lite", "sd1", "sdxl"]), ("SD", ["sd1", "sdxl"]), ("x y", [])])
async def test_those_that_are_offered_are_proposed(make_world: MakeWorld, typed: str, names: list[str]) -> None:
    world = await with_profiles(make_world)
    proposed = await world.ann.autocomplete(world.channel, "interrogate", "profile", typed)
    assert [choice["value"] for choice in proposed] == names
