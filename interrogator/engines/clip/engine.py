"""The CLIP engine: one or several open_clip models scored together, and a captioner."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import torch
from PIL import Image
from torch.nn.functional import normalize

from interrogator.engines import Report
from interrogator.engines.clip import presence
from interrogator.engines.clip.captioners import Captioner, load_captioner
from interrogator.engines.clip.device import DTYPES, choose_device, choose_precision, look, swaps
from interrogator.engines.clip.finite import check_finite
from interrogator.engines.clip.memory import BatchSize, Part, Residency, in_batches, move_text, weight_bytes
from interrogator.engines.clip.models import ClipModel, load_model
from interrogator.engines.clip.text import GuardedText, RowsTower
from interrogator.errors import UnsupportedOptionError
from interrogator.profiles import ClipProfile
from interrogator.text_tower import JointTextTower, open_text_tower
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label

VERSION = "clip-1"
_CAPTIONED, _EMBEDDED = 16, 32  # images at once, where memory does
_CPU_ROWS, _ACCELERATOR_ROWS, _SHORT_ROWS = (
    2048,
    16_384,
    4096,
)  # tokens of texts at once; the last where memory is short
_EXTREME = 8
"""Sides' ratio from which an image is cut before it is resized: what the resize keeps is its middle anyway."""


class ClipEngine:
    """`Engine` of the CLIP profiles. `models` are as loaded; `text` is their joint text tower."""

    note = ""

    def __init__(self, models: Sequence[ClipModel], captioner: Captioner | None, residency: Residency) -> None:
        """The models and the captioner are on the CPU; `residency` brings them to its device."""
        names = " + ".join(one.name for one in models)
        self.name = f"clip {names}"
        self.version = _version(models)
        self.models = tuple(models)
        self.captioner = captioner
        self.residency = residency
        self._captioned, self._embedded = BatchSize(_CAPTIONED), BatchSize(_EMBEDDED)
        towers = [open_text_tower(one.model, one.tokenizer, rows=_rows(residency)) for one in models]
        whole: RowsTower = towers[0] if len(towers) == 1 else JointTextTower(towers)
        texts = [residency.add(_text_part(one, tower)) for one, tower in zip(models, towers, strict=True)]
        self._vision = [residency.add(_vision_part(one)) for one in models]
        self._caption_part = residency.add(Part(captioner.name, captioner.move)) if captioner else None
        self.text = GuardedText(whole, residency, texts, lambda rows: _check_texts(models, rows))
        self.token_limit = self.text.token_limit

    @classmethod
    def load(cls, profile: ClipProfile, report: Report | None = None) -> ClipEngine:
        """Everything that the profile names, nothing downloaded. Errors as `interrogator.engines.clip.load_clip`."""
        if not profile.models:
            raise UnsupportedOptionError(f"The profile “{profile.name}” names no models.")
        parts = len(profile.models) + 1

        def tell(done: int) -> None:
            if report:
                report(Progress(Stage.LOAD, done, parts))

        tell(0)
        machine = look()
        device = choose_device(profile.device, machine)
        precision = choose_precision(profile.precision, device, machine)
        missing = presence.missing_error(profile)
        models = []
        for name in profile.models:
            models.append(load_model(name, precision, missing))
            tell(len(models))
        captioner = load_captioner(profile.captioner, precision, device, machine, missing)
        modules = [one.model for one in models] + ([captioner.model] if captioner else [])
        swap = swaps(profile.low_memory, device, machine, sum(map(weight_bytes, modules)))
        engine = cls(models, captioner, Residency(torch.device(device), swap=swap))
        tell(parts)
        return engine

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        """What is in each image; "" without a captioner."""
        if self.captioner is None or self._caption_part is None or not images:
            return [""] * len(images)
        with self.residency.using(self._caption_part):
            return in_batches([_rgb(image) for image in images], self._captioned, self.captioner.describe)

    def embed_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """(n, d) float32 on the CPU, rows L2-normalised; d is the sum of the models', whose parts weigh the same, so
        that a cosine is the mean of theirs. NotFiniteError where one of them is not finite."""
        if not images:
            return self.text.embed([])
        pictures = [_rgb(image) for image in images]
        joint = torch.cat([self._embed(i, pictures) for i in range(len(self.models))], dim=-1)
        return joint / math.sqrt(len(self.models))

    def cues(self, images: Sequence[Image.Image]) -> list[list[Label]]:
        """None: CLIP reads nothing from the pixels that is certain."""
        return [[] for _ in images]

    def _embed(self, place: int, images: Sequence[Image.Image]) -> torch.Tensor:
        """(n, d of this model) float32 on the CPU, rows L2-normalised."""
        clip = self.models[place]
        with self.residency.using(self._vision[place]):
            rows = in_batches(images, self._embedded, lambda some: self._encode(clip, some))
        embedded = normalize(torch.stack(rows), dim=-1)
        check_finite([embedded], clip.name, "an image", clip.precision)
        return embedded

    def _encode(self, clip: ClipModel, images: Sequence[Image.Image]) -> list[torch.Tensor]:
        ready = [clip.preprocess(image if clip.squashes else _middle(image)) for image in images]
        pixels = torch.stack(ready).to(self.residency.device, DTYPES[clip.precision])
        with torch.no_grad():
            encoded: torch.Tensor = clip.model.encode_image(pixels)  # type: ignore[operator] # of open_clip
        return list(encoded.float().cpu())


def _rows(residency: Residency) -> int:
    if residency.device.type == "cpu":
        return _CPU_ROWS
    return _SHORT_ROWS if residency.swap else _ACCELERATOR_ROWS


def _text_part(clip: ClipModel, tower: RowsTower) -> Part:
    def move(device: torch.device) -> None:
        tower.forget()
        move_text(clip.model, device)

    return Part(f"the text tower of {clip.name}", move)


def _vision_part(clip: ClipModel) -> Part:
    def move(device: torch.device) -> None:
        clip.model.get_submodule("visual").to(device)

    return Part(f"the vision tower of {clip.name}", move)


def _check_texts(models: Sequence[ClipModel], rows: Sequence[torch.Tensor]) -> None:
    names = " + ".join(one.name for one in models)
    check_finite(rows, names, "a text", models[0].precision)


def _version(models: Sequence[ClipModel]) -> str:
    """Changes with the weights and the precision: of the part of the cache keys that embeddings depend on."""
    content = [f"{one.identity} {one.precision}" for one in models]
    return f"{VERSION} {hashlib.sha256(' '.join(content).encode()).hexdigest()[:16]} {models[0].precision}"


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _middle(image: Image.Image) -> Image.Image:
    """A very long image cut to its middle: resized as it is, one of 1 x 60,000 pixels would take gigabytes."""
    width, height = image.size
    short = min(width, height)
    if max(width, height) <= _EXTREME * short:
        return image
    w, h = min(width, short * _EXTREME), min(height, short * _EXTREME)
    left, top = (width - w) // 2, (height - h) // 2
    return image.crop((left, top, left + w, top + h))
