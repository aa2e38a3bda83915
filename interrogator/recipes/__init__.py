"""How prompts are made of what an engine says of images. One interface, two recipes:

curated   for an engine whose space follows words: phrases of our own lists by kind of image
ranked    for CLIP: CLIP Interrogator's labels by similarity, and the prompt search
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from interrogator.errors import InterrogatorError, UnsupportedOptionError
from interrogator.limits import MAX_SUBJECT
from interrogator.types import Group, Mode, Options, Phrase

if TYPE_CHECKING:
    import torch

    from interrogator.engines import Report, SharedTextTower
    from interrogator.vocabulary import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the engine says of one image. `image` and `subject` are (d,) float32 and L2-normalised; `subject` is the
    embedding of the caption, None where that is empty. `cues` are certain, so each may be used as it is."""

    caption: str
    cues: tuple[Label, ...]
    image: torch.Tensor
    subject: torch.Tensor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One image and what is asked of it. `report` may raise `CancelledError` or `DeadlineError`, which end this task
    and no other."""

    scene: Scene
    options: Options
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt, the phrases in it beside the caption, and its cosine with what is known of the image. `caption` is
    the caption, or the person's own subject, as it stands in the prompt: shortened where it was too long, "" with style
    only. `stopped_early` where
    `Options.seconds` had passed before the search was done."""

    text: str
    caption: str
    phrases: tuple[Phrase, ...]
    similarity: float
    stopped_early: bool = False


class Recipe(Protocol):
    """Makes the prompts of a batch of images; several may share the engine's work.

    `text` embeds the prompts that are measured. `looks_at_captions`: whether `target` depends on the scene's caption.
    """

    looks_at_captions: bool

    @property
    def text(self) -> SharedTextTower:
        """The engine's."""

    def compose(self, tasks: Sequence[Task]) -> list[Prompt | InterrogatorError]:
        """One outcome a task, in order, whatever the batch: typed errors are values. No prompt is empty or over the
        engine's token limit."""

    def target(self, scene: Scene, mode: Mode) -> torch.Tensor:
        """(d,) float32, L2-normalised: what the prompts of that mode are compared with."""

    def nearest(self, scene: Scene, options: Options, top: int) -> tuple[Group, ...]:
        """Up to `top` phrases of every group that the options allow, nearest to the image first; no empty group."""


def check(options: Options) -> None:
    """UnsupportedOptionError where what was chosen has no meaning together."""
    if options.mode is Mode.CAPTION and options.style_only:
        raise UnsupportedOptionError(
            "A caption is only the subject, which “style only” leaves out: nothing would be left. "
            "Choose another mode, or turn style only off."
        )
    if options.subject and options.style_only:
        raise UnsupportedOptionError("“Style only” leaves any subject out. Leave one of the two out.")
    if options.subject and options.mode in (Mode.CAPTION, Mode.NEGATIVE):
        raise UnsupportedOptionError(
            f"The mode {options.mode.value} says nothing of the style, so no subject can be put into it. "
            "Choose another mode, or leave the subject out."
        )
    if options.subject and not options.subject.strip(" ,;"):
        raise UnsupportedOptionError("The subject needs words. Please write some, or leave it out.")
    if len(options.subject) > MAX_SUBJECT:
        raise UnsupportedOptionError(f"The subject is longer than {MAX_SUBJECT} characters. Please shorten it.")
    if options.frame < 1:
        raise UnsupportedOptionError("The frames of a file are counted from 1. Choose 1 or more.")
