"""A small deterministic engine: bags of letters. Enough for what must hold of a search whatever the engine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from PIL import Image
from torch.nn.functional import normalize

from interrogator.engines import Report
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label


class LetterText:
    """A text is the count of its letters; pairs of letters count too, so that the order of phrases matters a little."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        self.embedded += texts
        if report:
            report(Progress(Stage.LABELS, len(texts), len(texts)))
        vectors = [self._vector(text) for text in texts]
        return normalize(torch.stack(vectors), dim=-1) if vectors else torch.empty(0, 53)

    def continuations(self, prefix: str, phrases: Sequence[str]) -> torch.Tensor:
        return self.embed([f"{prefix}, {phrase}" if prefix else phrase for phrase in phrases])

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def _vector(self, text: str) -> torch.Tensor:
        vector = torch.full((53,), 0.01)
        letters = [ord(letter) - 97 for letter in text.casefold() if "a" <= letter <= "z"]
        for letter in letters:
            vector[letter] += 1
        for one, other in pairwise(letters):
            vector[26 + (one * 7 + other) % 26] += 0.5
        return vector


class ToyEngine:
    """Every image is of `subject`."""

    name = "toy"
    note = ""
    version = "1"
    token_limit = 20

    def __init__(self, subject: str = "a zebra") -> None:
        self.text = LetterText()
        self.subject = subject

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        return [self.subject for _ in images]

    def embed_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        return self.text.embed([self.subject or "nothing" for _ in images])

    def cues(self, images: Sequence[Image.Image]) -> list[list[Label]]:
        return [[] for _ in images]
