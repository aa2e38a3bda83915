"""The model that both sides of a comparison share, and targets for it where no image can be embedded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from interrogator.engines import SharedTextTower
from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.text_tower import open_text_tower

CAPTIONS = (
    "a painting of a castle on a hill at dusk",
    "a woman in a red dress standing in a field",
    "a black cat sitting on a window sill",
    "a city street at night in the rain",
    "a wooden boat on a calm lake",
    "a robot holding a flower in a garden",
    "an old man reading a book by a fire",
    "a snowy mountain under a starry sky",
    "a bowl of fruit on a kitchen table",
    "a spaceship flying over a desert",
)
HIDDEN = 8
"""How many phrases the hidden prompt of a target has beside its caption."""
NOISE = 1.0
"""Norm of the noise that is added to its embedding, which has norm 1."""
HIDDEN_NOTE = (
    f"no images: the targets are embeddings of hidden prompts (caption and {HIDDEN} flavors) with gaussian noise of "
    f"norm {NOISE:g}"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open_clip model with what belongs to it. `architecture` is a name that open_clip has a tokenizer for."""

    name: str
    architecture: str
    model: Any
    preprocess: Callable[[Any], torch.Tensor]
    tokenizer: Any
    device: str
    random: bool

    @property
    def note(self) -> str:
        """What is said of the weights beside every figure."""
        if not self.random:
            return f"{self.name}, trained weights"
        return f"{self.name}, RANDOM weights (seeded): speed and exactness are real, quality is not"


@dataclass(frozen=True, slots=True)
class Target:
    """What a prompt is sought for: an image embedding (d,) float32 on the CPU, L2-normalised, and a caption."""

    name: str
    caption: str
    embedding: torch.Tensor


def open_model(name: str, device: str = "cpu", seed: int = 0) -> Opened:
    """`ARCHITECTURE/TAG` of open_clip with its weights, `ARCHITECTURE` with random ones, or a folder with
    `open_clip_config.json` and weights. fp32 on a CPU, fp16 on an accelerator, as the original loads it."""
    declare_missing_operators()
    import open_clip  # noqa: PLC0415 - after the operators

    folder, (architecture, _, tag) = Path(name).is_dir(), name.partition("/")
    if not folder and architecture not in open_clip.list_models():
        raise SystemExit(f"“{name}” is neither a folder nor a model of open_clip, such as ViT-B-32 or ViT-L-14/openai")
    asked = f"local-dir:{name}" if folder else architecture
    torch.manual_seed(seed)
    logging.disable(logging.WARNING)  # that the weights are random is said in the output
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            asked,
            pretrained=None if folder else tag or None,
            precision="fp16" if device.startswith("cuda") else "fp32",
            device=device,
        )
    finally:
        logging.disable(logging.NOTSET)
    return Opened(
        name=name,
        architecture="ViT-B-32" if folder else architecture,
        model=model.train(mode=False),
        preprocess=preprocess,
        tokenizer=open_clip.get_tokenizer(asked),
        device=device,
        random=not (folder or tag),
    )


def open_tower(opened: Opened) -> SharedTextTower:
    """Our text tower on the model: it knows nothing yet, no tokens and no prefix."""
    return open_text_tower(opened.model, opened.tokenizer)


def token_limit(opened: Opened) -> int:
    """Tokens of a prompt, the two special ones not counted."""
    return int(opened.tokenizer.context_length) - 2


def encode(opened: Opened, texts: Sequence[str]) -> torch.Tensor:
    """The model's own embeddings, the plain way: (n, d) float32 on the CPU, L2-normalised. Long texts are cut."""
    with torch.inference_mode():
        embeddings = opened.model.encode_text(opened.tokenizer(list(texts)).to(opened.device))
    return torch.nn.functional.normalize(embeddings.float(), dim=-1).cpu()


def hidden_targets(opened: Opened, phrases: Sequence[str], count: int, seed: int = 0) -> list[Target]:
    """`count` targets, each the embedding of a caption and random phrases, with noise: what a search may find.

    The same ones for the same model, phrases and seed, whatever the count.
    """
    generator = torch.Generator().manual_seed(seed)
    targets = []
    for number in range(count):
        caption = CAPTIONS[number % len(CAPTIONS)]
        places = torch.randperm(len(phrases), generator=generator)[:HIDDEN].tolist()
        (hidden,) = encode(opened, [", ".join([caption, *(phrases[place] for place in places)])])
        noise = torch.nn.functional.normalize(torch.randn(hidden.shape, generator=generator), dim=-1)
        noisy = torch.nn.functional.normalize(hidden + NOISE * noise, dim=-1)
        targets.append(Target(f"target {number + 1}", caption, noisy))
    return targets
