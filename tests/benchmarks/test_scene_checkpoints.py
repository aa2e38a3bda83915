"""The two committed CLIPs load as any checkpoint of open_clip does, and know what the scenes show."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scenes import folders, held_out
from benchmarks.scenes.accuracy import SmallClip, colours, correct, objects, share

SIZE_LIMIT = 8_000_000  # bytes


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_the_committed_checkpoints_are_small_and_know_things_and_colours(folder: Path) -> None:
    assert (folder / "open_clip_model.safetensors").stat().st_size <= SIZE_LIMIT
    clip = SmallClip(folder)
    right = {"object": share(correct(clip, objects(80))), "colour": share(correct(clip, colours(80)))}
    assert right["object"].mean >= 0.85, right
    assert right["colour"].mean >= 0.85, right


def test_the_two_checkpoints_are_different_models() -> None:
    one, other = (SmallClip(folder).images(held_out(2)) for folder in folders())
    assert one.shape != other.shape
