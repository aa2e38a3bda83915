"""The menus of a message: somebody else's pictures, each answered for the one who asks."""

from __future__ import annotations

from worlds import MakeWorld, ScriptedQueue, World, facts_of, prompt_of


async def test_interrogate_image(world: World, samples: dict[str, bytes]) -> None:
    message = await world.bob.send(world.channel, "look", attachments=[("cat.jpg", samples["cat.jpg"])])

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    assert "cat" in prompt_of(result)
    assert len(await world.rows(world.ann)) == 1
    assert await world.rows(world.bob) == ()


async def test_style_only(world: World, samples: dict[str, bytes]) -> None:
    message = await world.bob.send(world.channel, "look", attachments=[("cat.jpg", samples["cat.jpg"])])

    result = await world.ann.context_menu(world.channel, "Style only", message)

    assert facts_of(result)["mode"] == "fast, style only"
    assert "cat" not in prompt_of(result)


async def test_each_of_several_pictures_gets_an_answer_and_what_is_left_out_is_said(make_world: MakeWorld) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    files = [(f"{number}.png", b"\x89PNG picture %d" % number) for number in range(6)]
    message = await world.bob.send(world.channel, "album", attachments=[("readme.txt", b"text"), *files])

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    assert [job.image for job in queue.jobs] == [data for _, data in files[:4]]
    *answers, remark = result.followups
    assert [len(answer.embeds) for answer in (result.response, *answers)] == [1, 1, 1, 1]
    assert "2 more were left out" in remark.content
    assert remark.ephemeral


async def test_a_bad_picture_among_good_ones_does_not_stop_them(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    files = [("empty.png", b""), ("good.png", b"\x89PNG picture")]
    message = await world.bob.send(world.channel, "album", attachments=files)

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    assert result.response is None
    refusal, answer = result.followups
    assert "`empty.png` is empty" in refusal.content
    assert refusal.ephemeral
    assert len(answer.embeds) == 1
    assert [row.state for row in await world.rows(world.ann)] == ["done", "failed"]
