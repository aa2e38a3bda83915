"""Nobody is mentioned, and no button does more than the one who presses it may, whatever its id says."""

from __future__ import annotations

from typing import Any

import discord
import pytest
import simcord
from worlds import MakeWorld, ScriptedQueue, World, answering, told_alone

from bot.boundary import OUTDATED_BUTTON
from bot.views import PICTURE_GONE

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")
EVERYBODY = "@everyone <@&1> <@2> a cat"
MOST = 2**63 - 1


def messages_sent(world: World) -> list[dict[str, Any]]:
    """What the bot wrote, as Discord got it."""
    bodies = [entry.json for entry in world.env.http_requests if isinstance(entry.json, dict)]
    inner = [body.get("data") or body for body in bodies if "custom_id" not in body]
    return [body for body in inner if body.get("content") or body.get("embeds")]


async def show(world: World, custom_id: str) -> discord.Message:
    """A message of the bot with a button of this id, as an attacker would have Discord believe."""
    channel = world.bot.get_channel(world.channel.id)
    assert isinstance(channel, discord.TextChannel)
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Press", custom_id=custom_id))
    return await channel.send("here", view=view)


async def pressed(world: World, who: simcord.MemberActor, custom_id: str) -> simcord.InteractionResult:
    return await who.click(await show(world, custom_id), label="Press")


async def test_no_message_of_the_bot_mentions_anybody(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(answering(prompt=EVERYBODY, caption=EVERYBODY, note=EVERYBODY)))
    first = await world.ann.slash(world.channel, "interrogate", image=PNG)
    await world.bob.click(first.response, label="Best")
    await world.ann.slash(world.channel, "interrogate", image=("@everyone.txt", b"x"))
    await world.ann.slash(world.channel, "history")
    await world.bob.slash(world.channel, "history", user=world.ann)
    await world.ann.slash(world.channel, "help")

    sent = messages_sent(world)
    assert len(sent) >= 6
    for body in sent:
        assert body["allowed_mentions"]["parse"] == [], body
        assert not body["allowed_mentions"].get("users")
        assert not body["allowed_mentions"].get("roles")
    assert not [message for message in world.channel.history(viewer=world.bob) if message.mention_everyone]


@pytest.mark.parametrize(
    "custom_id",
    [
        f"history:v2:{10**20 - 1}:older:1::0:",
        f"history:v2:{MOST + 1}:newer:1::0:a fox",
        "interrogate:v1:nonsense:full",
    ],
)
async def test_an_id_that_no_version_of_the_bot_wrote_is_told(make_world: MakeWorld, custom_id: str) -> None:
    world = await make_world(ScriptedQueue())
    assert told_alone(await pressed(world, world.bob, custom_id)) == f"⚠️ {OUTDATED_BUTTON}"


async def test_a_button_without_a_picture_has_nothing_to_ask_about(make_world: MakeWorld) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    assert told_alone(await pressed(world, world.bob, "interrogate:v1:turbo:full")) == f"⚠️ {PICTURE_GONE}"
    assert queue.jobs == []


async def test_somebody_else_s_id_in_a_button_opens_nothing_of_theirs(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    await world.ann.slash(world.channel, "interrogate", image=PNG, private=True)

    result = await pressed(world, world.bob, f"history:v2:{world.ann.id}:older:{10**18 - 1}::0:")

    assert result.response is not None
    assert "red kite" not in str([embed.description for embed in result.response.embeds])
