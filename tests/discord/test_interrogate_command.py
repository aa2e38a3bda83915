from __future__ import annotations

from conftest import MakeWorld, ScriptedQueue


async def test_answers_with_the_prompt(make_world: MakeWorld, samples: dict[str, bytes]) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    result = await world.ann.slash(world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]))
    [embed] = result.response.embeds
    assert "a red kite, soft light" in embed.description
    assert queue.jobs[0].image == samples["cat.jpg"]
    assert (await world.rows(world.ann))[0].prompt == "a red kite, soft light"
