"""/history: one's own everywhere, others' only what they asked publicly in the same server."""

from __future__ import annotations

import discord
import pytest
import simcord
from worlds import MakeWorld, ScriptedQueue, World, answering, told_alone

from interrogator.types import Failed, Mode

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


def text_of(result: simcord.InteractionResult) -> str:
    assert result.response is not None
    assert result.response.ephemeral
    [embed] = result.response.embeds
    return embed.description or ""


async def ask(
    world: World,
    who: simcord.MemberActor,
    prompt: str,
    channel: simcord.ChannelHandle | None = None,
    **options: object,
) -> None:
    world.bot.queue.events = (answering(prompt=prompt),)
    await who.slash(channel or world.channel, "interrogate", image=PNG, **options)


def closed_to(who: simcord.MemberActor, world: World, **permissions: bool) -> simcord.ChannelHandle:
    """A channel with all the others in it."""
    denied = discord.PermissionOverwrite(**permissions)
    return world.guild.create_text_channel("closed", overwrites={who: denied})


async def test_an_empty_history_says_how_to_begin(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    assert "/interrogate" in text_of(await world.ann.slash(world.channel, "history"))


async def test_entries_show_prompt_mode_similarity_and_a_link(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    answer = await world.ann.slash(world.channel, "interrogate", image=PNG, mode="best")

    text = text_of(await world.ann.slash(world.channel, "history"))

    assert "`a red kite, soft light`" in text
    assert "**best** · 0.312" in text
    assert "<t:" in text
    assert f"https://discord.com/channels/{world.guild.id}/{world.channel.id}/{answer.response.id}" in text


async def test_a_failure_is_told_with_its_reason(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(Failed("deadline", "There was not enough time.")))
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    assert "There was not enough time." in text_of(await world.ann.slash(world.channel, "history"))


async def test_pages_are_turned_in_place_both_ways(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(), history_page_size=2)
    for number in range(5):
        await ask(world, world.ann, f"kite number {number}")

    shown = await world.ann.slash(world.channel, "history")
    pages = [text_of(shown)]
    for label in ("Older", "Older", "Newer", "Newer"):
        await world.ann.click(shown.response, label=label)
        pages.append(text_of(shown))

    numbers = [[number for number in range(5) if f"kite number {number}" in page] for page in pages]
    assert numbers == [[3, 4], [1, 2], [0], [1, 2], [3, 4]]


async def test_others_see_only_what_was_asked_publicly_in_this_server(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    await ask(world, world.ann, "public kite")
    await ask(world, world.ann, "secret kite", private=True)
    elsewhere = world.env.create_guild("Elsewhere")
    den = elsewhere.create_text_channel("den")
    ann_elsewhere, bob_elsewhere = (elsewhere.add_member(person.user) for person in (world.ann, world.bob))

    here = text_of(await world.bob.slash(world.channel, "history", user=world.ann))
    assert "public kite" in here
    assert "secret kite" not in here
    assert "publicly" in text_of(await bob_elsewhere.slash(den, "history", user=ann_elsewhere))
    own = text_of(await ann_elsewhere.slash(den, "history"))
    assert "public kite" in own
    assert "secret kite" in own


@pytest.mark.parametrize("denied", ["view_channel", "read_message_history"])
async def test_others_do_not_see_what_was_asked_in_a_channel_that_is_closed_to_them(
    make_world: MakeWorld, denied: str
) -> None:
    world = await make_world(ScriptedQueue())
    closed = closed_to(world.bob, world, **{denied: False})
    cid = world.guild.add_member(world.env.create_user("cid"))
    await ask(world, world.ann, "open kite")
    await ask(world, world.ann, "closed kite", closed)

    seen_by_bob = text_of(await world.bob.slash(world.channel, "history", user=world.ann))
    assert "open kite" in seen_by_bob
    assert "closed kite" not in seen_by_bob
    assert "closed kite" in text_of(await cid.slash(world.channel, "history", user=world.ann))


async def test_in_a_server_without_the_bot_others_see_this_channel_alone(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(ScriptedQueue())
    other = world.guild.create_text_channel("other")
    await ask(world, world.ann, "kite here")
    await ask(world, world.ann, "kite elsewhere", other)
    monkeypatch.setattr(world.bot, "get_guild", lambda _id: None)

    text = text_of(await world.bob.slash(world.channel, "history", user=world.ann))

    assert "kite here" in text
    assert "kite elsewhere" not in text


async def test_in_direct_messages_only_ones_own_can_be_seen(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    await ask(world, world.ann, "public kite")
    await world.bob.user.send_dm("hello")

    assert "your own history only" in text_of(await world.bob.user.slash("history", user=world.ann.user))


async def test_a_page_that_is_gone_says_so(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(), history_page_size=1)
    for number in range(2):
        await ask(world, world.ann, f"kite number {number}")
    shown = await world.ann.slash(world.channel, "history")
    from sqlalchemy import delete

    from bot.models import InterrogationRow

    async with world.history._database.transaction() as session:
        await session.execute(delete(InterrogationRow))

    await world.ann.click(shown.response, label="Older")

    assert "Use /history to begin again" in text_of(shown)


async def test_help_names_every_command_and_mode(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    result = await world.ann.slash(world.channel, "help")
    assert result.response.ephemeral
    [embed] = result.response.embeds
    fields = {field.name: field.value for field in embed.fields}
    for mode in Mode:
        assert f"**{mode.value}** " in fields["Modes"]
    named = fields["Commands"] + fields["On a message with pictures"]
    for command in world.bot.tree.get_commands():
        assert command.name in named
    assert told_alone(result) == ""


async def test_help_says_of_privacy_what_is_so(make_world: MakeWorld) -> None:
    """Each half of the sentence beside what it is about."""
    world = await make_world(ScriptedQueue())
    await ask(world, world.ann, "open kite")
    [embed] = (await world.ann.slash(world.channel, "help")).response.embeds
    [privacy] = [field.value for field in embed.fields if field.name == "Privacy"]

    assert "Pictures are not stored" in privacy
    kept = [path for path in world.bot.settings.data_dir.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if PNG[1] in path.read_bytes()]
    assert "publicly in a channel that they can read" in privacy
    closed = closed_to(world.bob, world, view_channel=False)
    await ask(world, world.ann, "closed kite", closed)
    assert "closed kite" not in text_of(await world.bob.slash(world.channel, "history", user=world.ann))
