"""What all prompts of a profile are made with, and what is asked of it again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interrogator.engines import SharedTextTower
from interrogator.profiles import ClipProfile
from interrogator.recipes.ranked.shelf import Shelf
from interrogator.recipes.shortening import shortened


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """`token_limit` is the engine's: a prompt has at most so many tokens."""

    text: SharedTextTower
    token_limit: int
    shelf: Shelf
    profile: ClipProfile

    def fits(self, prompt: str) -> bool:
        """Whether the prompt is short enough for the engine."""
        return self.text.count_tokens(prompt) <= self.token_limit

    def fit(self, prefix: str, phrases: Sequence[str]) -> list[bool]:
        """Whether each prompt `f"{prefix}, {phrase}"` is."""
        return [length <= self.token_limit for length in self.text.lengths(prefix, phrases)]

    def shortened(self, caption: str) -> str:
        """The caption, as far as the engine reads it."""
        return shortened(caption, self.fits)
