"""What turns images and texts into one space: one interface, the engines `lite` and `clip`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from interrogator.types import Progress
    from interrogator.vocabulary import Label

Report = Callable[["Progress"], None]
"""Receives progress. May raise `CancelledError` or `DeadlineError` (`interrogator.errors`): so a job is stopped."""


Continue = Callable[[Sequence[tuple[str, Sequence[str]]]], list["torch.Tensor"]]
"""`SharedTextTower.continue_all`, or what answers like it."""


class TextTower(Protocol):
    """Embeds texts into the space of the engine's images."""

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        """(n, d) float32, rows L2-normalised."""

    def continuations(self, prefix: str, phrases: Sequence[str]) -> torch.Tensor:
        """The texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty): (n, d) float32, L2-normalised."""

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, special tokens not counted. A prompt fits where this is <= `Engine.token_limit`."""


class SharedTextTower(TextTower, Protocol):
    """A text tower whose continuations are cheap together: what the prompt search needs."""

    @property
    def token_limit(self) -> int:
        """The most tokens of a text that are read, special ones not counted."""

    def continue_all(self, asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
        """`continuations` of each (prefix, phrases), in shared batches: a search step of several images at once."""

    @property
    def continue_roughly(self) -> Continue | None:
        """The same in less time and a little off, so that a search can leave out what does not come near; None where it
        would take as long."""

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`count_tokens` of the texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""


class Engine(Protocol):
    """One loaded model set. Methods take a batch and return one outcome an image, in order."""

    name: str
    note: str  # what a user must know of its limits, or ""
    version: str  # changes where embeddings would: part of every cache key
    token_limit: int

    @property
    def text(self) -> SharedTextTower:
        """Its text tower."""

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        """What is in each image, as a person would begin a prompt; "" where the engine cannot tell."""

    def embed_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """(n, d) float32, rows L2-normalised."""

    def cues(self, images: Sequence[Image.Image]) -> list[list[Label]]:
        """Labels read from the pixels and nearly always right (palette, light ...); [] for an engine without any."""
