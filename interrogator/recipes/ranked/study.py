"""One image and what is asked of it, as all modes need it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import normalize

from interrogator.recipes import Task
from interrogator.recipes.ranked.kit import Kit
from interrogator.recipes.ranked.shelf import Wish
from interrogator.types import Mode

_LEAST_LENGTH = 1e-6
"""Below it, nothing of an image is left beside its subject but float rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """`caption` is what stands in the prompt: the subject where one was given, nothing with style only or in a negative
    prompt. Labels are ranked by
    `direction` (d,), L2-normalised; `fewest` are taken before the similarity must rise, `most` at all."""

    kit: Kit
    task: Task
    caption: str
    direction: torch.Tensor
    fewest: int
    most: int

    @property
    def image(self) -> torch.Tensor:
        """(d,), L2-normalised: what prompts are compared with."""
        return self.task.scene.image

    def wish(self, count: int, *groups: str, reverse: bool = False, repeating: bool = False) -> Wish:
        """Labels for this image; with `repeating` those too that only repeat the caption."""
        options = self.task.options
        said = self.task.scene.caption if options.mode is Mode.NEGATIVE else self.caption
        return Wish(
            image=self.image,
            direction=self.direction,
            options=options,
            count=count,
            groups=groups,
            said="" if repeating else said,
            reverse=reverse,
        )


def study(kit: Kit, task: Task) -> Study:
    """The task with the bounds of its prompt, from its options or else the profile.

    With style only, or a subject of the person's own, labels are ranked after the subject's direction is projected out
    of the image's: so what is like the subject comes no earlier for it. Prompts are compared with the image itself all
    the same.
    """
    scene, options, profile = task.scene, task.options, kit.profile
    bare = options.style_only or options.mode is Mode.NEGATIVE
    caption = "" if bare else kit.shortened(options.subject or scene.caption)
    most = profile.max_phrases if options.max_phrases is None else options.max_phrases
    fewest = profile.min_phrases if options.min_phrases is None else options.min_phrases
    most = max(most, 0 if caption else 1)  # no prompt is empty
    return Study(
        kit=kit,
        task=task,
        caption=caption,
        direction=_beside(scene.image, scene.subject) if options.of_style else scene.image,
        fewest=min(max(fewest, 0), most),
        most=most,
    )


def _beside(image: torch.Tensor, subject: torch.Tensor | None) -> torch.Tensor:
    """The image's direction without the subject's; its own where nothing would be left, or no subject is known."""
    if subject is None:
        return image
    rest = image - (image @ subject) * subject
    return normalize(rest, dim=-1) if float(rest.norm()) > _LEAST_LENGTH else image
