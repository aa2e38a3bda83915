"""The menus of a message: somebody else's pictures, each answered for the one who asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import discord
import pytest
import simcord
from worlds import MakeWorld, ScriptedQueue, World, facts_of, interrogation_for, prompt_of, told_alone

from bot.history import Ask
from interrogator.types import Done, Failed, Mode

FOLLOW_UP = "/webhooks/*/*"


async def test_interrogate_image(world: World, samples: dict[str, bytes]) -> None:
    message = await world.bob.send(world.channel, "look", attachments=[("cat.jpg", samples["cat.jpg"])])

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    assert "cat" in prompt_of(result)
    assert len(await world.rows(world.ann)) == 1
    assert await world.rows(world.bob) == ()


async def test_style_only(world: World, samples: dict[str, bytes]) -> None:
    message = await world.bob.send(world.channel, "look", attachments=[("cat.jpg", samples["cat.jpg"])])

    result = await world.ann.context_menu(world.channel, "Style only", message)

    assert facts_of(result)["mode"] == "turbo, style only"
    assert "cat" not in prompt_of(result)


async def test_each_of_several_pictures_gets_an_answer_and_what_is_left_out_is_said(make_world: MakeWorld) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    files = [(f"{number}.png", b"\x89PNG picture %d" % number) for number in range(12)]
    message = await world.bob.send(world.channel, "album", attachments=[("readme.txt", b"text"), *files])

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    assert [job.image for job in queue.jobs] == [data for _, data in files[:10]]
    *answers, remark = result.followups
    assert [len(answer.embeds) for answer in (result.response, *answers)] == [1] * 10
    assert "10 pictures of a message at a time; 2 more were left out" in remark.content
    assert remark.ephemeral
    assert "The 10 prompts together." in remark.content
    text, table, objects = remark.attachments
    assert [file.filename for file in (text, table, objects)] == ["prompts.txt", "prompts.csv", "prompts.json"]
    assert len(json.loads(await objects.read())) == 10
    assert (await text.read()).decode() == "a red kite, soft light\n" * 10
    assert (remark.embeds[0].title or "").endswith("1 of 10")
    assert [line.split(",")[1] for line in (await table.read()).decode("utf-8-sig").splitlines()[1:]] == [
        name for name, _ in files[:10]
    ]


async def test_the_answers_are_leafed_through_in_one_message(make_world: MakeWorld) -> None:
    world = await make_world(
        ScriptedQueue(lambda job: Done(interrogation_for(job, prompt=f"a {job.image[-4:].decode()}")))
    )
    magic = b"\x89PNG\r\n\x1a\n"
    files = [("a.png", magic + b"kite"), ("b.png", b""), ("c.png", magic + b"boat"), ("d.png", magic + b"tree")]
    message = await world.bob.send(world.channel, "album", attachments=files)
    result = await world.ann.context_menu(world.channel, "Interrogate image", message)
    leaf = result.followups[-1]

    def shown() -> tuple[str | None, str]:
        (embed,) = leaf.embeds
        return embed.title, (embed.description or "").split("```")[1].strip()

    pages = [shown()]
    for label in ("▶", "▶", "◀"):
        await world.ann.click(leaf, label=label)
        pages.append(shown())
    first, second, third = ("Prompt · 1 of 3", "a kite"), ("Prompt · 2 of 3", "a boat"), ("Prompt · 3 of 3", "a tree")
    assert pages == [first, second, third, second]

    rows = [row for row in await world.rows(world.ann) if row.prompt]
    await world.history.delete(rows[0].id)
    await world.ann.click(leaf, label="▶")
    assert shown()[0] == "Prompt · 2 of 2"
    for row in rows[1:]:
        await world.history.delete(row.id)
    assert "not in your history" in told_alone(await world.ann.click(leaf, label="◀"))


async def test_who_keeps_no_history_is_not_told_of_all(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    await world.stores.rulebook.choose_history(world.ann.id, False)
    message = await world.bob.send(world.channel, "album", attachments=album("1.png", "2.png"))
    result = await world.ann.context_menu(world.channel, "Interrogate image", message)
    assert [len(shown.embeds) for shown in (result.response, *result.followups)] == [1, 1]


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


def album(*names: str) -> list[tuple[str, bytes]]:
    """Pictures; those whose name says so are empty."""
    return [(name, b"" if name.startswith("empty") else b"\x89PNG picture " + name.encode()) for name in names]


async def test_a_bad_picture_after_good_ones_is_told_in_its_own_message(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    message = await world.bob.send(world.channel, "album", attachments=album("1.png", "empty.png", "3.png"))

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    refusal, answer, _ = result.followups
    assert "`empty.png` is empty" in refusal.content
    assert [len(shown.embeds) for shown in (result.response, answer)] == [1, 1]


async def test_not_more_follow_ups_are_sent_than_a_person_s_own_app_may_send(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.Interaction, "is_user_integration", lambda _self: True)  # simcord knows servers' alone
    world = await make_world(ScriptedQueue(Failed("deadline", "There was not enough time.")))
    message = await world.bob.send(world.channel, "album", attachments=album(*(f"{n}.png" for n in range(6))))

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    assert len([request for request in world.env.http_requests if is_follow_up(request)]) == 5
    assert ["enough time" in followup.content for followup in result.followups] == [True] * 4 + [False]
    assert [row.state for row in await world.rows(world.ann)] == ["failed"] * 4


async def test_an_outage_between_two_pictures_does_not_lose_the_rest(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    message = await world.bob.send(world.channel, "album", attachments=album("1.png", "2.png", "3.png"))
    world.env.inject_error("POST", FOLLOW_UP, status=400)

    result = await world.ann.context_menu(world.channel, "Interrogate image", message)

    assert [len(shown.embeds) for shown in (result.response, *result.followups[:-1])] == [1, 1, 1]
    assert "The 3 prompts together." in result.followups[-1].content
    assert [row.state for row in await world.rows(world.ann)] == ["done"] * 3


async def test_what_another_application_left_is_not_ours_to_answer(make_world: MakeWorld) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)
    later = datetime.now(UTC) + timedelta(minutes=5)
    theirs = Ask(
        user_id=1,
        interaction_token="theirs",
        image_url="https://cdn.discordapp.com/1.png",
        image_name="1.png",
        mode=Mode.FAST,
        profile="lite",
        application_id=1,
        token_ends_at=later,
    )
    row = await world.history.add(theirs)
    unfinished, expired = await world.history.take_up(await world.history.owners(), world.bot.application_id)
    world.bot.go_on(unfinished)
    await world.bot.drain()
    assert (unfinished, expired, queue.jobs) == ([], 0, [])
    entry = await world.history.get(row)
    assert entry is not None
    assert entry.state == "queued"


def is_follow_up(request: simcord.HttpLogEntry) -> bool:
    return request.method == "POST" and request.path.startswith("/webhooks/")
