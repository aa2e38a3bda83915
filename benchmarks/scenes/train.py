"""Train a small CLIP on scenes, with open_clip's own model code, and save it as open_clip's folders are.

    python -m benchmarks.scenes.train wide --out benchmarks/scenes/checkpoints/wide
    python -m benchmarks.scenes.train deep --out benchmarks/scenes/checkpoints/deep

Both commands together made the committed checkpoints. Everything follows from the configuration's seed: scenes, texts
and weights; one thread, so that sums are added in one order.

CLIP's loss alone teaches so small an image tower backgrounds, colours and styles, but hardly the things, in the time
that two cores have. So it is done in three parts: the image tower learns the facts of its scenes, as classes; then the
text tower learns to say them, with the pictures' embeddings held fast; then both are trained together for a while.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.scenes import TRAINING
from benchmarks.scenes.captions import Text, training_text, truths
from benchmarks.scenes.lessons import Classes, clip_loss
from benchmarks.scenes.render import planned, rendered
from benchmarks.scenes.small_clip import CONTEXT, VOCABULARY, built, normalised, saved, text_features, tokens

LENGTHS = (1, 1, 2, 3, 5, 8, 12)  # phrases of a text, at most: one of them for a whole batch, so that batches are no
# longer than their texts


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is trained and how; `model` is an open_clip model configuration."""

    model: dict[str, Any]
    seed: int
    scenes: int = 24_000
    image_steps: int = 1000
    text_steps: int = 1100
    joint_steps: int = 200
    image_batch: int = 128
    text_batch: int = 256


RECIPES = {
    "wide": Recipe(
        model={
            "embed_dim": 128,
            "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 64},
            "text_cfg": {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": 48, "heads": 4, "layers": 3},
        },
        seed=1,
    ),
    "deep": Recipe(
        model={
            "embed_dim": 96,
            "custom_text": True,
            "quick_gelu": True,
            "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 1], "width": 12, "head_width": 48},
            "text_cfg": {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": 56, "heads": 4, "layers": 2},
        },
        seed=2,
    ),
}


class Course:
    """A model on its way through the parts of its training."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self._folder = folder
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.net = built(recipe.model).to(memory_format=torch.channels_last)
        self._began = time.monotonic()
        self._chance = random.Random(recipe.seed)
        first = TRAINING + recipe.seed * 10_000_000
        one_plain = recipe.scenes // 6  # easy ones among the others: one thing, no style
        self.plans = [
            planned(first + index, **({"count": 1, "plain": True} if index < one_plain else {}))
            for index in range(recipe.scenes)
        ]
        self._pictures = np.stack([rendered(plan) for plan in self.plans])
        self._truths = [truths(plan) for plan in self.plans]
        self._classes = Classes(self.plans, recipe.model["embed_dim"])
        self.say(f"{len(self.plans)} scenes")

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:5.0f} s: {what}", flush=True)

    def learn_pictures(self) -> None:
        """The image tower alone: its embedding is to tell, by a linear layer that is thrown away, what is true."""
        parts = nn.ModuleList([self.net.visual, self._classes])
        for places in self._steps("pictures", parts, 3e-3, self.recipe.image_steps, self.recipe.image_batch):
            self._step(self._classes.loss(self._seen(places), places))

    def learn_words(self) -> None:
        """The text tower alone, towards the embeddings that the image tower gives now."""
        self.net.visual.eval()
        with torch.inference_mode():
            every = range(len(self.plans))
            known = torch.cat([self._seen(every[start : start + 500]) for start in every[::500]])
        known = known.clone()  # an ordinary tensor again
        words = [parameter for name, parameter in self.net.named_parameters() if not name.startswith("visual.")]
        parts = nn.ParameterList(words)
        for places in self._steps("words", parts, 3e-3, self.recipe.text_steps, self.recipe.text_batch):
            self._step(self._told(known[places], places))

    def learn_both(self) -> None:
        """Both towers, and still the facts; the norms of the image tower keep the averages that they have."""
        self.net.visual.eval()
        parts = nn.ModuleList([self.net, self._classes])
        for places in self._steps("both", parts, 6e-4, self.recipe.joint_steps, self.recipe.image_batch):
            seen = self._seen(places)
            self._step(self._told(seen, places) + self._classes.loss(seen, places))

    def _seen(self, places: Sequence[int]) -> Tensor:
        """(n, d) float32, L2-normalised."""
        with torch.autocast("cpu", torch.bfloat16):
            seen = self.net.visual(normalised(self._pictures[places]))
        return nn.functional.normalize(seen.float(), dim=-1)

    def _told(self, seen: Tensor, places: Sequence[int]) -> Tensor:
        longest = self._chance.choice(LENGTHS)
        texts = [training_text(self.plans[place], self._chance, longest) for place in places]
        true = _truth([self._truths[place] for place in places], texts)
        told = text_features(self.net, tokens([text.words for text in texts]))
        return clip_loss(seen, told, self.net.logit_scale.exp(), true)

    def _steps(self, name: str, parts: nn.Module, rate: float, steps: int, batch: int) -> Iterator[list[int]]:
        """The places of each step's scenes; `_step` is to be called for each."""
        self._parts = parts
        self._optimiser = _optimiser(parts, rate)
        shape = lambda step: min((step + 1) / 40, 0.5 + 0.5 * math.cos(math.pi * step / steps))  # noqa: E731
        schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, shape)
        self._recent: list[float] = []
        for step in range(1, steps + 1):
            yield self._chance.sample(range(len(self.plans)), batch)
            schedule.step()
            if step % 100 == 0 or step == steps:
                hardest = "" if name == "words" else f" ({self._classes.said()})"
                self.say(f"{name} {step}: loss {np.mean(self._recent):.3f}{hardest}")
                self._recent = []
        saved(self.net, self.recipe.model, self._folder)

    def _step(self, loss: Tensor) -> None:
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._parts.parameters(), 1.0)
        self._optimiser.step()
        with torch.no_grad():
            self.net.logit_scale.clamp_(0, math.log(100))
        self._recent.append(loss.item())


def _truth(scenes: Sequence[frozenset[str]], texts: Sequence[Text]) -> NDArray[np.bool_]:
    """(scenes, texts): whether the text is true of the scene."""
    place = {fact: index for index, fact in enumerate(sorted(frozenset().union(*(text.says for text in texts))))}
    lacks = np.ones((len(scenes), len(place)), dtype=np.float32)
    needs = np.zeros((len(texts), len(place)), dtype=np.float32)
    for row, facts in zip(lacks, scenes, strict=True):
        row[[place[fact] for fact in facts if fact in place]] = 0
    for row, text in zip(needs, texts, strict=True):
        row[[place[fact] for fact in text.says]] = 1
    true: NDArray[np.bool_] = lacks @ needs.T == 0
    return true


def _optimiser(parts: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW; norms, biases and scales are not decayed."""
    flat = [parameter for parameter in parts.parameters() if parameter.ndim < 2]
    deep = [parameter for parameter in parts.parameters() if parameter.ndim >= 2]
    groups = [{"params": flat, "weight_decay": 0.0}, {"params": deep, "weight_decay": 0.05}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6)


def trained(recipe: Recipe, folder: Path) -> nn.Module:
    """The model after all parts of the recipe; what it is after each part is left in `folder`."""
    course = Course(recipe, folder)
    course.learn_pictures()
    course.learn_words()
    course.learn_both()
    return course.net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("--out", type=Path, required=True, help="the folder that becomes the checkpoint")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = RECIPES[arguments.recipe]
    folder = saved(trained(recipe, arguments.out), recipe.model, arguments.out)
    size = (folder / "open_clip_model.safetensors").stat().st_size
    print(f"{folder}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
