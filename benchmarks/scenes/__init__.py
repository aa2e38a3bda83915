"""Scenes that we render ourselves, whose true phrases are known, and two small CLIPs trained on them.

The CLIPs differ in architecture and seed, so that a search with one can be scored with the other: `folders()`. They
are in open_clip's folder format (`local-dir:`). `python -m benchmarks.scenes.train` makes them, and
`python -m benchmarks.scenes.accuracy` says how good they are; README.md has its figures.

Scenes come from seeds, and each use has seeds of its own: those of `tuning` choose parameters, those of `held_out` are
reported, and the CLIPs have seen neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from benchmarks.scenes import captions
from benchmarks.scenes.captions import vocabulary
from benchmarks.scenes.render import Plan, planned, rendered

__all__ = ["Scene", "folders", "held_out", "scene", "tuning", "vocabulary"]

TRAINING, TUNING, HELD_OUT, QUESTIONS = 0, 1_000_000_000, 2_000_000_000, 3_000_000_000  # the first seeds of each use
_CHECKPOINTS = Path(__file__).parent / "checkpoints"


@dataclass(frozen=True)
class Scene:
    """A picture and what is true of it. Equal plans have equal pictures."""

    plan: Plan

    @cached_property
    def image(self) -> Image.Image:
        """RGB, 64 x 64."""
        return Image.fromarray(rendered(self.plan))

    @cached_property
    def caption(self) -> str:
        """A sentence on what it shows: things, sizes, colours, relations, background; nothing of its style."""
        return captions.caption(self.plan)

    @cached_property
    def prompt(self) -> str:
        """The known prompt: the caption and one phrase for each style."""
        return captions.prompt(self.plan)

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        """The phrases of `vocabulary()` that are true of it."""
        return captions.true_phrases(self.plan)

    def true(self, phrase: str) -> bool:
        """Whether a phrase of `vocabulary()` is true of it; fillers, such as "masterpiece", are true of nothing."""
        return phrase in self.phrases

    @property
    def styles(self) -> tuple[str, ...]:
        """The keys of its styles: `benchmarks.scenes.captions.STYLES` has their phrases."""
        return self.plan.styles


def scene(seed: int) -> Scene:
    """The scene of a seed."""
    return Scene(planned(seed))


def held_out(n: int) -> list[Scene]:
    """The first `n` scenes of those kept for reporting."""
    return [scene(HELD_OUT + index) for index in range(n)]


def tuning(n: int) -> list[Scene]:
    """The first `n` scenes of those kept for choosing parameters."""
    return [scene(TUNING + index) for index in range(n)]


def folders() -> tuple[Path, Path]:
    """The folders of the two CLIPs: "wide" and "deep", after their image towers."""
    return _CHECKPOINTS / "wide", _CHECKPOINTS / "deep"
