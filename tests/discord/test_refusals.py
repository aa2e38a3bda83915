"""Bad pictures and options are refused with a sentence for the one who asked, and leave nothing in the channel."""

from __future__ import annotations

import pytest
from worlds import MakeWorld, ScriptedQueue, World, told_alone

from bot.models import State
from interrogator.errors import QueueFullError, WorkerCrashedError
from interrogator.types import Failed

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("cat.png", b"", "`cat.png` is empty"),
        ("notes.txt", b"dear diary", "`notes.txt` is not a picture"),
        ("drawing.svg", SVG, "SVG drawing"),
        ("film.mp4", b"\0\0\0\x18ftypmp42", "`film.mp4` is not a picture"),
        ("big.png", b"\x89PNG" + bytes(3000), "`big.png` is larger than 0.00195 MiB"),
        ("**`@everyone`**.txt", b"x", "`**'@everyone'**.txt` is not a picture"),
    ],
)
async def test_refused_before_anything_is_read(make_world: MakeWorld, name: str, data: bytes, sentence: str) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue, max_image_bytes=2048)

    result = await world.ann.slash(world.channel, "interrogate", image=(name, data))

    assert sentence in told_alone(result)
    assert not result.deferred
    assert queue.jobs == []
    assert await world.rows(world.ann) == ()


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [("diary.png", b"dear diary, this is no picture", "not a picture"), ("drawing.png", SVG, "SVG")],
)
async def test_refused_by_the_worker(world: World, name: str, data: bytes, sentence: str, private: bool) -> None:
    result = await world.ann.slash(world.channel, "interrogate", image=(name, data), private=private)

    assert sentence in told_alone(result)
    assert world.channel.history(viewer=world.bob) == []
    [row] = await world.rows(world.ann)
    assert (row.state, row.error_kind) == (State.FAILED, "unreadable_image")


async def test_a_caption_has_no_style_only_form(make_world: MakeWorld, samples: dict[str, bytes]) -> None:
    world = await make_world(ScriptedQueue())

    result = await world.ann.slash(
        world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]), mode="caption", style_only=True
    )

    assert "no style-only form" in told_alone(result)


@pytest.mark.parametrize(
    "error", [QueueFullError("The queue is full (9 images are waiting)."), WorkerCrashedError("The model crashed.")]
)
async def test_what_the_queue_says_is_told_as_it_is(
    make_world: MakeWorld, samples: dict[str, bytes], error: QueueFullError | WorkerCrashedError
) -> None:
    world = await make_world(ScriptedQueue(Failed(error.kind, str(error))))

    result = await world.ann.slash(world.channel, "interrogate", image=("cat.jpg", samples["cat.jpg"]))

    assert told_alone(result) == f"⚠️ {error}"
    [row] = await world.rows(world.ann)
    assert (row.state, row.error_kind, row.error_message) == (State.FAILED, error.kind, str(error))


async def test_a_message_without_pictures(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    message = await world.bob.send(world.channel, "no picture here", attachments=[("notes.txt", b"text")])

    for menu in ("Interrogate image", "Style only"):
        result = await world.ann.context_menu(world.channel, menu, message)
        assert "no picture in this message" in told_alone(result)
