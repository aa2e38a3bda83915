"""A worker of a CLIP profile: real models of a small size, in a process of its own."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from asking import job, outcome
from clip_profiles import small_profile
from PIL import Image

from interrogator.profiles import ClipProfile, to_argument
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.types import Done, Failed, Mode, Options, Progress, Stage

PATIENCE = 120  # seconds: a worker imports torch and open_clip


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> ClipProfile:
    return small_profile(tmp_path_factory.mktemp("models"), 0)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERROGATOR_CACHE", str(tmp_path))


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


async def test_it_serves_a_clip_profile_from_loading_to_prompts(profile: ClipProfile) -> None:
    async with asyncio.timeout(PATIENCE), LocalQueue(to_argument(profile)) as queue:
        events = [
            event
            async for event in queue.submit(
                job(picture(), options=Options(profile="small", mode=Mode.TURBO, caption="a grey wall"))
            )
        ]
        again = await outcome(queue, job(picture(), options=Options(profile="small", mode=Mode.NEGATIVE)))
    last = events[-1]
    assert isinstance(last, Done), last
    assert last.interrogation.prompt.startswith("a grey wall")
    assert last.interrogation.engine.startswith("clip ")
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert list(dict.fromkeys(stages))[:2] == [Stage.LOAD, Stage.LABELS]
    assert Stage.SEARCH in stages
    assert isinstance(again, Done), again
    assert again.interrogation.prompt


async def test_a_worker_without_its_weights_says_how_to_get_them(profile: ClipProfile) -> None:
    missing = ClipProfile(name="small", models=("ViT-L-14/openai",), captioner="none", lists=profile.lists)
    config = LocalQueueConfig(backoff_seconds=0.01, max_backoff_seconds=0.02)
    async with asyncio.timeout(PATIENCE), LocalQueue(to_argument(missing), config) as queue:
        failed = await outcome(queue, job(picture(), options=Options(profile="small")))
    assert isinstance(failed, Failed)
    assert failed.kind == "model_missing"
    assert "ViT-L-14/openai" in failed.message
    assert "interrogate fetch --model" in failed.message
