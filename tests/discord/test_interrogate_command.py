"""/interrogate with the real worker and the real lite engine."""

from __future__ import annotations

import asyncio
import hashlib
import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from worlds import World, buttons_of, embed_of, facts_of, prompt_of

from bot.models import State


async def test_a_cat_is_answered_with_a_prompt_that_says_so(world: World, samples: dict[str, bytes]) -> None:
    result = await world.ann.slash(world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]))

    assert "cat" in prompt_of(result)
    assert not result.response.ephemeral
    assert result.response.content == ""
    facts = facts_of(result)
    assert facts["mode"] == "turbo"
    assert float(facts["similarity"]) > 0
    assert facts["engine"] == "lite"
    assert "CLIP" in embed_of(result).footer.text
    assert "not the hidden original" in embed_of(result).footer.text


async def test_the_answer_carries_the_picture_itself(world: World, samples: dict[str, bytes]) -> None:
    result = await world.ann.slash(world.channel, "interrogate", image=("my cat.jpg", samples["cat.jpg"]))

    [attachment] = result.response.attachments
    assert await attachment.read() == samples["cat.jpg"]
    assert embed_of(result).thumbnail.url == f"attachment://{attachment.filename}"


async def test_what_the_file_says_of_itself_is_shown_and_comes_whole_where_it_is_long(world: World) -> None:
    prompt = ", ".join(f"boat {number}" for number in range(300))
    info, buffer = PngInfo(), io.BytesIO()
    info.add_text("parameters", f"{prompt}\nNegative prompt: fog\nSteps: 20, Sampler: Euler, Seed: 7")
    Image.new("RGB", (64, 64), "teal").save(buffer, "PNG", pnginfo=info)

    result = await world.ann.slash(world.channel, "interrogate", image=("boat.png", buffer.getvalue()))

    text = embed_of(result).description or ""
    assert "**Embedded in the file** (A1111)\n```\nboat 0, boat 1," in text
    assert "Negative: fog\n-# Steps 20 · Sampler Euler · Seed 7" in text
    _, whole = result.response.attachments
    assert whole.filename == "embedded.txt"
    assert (await whole.read()).decode() == f"{prompt}\nNegative prompt: fog\nSteps: 20, Sampler: Euler, Seed: 7"


async def test_several_pictures_are_answered_in_a_message_each(world: World, samples: dict[str, bytes]) -> None:
    names = [name for name in samples if name.endswith(".jpg")][:2]
    images = {option: (name, samples[name]) for option, name in zip(("image", "image4"), names, strict=True)}

    result = await world.ann.slash(world.channel, "interrogate", **images, mode="fast")

    *further, together = result.followups
    assert together.content == "The 2 prompts together."
    for message, name in zip((result.response, *further), names, strict=True):
        [attachment] = message.attachments
        assert await attachment.read() == samples[name]
    assert [row.state for row in await world.rows(world.ann)] == [State.DONE] * 2


async def test_the_history_row_is_done_and_knows_picture_and_message(world: World, samples: dict[str, bytes]) -> None:
    result = await world.ann.slash(
        world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]), mode="classic", style_only=True
    )

    [row] = await world.rows(world.ann)
    assert row.state is State.DONE
    assert row.image_sha256 == hashlib.sha256(samples["cat.jpg"]).hexdigest()
    assert (row.message_id, row.channel_id, row.guild_id) == (result.response.id, world.channel.id, world.guild.id)
    assert (row.mode, row.style_only, row.private) == ("classic", True, False)
    assert row.prompt == prompt_of(result)


async def test_a_private_answer_is_seen_by_its_asker_alone(world: World, samples: dict[str, bytes]) -> None:
    result = await world.ann.slash(
        world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]), mode="caption", private=True
    )

    assert result.ephemeral
    assert result.response.ephemeral
    assert "cat" in prompt_of(result)
    assert world.channel.history(viewer=world.bob) == []
    [row] = await world.rows(world.ann)
    assert row.private


async def test_every_mode_button_answers_in_a_message_of_its_own(world: World, samples: dict[str, bytes]) -> None:
    first = await world.ann.slash(world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]))
    assert buttons_of(first) == {
        "Turbo": False,
        "Best": True,
        "Fast": True,
        "Classic": True,
        "Caption": True,
        "Negative": True,
        "Style only": True,
        "Explain": True,
        "Edit …": True,
        "☆ Star": True,
        "Make private": True,
        "Delete": True,
    }

    for label, mode in [
        ("Caption", "caption"),
        ("Classic", "classic"),
        ("Fast", "fast"),
        ("Best", "best"),
        ("Negative", "negative"),
        ("Style only", "turbo, style only"),
    ]:
        answer = await world.ann.click(first.response, label=label)
        assert facts_of(answer)["mode"] == mode
        assert answer.response.id != first.response.id
        assert not answer.response.ephemeral
    assert len(await world.rows(world.ann)) == 7


async def test_two_people_are_answered_at_once(world: World, samples: dict[str, bytes]) -> None:
    # simcord lets one person act at a time, so the second job comes past Discord, as another bot process would send it.
    from interrogator.types import Done, Job, JobId

    async def other() -> list[object]:
        job = Job(id=JobId("another"), image=samples["coffee.jpg"], user="somebody else")
        return [event async for event in world.bot.queue.submit(job)]

    events = asyncio.create_task(other())
    result = await world.ann.slash(world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]))

    assert "cat" in prompt_of(result)
    done = (await events)[-1]
    assert isinstance(done, Done)
    assert done.interrogation.sha256 == hashlib.sha256(samples["coffee.jpg"]).hexdigest()


async def test_a_frame_of_an_animation_can_be_chosen_and_one_that_is_not_there_is_a_sentence(
    world: World, samples: dict[str, bytes]
) -> None:
    frames = [
        Image.open(io.BytesIO(samples[name])).convert("RGB").resize((320, 320)) for name in ("coffee.jpg", "cat.jpg")
    ]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    image = ("two.webp", buffer.getvalue())

    result = await world.ann.slash(world.channel, "interrogate", image=image, frame=2)
    refused = await world.ann.slash(world.channel, "interrogate", image=image, frame=3)

    assert "cat" in prompt_of(result)
    assert "frame 2 of 2" in (embed_of(result).description or "")
    assert "That file has 2 frames; choose 1 to 2." in "".join(message.content for message in refused.followups)
    assert [(row.frame, row.frames, row.error_kind) for row in await world.rows(world.ann)] == [
        (3, None, "missing_frame"),
        (2, 2, None),
    ]
