"""ConSE: a classifier's probabilities weigh the text embeddings of its class names (Norouzi et al. 2014)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch.nn.functional import normalize

from interrogator.engines import Report
from interrogator.engines.lite.classifier import Classifier, load_classifier
from interrogator.engines.lite.subject import ClassRow, Subjects, load_classes
from interrogator.engines.lite.text import LiteText, SentenceEncoder
from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label

NOTE = (
    "Basic engine (lite): it names subjects and what the pixels show, not artists or mediums. "
    "For CLIP see 'Engines' in the README."
)
_TOP = 20  # classes that make an image's embedding
_CUE_WEIGHT = 0.35
_SHORT_SIDE, _LONG_SIDE = 320, 1280  # pixels that the models and cues get to see


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one look at an image gave."""

    probabilities: torch.Tensor
    cues: tuple[Label, ...]


class LiteEngine:
    """`Engine` of the profile lite."""

    name = "lite"
    note = NOTE
    version = "lite-1"
    token_limit = 75  # CLIP's 77 less start and end

    def __init__(self, classifier: Classifier, text: LiteText, anchors: torch.Tensor, subjects: Subjects) -> None:
        self.text = text
        self._classifier = classifier
        self._anchors = anchors
        self._subjects = subjects

    @classmethod
    def load(cls, report: Report | None = None) -> LiteEngine:
        """Raises `ModelMissingError` where a package with weights is not installed."""
        steps = report or (lambda _: None)
        steps(Progress(Stage.LOAD, 0, 3))
        classifier = load_classifier()
        steps(Progress(Stage.LOAD, 1, 3))
        encoder = SentenceEncoder.load()
        steps(Progress(Stage.LOAD, 2, 3))
        classes = load_classes()
        raw = encoder.encode([_anchor_text(row) for row in classes])
        mean = raw.mean(0)
        text = LiteText(encoder, mean, _clip_token_counter())
        steps(Progress(Stage.LOAD, 3, 3))
        return cls(classifier, text, normalize(raw - mean, dim=-1), Subjects(classes))

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        return [self._subjects.name(self._read(image).probabilities) for image in images]

    def embed_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        return torch.stack([self._embed(self._read(image)) for image in images])

    def cues(self, images: Sequence[Image.Image]) -> list[list[Label]]:
        return [list(self._read(image).cues) for image in images]

    def _read(self, image: Image.Image) -> _Reading:
        return _Reading(self._classifier(_working_copy(image)), ())

    def _embed(self, reading: _Reading) -> torch.Tensor:
        top = reading.probabilities.topk(_TOP)
        return normalize((top.values[:, None] * self._anchors[top.indices]).sum(0), dim=-1)


def _anchor_text(row: ClassRow) -> str:
    return ", ".join((row.name, *row.broader[:1]))


def _working_copy(image: Image.Image) -> Image.Image:
    """RGB, small: what every model and cue sees. `reducing_gap` keeps the resize of a large photo cheap."""
    scale = min(1.0, _SHORT_SIDE / min(image.size))
    width, height = (max(1, min(_LONG_SIDE, round(side * scale))) for side in image.size)
    small = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0) if scale < 1 else image
    return small.convert("RGB")


def _clip_token_counter() -> Callable[[str], int]:
    declare_missing_operators()
    from open_clip.tokenizer import SimpleTokenizer  # noqa: PLC0415

    tokenizer = SimpleTokenizer()
    return lambda text: len(tokenizer.encode(text))
