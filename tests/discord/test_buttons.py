"""The buttons under an answer outlive the bot, and know whose answer it is."""

from __future__ import annotations

from worlds import MakeWorld, ScriptedQueue, World, buttons_of, embed_of, facts_of, told_alone

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


async def test_they_work_after_a_restart(world: World, samples: dict[str, bytes]) -> None:
    first = await world.ann.slash(world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]))

    await world.env.restart_bot(world.restarted())
    answer = await world.ann.click(first.response, label="Classic")

    assert facts_of(answer)["mode"] == "classic"
    assert len(await world.rows(world.ann)) == 2


async def test_a_style_answer_leads_to_style_answers_and_back(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    style = await world.ann.slash(world.channel, "interrogate", image=PNG, mode="best", style_only=True)
    assert embed_of(style).title == "Style prompt"
    assert "With subject" in buttons_of(style)

    assert facts_of(await world.ann.click(style.response, label="Fast"))["mode"] == "fast, style only"
    assert facts_of(await world.ann.click(style.response, label="Caption"))["mode"] == "caption"
    assert facts_of(await world.ann.click(style.response, label="With subject"))["mode"] == "best"


async def test_the_picture_stays_the_same_through_a_chain_of_buttons(make_world: MakeWorld) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    answer = await world.ann.slash(world.channel, "interrogate", image=PNG)
    for label in ("Best", "Negative", "Caption"):
        answer = await world.ann.click(answer.response, label=label)
    assert [job.image for job in queue.jobs] == [PNG[1]] * 4


async def test_a_passer_by_gets_an_answer_that_only_they_see(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    first = await world.ann.slash(world.channel, "interrogate", image=PNG)

    answer = await world.bob.click(first.response, label="Best")

    assert answer.response.ephemeral
    [row] = await world.rows(world.bob)
    assert row.private
    assert len(await world.rows(world.ann)) == 1


async def test_buttons_of_a_private_answer_answer_in_private(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    first = await world.ann.slash(world.channel, "interrogate", image=PNG, private=True)

    answer = await world.ann.click(first.response, label="Best")

    assert answer.response.ephemeral
    assert facts_of(answer)["mode"] == "best"


async def test_a_button_without_its_picture_asks_for_it(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    first = await world.ann.slash(world.channel, "interrogate", image=PNG)
    await first.response.message.edit(attachments=[])

    answer = await world.ann.click(first.response, label="Best")

    assert "send the image again" in told_alone(answer)


async def test_a_picture_too_large_for_the_answer_leaves_no_buttons_that_need_it(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(), max_image_bytes=30 * 2**20)
    large = ("large.png", b"\x89PNG" + bytes(26_214_400))

    first = await world.ann.slash(world.channel, "interrogate", image=large)

    assert first.response.attachments == []
    assert list(buttons_of(first)) == ["☆ Star", "Make private", "Delete"]
    assert "send it again" in embed_of(first).description


async def test_a_format_that_discord_does_not_show_keeps_its_buttons(make_world: MakeWorld) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    first = await world.ann.slash(world.channel, "interrogate", image=("kite.bmp", b"BM kite"))

    answer = await world.ann.click(first.response, label="Best")

    assert embed_of(answer).thumbnail.url is None
    assert [job.image for job in queue.jobs] == [b"BM kite"] * 2


async def test_they_look_at_the_same_frame(make_world: MakeWorld) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    answer = await world.ann.slash(world.channel, "interrogate", image=PNG, frame=12)
    answer = await world.ann.click(answer.response, label="Best")
    await world.ann.click(answer.response, label="Style only")
    assert [job.options.frame for job in queue.jobs] == [12] * 3
    assert [row.frame for row in await world.rows(world.ann)] == [12] * 3
