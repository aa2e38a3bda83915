"""/export and /queue."""

from __future__ import annotations

import pytest
from worlds import MakeWorld, ScriptedQueue, answering

from bot.history import Ask
from interrogator.types import Mode

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


@pytest.mark.parametrize(("wanted", "begin"), [("txt", "a red kite 2"), ("csv", "asked,image"), ("json", "[")])
async def test_the_prompts_that_are_wanted_come_as_a_file(make_world: MakeWorld, wanted: str, begin: str) -> None:
    world = await make_world(ScriptedQueue())
    for prompt, mode in (("a red kite 1", "fast"), ("a red kite 2", "best"), ("a blue boat", "best")):
        world.bot.queue.events = (answering(prompt=prompt, caption="", phrases=()),)
        await world.ann.slash(world.channel, "interrogate", image=PNG, mode=mode)

    result = await world.ann.slash(world.channel, "export", format=wanted, search="kit")

    assert result.response.ephemeral
    assert result.response.content == "Your 2 prompts, the latest first."
    [file] = result.response.attachments
    assert file.filename == f"prompts.{wanted}"
    text = (await file.read()).decode("utf-8-sig")
    assert text.startswith(begin)
    assert "a red kite 1" in text
    assert "boat" not in text


async def test_nobody_exports_what_is_another_s(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    await world.ann.slash(world.channel, "interrogate", image=PNG)

    result = await world.bob.slash(world.channel, "export", format="txt")

    assert "There is no prompt to export." in result.response.content
    assert not result.response.attachments


async def test_the_queue_tells_the_reader_of_their_own(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    waiting = Ask(user_id=world.ann.id, image_name="1.png", mode=Mode.FAST, profile="lite")
    row = await world.history.add(waiting)

    hers = (await world.ann.slash(world.channel, "queue")).response
    his = (await world.bob.slash(world.channel, "queue")).response

    assert hers.ephemeral
    assert "One of them is yours." in hers.content
    assert "yours" not in his.content
    await world.history.delete(row)
