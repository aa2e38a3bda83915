"""ConSE: a classifier's probabilities weigh the text embeddings of its class names (Norouzi et al. 2014)."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch.nn.functional import normalize

from interrogator.engines import Report, SharedTextTower
from interrogator.engines.lite.anchors import class_embeddings
from interrogator.engines.lite.broad import BROAD, BroadHead, load_broad_head
from interrogator.engines.lite.classifier import Classifier, load_classifier
from interrogator.engines.lite.cues import read_cues
from interrogator.engines.lite.faces import FaceFinder, Faces
from interrogator.engines.lite.subject import Subjects, load_classes
from interrogator.engines.lite.text import DIMENSIONS, TOKEN_LIMIT, LiteText, SentenceEncoder
from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label

NOTE = (
    "Basic engine (lite): it names subjects and what the pixels show, not artists or mediums. "
    "Whoever runs the bot switches to CLIP by the setting 'profile': see 'Engines' in the README."
)
VERSION = "lite-3"
_TOP = 20  # classes that make an image's embedding
_FACE = "a person"  # what faces add to it
_FACE_WEIGHT = 1.0
_BROAD_WEIGHT = 0.7  # a certain broad class, beside classes of which none is probable at all
_BROAD_LEAST = 0.3  # probability from which a broad class adds its direction
_CUE_WEIGHT = 0.35  # all cues together, against the subject's 1: the subject stays nearest
_SHORT_SIDE, _LONG_SIDE = 320, 1280  # pixels that the models and cues get to see
_REMEMBERED = 64  # images


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one look at an image gave."""

    probabilities: torch.Tensor  # (1000,)
    broad: torch.Tensor  # (classes of BROAD,)
    faces: Faces
    cues: tuple[Label, ...]


class LiteEngine:
    """`Engine` of the profile lite.

    One look serves captions, embedding and cues: the readings of the last images that still live are kept, so an
    image must not be changed in place between calls. Images are looked at one by one: no answer depends on its batch.
    """

    name = "lite"
    note = NOTE
    version = VERSION
    token_limit = TOKEN_LIMIT

    def __init__(
        self, classifier: Classifier, broad: BroadHead, text: LiteText, anchors: torch.Tensor, subjects: Subjects
    ) -> None:
        """`anchors`: the classes in the space of `text`, (1000, 384), normalised."""
        self.text: SharedTextTower = text
        self._classifier = classifier
        self._broad = broad
        self._anchors = anchors
        self._subjects = subjects
        self._find_faces = FaceFinder()
        self._readings: OrderedDict[int, tuple[weakref.ref[Image.Image], _Reading]] = OrderedDict()

    @classmethod
    def load(cls, report: Report | None = None) -> LiteEngine:
        """Raises `ModelMissingError` where a package with weights is not installed."""

        def tell(done: int) -> None:
            if report:
                report(Progress(Stage.LOAD, done, 3))

        tell(0)
        classifier = load_classifier()
        tell(1)
        encoder = SentenceEncoder.load()
        tell(2)
        classes = load_classes()
        embeddings = class_embeddings(encoder, classes, VERSION)
        mean = embeddings.mean(0)
        engine = cls(
            classifier,
            load_broad_head(classes),
            LiteText(encoder, mean, _clip_token_counter()),
            normalize(embeddings - mean, dim=-1),
            Subjects(classes),
        )
        tell(3)
        return engine

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        """The subject of each image, a broader class, "possibly ..." or "", by confidence."""
        readings = map(self._read, images)
        return [self._subjects.name(reading.probabilities, reading.faces, reading.broad) for reading in readings]

    def embed_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """(n, 384) float32, rows L2-normalised: the classes by probability, the broad class as far as none of them is
        probable, faces, and the directions of the cues."""
        if not images:
            return torch.empty(0, DIMENSIONS)
        return torch.stack([self._embed(self._read(image)) for image in images])

    def cues(self, images: Sequence[Image.Image]) -> list[list[Label]]:
        """What the pixels of each image say for certain; see `cues.py`."""
        return [list(self._read(image).cues) for image in images]

    def _read(self, image: Image.Image) -> _Reading:
        known = self._readings.get(id(image))
        if known and known[0]() is image:
            return known[1]
        small = working_copy(image)
        sight = self._classifier.look(small)
        broad = self._broad(sight.features, sight.probabilities)
        reading = _Reading(sight.probabilities, broad, self._find_faces(small), read_cues(small))
        self._readings[id(image)] = weakref.ref(image), reading
        while len(self._readings) > _REMEMBERED:
            self._readings.popitem(last=False)
        return reading

    def _embed(self, reading: _Reading) -> torch.Tensor:
        top = reading.probabilities.topk(_TOP)
        direction = normalize((top.values[:, None] * self._anchors[top.indices]).sum(0), dim=-1)
        certain = reading.broad.max(-1)
        kind = BROAD[int(certain.indices)].name
        if kind and float(certain.values) >= _BROAD_LEAST:
            weight = _BROAD_WEIGHT * float(certain.values) * (1 - float(top.values[0]))
            direction = normalize(direction + weight * self.text.embed([kind])[0], dim=-1)
        if self._subjects.shows_people(reading.probabilities, reading.faces, reading.broad):
            direction = normalize(direction + _FACE_WEIGHT * self.text.embed([_FACE])[0], dim=-1)
        if reading.cues:
            said = self.text.embed([", ".join(cue.text for cue in reading.cues)])[0]
            direction = normalize(direction + _CUE_WEIGHT * said, dim=-1)
        return direction


def working_copy(image: Image.Image) -> Image.Image:
    """RGB, small: what every model and cue sees. `reducing_gap` keeps the resize of a large photograph cheap."""
    scale = min(1.0, _SHORT_SIDE / min(image.size))
    width, height = (max(1, min(_LONG_SIDE, round(side * scale))) for side in image.size)
    if (width, height) == image.size:
        return image.convert("RGB")
    return image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _clip_token_counter() -> Callable[[str], int]:
    declare_missing_operators()
    from open_clip.tokenizer import SimpleTokenizer  # noqa: PLC0415

    tokenizer = SimpleTokenizer()
    return lambda text: len(tokenizer.encode(text))
