"""What the owner of an answer may do with it, and that nobody else may."""

from __future__ import annotations

import discord
import pytest
import pytest_asyncio
import simcord
from worlds import MakeWorld, ScriptedQueue, World, answering, buttons_of, embed_of, told_alone

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


@pytest_asyncio.fixture(loop_scope="session")
async def world(make_world: MakeWorld) -> World:
    return await make_world(ScriptedQueue())


async def asked(world: World, **options: object) -> simcord.InteractionResult:
    return await world.ann.slash(world.channel, "interrogate", image=PNG, **options)


async def shown_in(world: World) -> list[int]:
    return [message.id for message in world.channel.history()]


async def history_text(world: World, who: simcord.MemberActor, command: str, **options: object) -> str:
    result = await who.slash(world.channel, command, **options)
    assert result.response.ephemeral
    return embed_of(result).description or ""


async def test_a_starred_answer_is_among_the_favorites_until_it_is_not(world: World) -> None:
    answer = await asked(world)

    await world.ann.click(answer.response, label="☆ Star")
    assert "a red kite" in await history_text(world, world.ann, "favorites")
    assert "★" in await history_text(world, world.ann, "history", starred=True)

    await world.ann.click(answer.response, label="★ Starred")
    assert "No favorites yet" in await history_text(world, world.ann, "favorites")


@pytest.mark.parametrize("label", ["☆ Star", "Make private", "Delete"])
async def test_a_passer_by_can_do_nothing_to_an_answer(world: World, label: str) -> None:
    answer = await asked(world)
    refused = await world.bob.click(answer.response, label=label)

    assert "Only the person who asked" in told_alone(refused)
    [row] = await world.rows(world.ann)
    assert (row.starred, row.private) == (False, False)


async def test_the_owner_deletes_message_and_row(world: World) -> None:
    answer = await asked(world)
    await world.ann.click(answer.response, label="Delete")

    assert await world.rows(world.ann) == ()
    assert answer.response is None


async def test_a_moderator_deletes_the_message_alone(world: World) -> None:
    role = world.guild.create_role("moderators", permissions=discord.Permissions(manage_messages=True))
    eve = world.guild.add_member(world.env.create_user("eve"), roles=[role])
    answer = await asked(world)

    await eve.click(answer.response, label="Delete")

    [row] = await world.rows(world.ann)
    assert row.private
    assert "a red kite" not in await history_text(world, world.bob, "history", user=world.ann)


async def test_a_private_answer_is_shared_in_a_new_message(world: World) -> None:
    answer = await asked(world, private=True)
    assert "Share" in buttons_of(answer)
    shared = await world.ann.click(answer.response, label="Share")

    assert not shared.response.ephemeral
    assert embed_of(shared).description == embed_of(answer).description
    assert [file.filename for file in shared.response.attachments] == ["image.png"]
    [row] = await world.rows(world.ann)
    assert (row.private, row.message_id) == (False, shared.response.id)
    assert "a red kite" in await history_text(world, world.bob, "history", user=world.ann)
    again = await world.ann.click(shared.response, label="Best")
    assert not again.response.ephemeral


async def test_a_public_answer_becomes_one_that_its_owner_alone_sees(world: World) -> None:
    answer = await asked(world)
    hidden = await world.ann.click(answer.response, label="Make private")

    [followup] = hidden.followups
    assert followup.ephemeral
    assert "Share" in {button["label"] for row in followup.components for button in row["components"]}
    [row] = await world.rows(world.ann)
    assert row.private
    assert "a red kite" not in await history_text(world, world.bob, "history", user=world.ann)


async def test_buttons_of_a_deleted_row_say_so_after_a_restart(world: World) -> None:
    answer = await asked(world)
    [row] = await world.rows(world.ann)
    await world.history.delete(row.id)
    await world.env.restart_bot(world.restarted())

    assert "not in the history any more" in told_alone(await world.ann.click(answer.response, label="☆ Star"))


async def test_history_is_searched_and_its_pages_keep_to_the_search(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(), history_page_size=1)
    for prompt in ("a red fox", "a cat", "an old fox"):
        world.bot.queue.events = (answering(prompt=prompt),)
        await asked(world)

    first = await world.ann.slash(world.channel, "history", search="fox")
    assert "an old fox" in embed_of(first).description
    second = await world.ann.click(first.response, label="Older")
    assert "a red fox" in embed_of(second).description
    older = [
        button for row in second.response.components for button in row["components"] if button.get("label") == "Older"
    ]
    assert older[0]["disabled"]
    assert "Nothing like it" in await history_text(world, world.ann, "history", search="dog")
    assert "Nothing like it" in await history_text(world, world.ann, "history", mode="best")


async def test_what_others_starred_is_not_told(world: World) -> None:
    answer = await asked(world)
    await world.ann.click(answer.response, label="☆ Star")
    assert "nobody else" in await history_text(world, world.bob, "history", user=world.ann, starred=True)


async def test_a_picture_of_the_history_is_asked_about_again(world: World) -> None:
    await asked(world, mode="best")
    page = await world.ann.slash(world.channel, "history")
    [row] = await world.rows(world.ann)

    again = await world.ann.select(page.response, values=[str(row.id)])

    assert again.response.ephemeral
    assert [job.image for job in world.bot.queue.jobs] == [PNG[1]] * 2
    assert world.bot.queue.jobs[1].options.mode == "best"


async def test_a_picture_that_is_gone_is_asked_for(world: World) -> None:
    answer = await asked(world)
    page = await world.ann.slash(world.channel, "history")
    [row] = await world.rows(world.ann)
    await answer.response.message.delete()

    assert "send the image again" in told_alone(await world.ann.select(page.response, values=[str(row.id)]))
