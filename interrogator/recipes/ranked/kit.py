"""What all prompts of a profile are made with, and what is asked of it again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interrogator.engines import SharedTextTower
from interrogator.profiles import ClipProfile
from interrogator.recipes.ranked.shelf import Shelf

_ENDS = " ,;"


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
        """The caption, without the last words that are too many for the engine; a first word that is too long by itself
        (as in a script without spaces) is cut. It does not end in a comma: one follows."""
        caption = " ".join(caption.split()).rstrip(_ENDS)
        if self.fits(caption):
            return caption
        words = caption.split(" ")
        kept = self._most(words, " ")
        return (" ".join(words[:kept]) if kept else caption[: self._most(words[0], "")]).rstrip(_ENDS)

    def _most(self, pieces: Sequence[str], glue: str) -> int:
        """How many of the first pieces fit together, by bisection."""
        low, high = 0, len(pieces)
        while low < high:
            middle = (low + high + 1) // 2
            if self.fits(glue.join(pieces[:middle])):
                low = middle
            else:
                high = middle - 1
        return low
