"""/settings and /privacy: what admins and people decide holds from the next question on."""

from __future__ import annotations

import json

import discord
import pytest
import pytest_asyncio
import simcord
from worlds import MakeWorld, ScriptedQueue, World, buttons_of, embed_of, facts_of, told_alone

from bot.guild_rules import GuildRules
from interrogator.types import Mode

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


@pytest_asyncio.fixture(loop_scope="session")
async def world(make_world: MakeWorld) -> World:
    return await make_world(ScriptedQueue())


def admin_of(world: World) -> simcord.MemberActor:
    role = world.guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    return world.guild.add_member(world.env.create_user("eve"), roles=[role])


async def ask(world: World, who: simcord.MemberActor, **options: object) -> simcord.InteractionResult:
    return await who.slash(options.pop("channel", world.channel), "interrogate", image=PNG, **options)


async def decide(world: World, **rules: object) -> None:
    await world.bot.rulebook.decide(world.guild.id, GuildRules(**rules), 1)


async def filled(
    world: World, eve: simcord.MemberActor, form: str, values: dict[str, object]
) -> simcord.InteractionResult:
    shown = await eve.slash(world.channel, "settings")
    modal = await eve.click(shown.response, label=form)
    return await eve.submit_modal(modal, values)


async def test_a_form_that_was_open_while_the_bot_restarted_says_to_open_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = admin_of(world)
    shown = await eve.slash(world.channel, "settings")
    modal = await eve.click(shown.response, label="Limits …")
    await world.env.restart_bot(world.restarted())
    monkeypatch.setattr("bot.form._PROCESS", "form:another process:")
    sent = await eve.submit_modal(modal, {"cooldown": "30"})
    assert "restarted while this form was open" in told_alone(sent)
    assert (await world.stores.rulebook.rules(world.guild.id)).cooldown_seconds == 0
    again = await eve.click(shown.response, label="Limits …")
    await eve.submit_modal(again, {"cooldown": "30"})
    assert (await world.stores.rulebook.rules(world.guild.id)).cooldown_seconds == 30


async def test_the_forms_change_each_their_part(world: World) -> None:
    eve = admin_of(world)
    role = world.guild.create_role("artists")
    await filled(world, eve, "Answers …", {"mode": ["best"], "private": True})
    await filled(world, eve, "Who and where …", {"roles": [role], "channels": [world.channel]})
    await filled(world, eve, "Limits …", {"cooldown": "30", "daily": "5"})
    await filled(world, eve, "Words …", {"blocked": "Spider, blood\n gore ", "extra": "Our Style,  by\tus\n"})

    assert await world.bot.rulebook.rules(world.guild.id) == GuildRules(
        mode=Mode.BEST,
        private=True,
        roles=(role.id,),
        channels=(world.channel.id,),
        cooldown_seconds=30,
        daily_limit=5,
        blocked=("spider", "blood", "gore"),
        extra=("Our Style", "by us"),
    )
    await ask(world, eve)
    assert world.bot.queue.jobs[-1].options.extra == ("Our Style", "by us")
    shown = await eve.slash(world.channel, "settings")
    fields = " ".join(field.value for field in embed_of(shown).fields)
    assert all(
        word in fields for word in ("best", f"<@&{role.id}>", f"<#{world.channel.id}>", "30 s", "spider", "Our Style")
    )


async def test_the_profile_is_a_part_of_the_answers_where_there_are_several(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(), further_profiles="sd1")
    eve = admin_of(world)
    await filled(world, eve, "Answers …", {"mode": ["best"], "profile": ["sd1"]})
    assert await world.bot.rulebook.rules(world.guild.id) == GuildRules(mode=Mode.BEST, profile="sd1")
    shown = await eve.slash(world.channel, "settings")
    assert "profile **sd1**" in embed_of(shown).fields[0].value
    await filled(world, eve, "Answers …", {"mode": ["best"], "profile": ["·own"]})
    assert (await world.bot.rulebook.rules(world.guild.id)).profile == ""


async def test_a_number_that_is_none_is_refused(world: World) -> None:
    eve = admin_of(world)
    refused = await filled(world, eve, "Limits …", {"cooldown": "soon"})
    world.expect_errors()
    assert "whole number" in told_alone(refused)
    assert await world.bot.rulebook.rules(world.guild.id) == GuildRules()


async def test_only_who_manages_the_server_changes_its_rules(world: World) -> None:
    with pytest.raises(simcord.backend.errors.SetupError):
        await world.bob.slash(world.channel, "settings")
    [command] = [each for each in await world.bot.tree.fetch_commands() if each.name == "settings"]
    world.guild.set_command_permissions(command, {world.bob: True})  # as careless admins can

    refused = await world.bob.slash(world.channel, "settings")

    world.expect_errors()
    assert "Only people who may manage" in told_alone(refused)


async def test_rules_say_who_may_ask_where(world: World) -> None:
    role = world.guild.create_role("artists")
    elsewhere = world.guild.create_text_channel("elsewhere")
    await decide(world, roles=(role.id,), channels=(world.channel.id,))

    assert "certain roles" in told_alone(await ask(world, world.ann))
    carl = world.guild.add_member(world.env.create_user("carl"), roles=[role])
    assert "`#prompts`" in told_alone(await ask(world, carl, channel=elsewhere))
    world.expect_errors()
    assert facts_of(await ask(world, carl))["mode"] == "turbo"
    assert facts_of(await ask(world, admin_of(world), channel=elsewhere))["mode"] == "turbo"


async def test_rules_shape_what_is_asked(world: World) -> None:
    await decide(world, mode=Mode.BEST, private=True, artists=False, blocked=("spider",))

    assert (await ask(world, world.ann)).response.ephemeral
    await ask(world, world.ann, mode="fast")

    first, second = (job.options for job in world.bot.queue.jobs)
    assert (first.mode, second.mode) == ("best", "fast")
    assert (first.artists, first.blocked, first.unsafe) == (False, ("spider",), False)


@pytest.mark.parametrize(
    ("age_restricted", "safe_only", "unsafe"), [(True, False, True), (True, True, False), (False, False, False)]
)
async def test_words_are_safe_but_where_adults_are_alone_and_admins_allow_others(
    world: World, age_restricted: bool, safe_only: bool, unsafe: bool
) -> None:
    await decide(world, safe_only=safe_only)
    channel = world.guild.create_text_channel("late")
    world.bot.get_channel(channel.id).nsfw = age_restricted  # simcord has no such channels
    await ask(world, world.ann, channel=channel)
    assert world.bot.queue.jobs[0].options.unsafe is unsafe


async def test_a_cooldown_ends_when_its_time_is_over(world: World) -> None:
    await decide(world, cooldown_seconds=30)
    await ask(world, world.ann)
    assert "Please ask again in" in told_alone(await ask(world, world.ann))
    world.expect_errors()
    assert (await ask(world, world.bob)).response is not None
    assert len(world.bot.queue.jobs) == 2


async def test_privacy_exports_what_is_stored(world: World) -> None:
    await ask(world, world.ann)
    shown = await world.ann.slash(world.channel, "privacy")
    assert "never stored" in embed_of(shown).description
    exported = await world.ann.click(shown.response, label="Export")

    assert exported.response.ephemeral
    [file] = exported.response.attachments
    everything = json.loads(await file.read())
    assert file.filename == "interrogator.json"
    assert [row["prompt"] for row in everything["interrogations"]] == ["a red kite, soft light"]


async def test_everything_is_deleted_once_it_is_confirmed(world: World) -> None:
    await ask(world, world.ann)
    await ask(world, world.bob)
    shown = await world.ann.slash(world.channel, "privacy")
    sure = await world.ann.click(shown.response, label="Delete everything …")
    assert len(await world.rows(world.ann)) == 1

    await world.ann.click(sure.response, label="Yes, delete everything")

    assert await world.rows(world.ann) == ()
    assert len(await world.rows(world.bob)) == 1
    assert "Nothing of yours" in told_alone(await world.ann.click(shown.response, label="Delete everything …"))


async def test_who_wants_nothing_kept_is_answered_and_forgotten(world: World) -> None:
    shown = await world.ann.slash(world.channel, "privacy")
    await world.ann.click(shown.response, label="Keep nothing from now on")

    answer = await ask(world, world.ann)

    assert facts_of(answer)["mode"] == "turbo"
    assert await world.rows(world.ann) == ()
    assert "Star" not in " ".join(buttons_of(answer))
    assert facts_of(await world.ann.click(answer.response, label="Best"))["mode"] == "best"
    assert "Only the person" in told_alone(await world.bob.click(answer.response, label="Delete"))
    await world.ann.click(answer.response, label="Delete")
    assert answer.response is None
