"""The pictures that the searches are compared on: what a search sees of each, what the judge sees, and what is true."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.clip_models import (
    CAPTIONS,
    HIDDEN,
    HIDDEN_NOTE,
    NOISE,
    Opened,
    encode,
    open_model,
    open_tower,
    token_limit,
)
from benchmarks.original_side import ONE_OF_EACH, open_original, quietly, read_lists
from interrogator.engines import SharedTextTower

RANDOM_LABELS = 4096


@dataclass(frozen=True, slots=True)
class Case:
    """One picture. `pool` are its phrases, best first, `prior` their cosines; `searched` (d,) is its embedding by the
    model that is searched with, `judged` (e,) by the other. `truths` is how many phrases of the whole vocabulary are
    true of it."""

    name: str
    caption: str
    pool: tuple[str, ...]
    prior: tuple[float, ...]
    searched: torch.Tensor
    judged: torch.Tensor
    true: Callable[[str], bool]
    truths: int


@dataclass(frozen=True, slots=True)
class Bench:
    """The cases with the text towers of both models, and the original on the one that is searched with. `matrix` (n, d)
    are the embeddings of all `labels`, `width` the size of a pool."""

    note: str
    cases: tuple[Case, ...]
    labels: tuple[str, ...]
    matrix: torch.Tensor
    width: int
    opened: Opened
    judge: Opened
    original: Any

    @property
    def token_limit(self) -> int:
        return token_limit(self.opened)

    def tower(self) -> SharedTextTower:
        """A tower that knows nothing yet: each trial begins with one."""
        return open_tower(self.opened)


def scene_cases(sort: str, count: int, pool: int) -> Bench:
    """`count` rendered scenes, "held out" or "tuning"; the labels are the vocabulary of the scenes."""
    from benchmarks import scenes  # noqa: PLC0415 - only where scenes are wanted

    searched, judge = (open_model(str(folder)) for folder in list(scenes.folders())[:2])
    drawn = list((scenes.tuning if sort == "tuning" else scenes.held_out)(count))
    vocabulary = tuple(scenes.vocabulary())
    images = [scene.image for scene in drawn]
    mine, theirs = _look(searched, images), _look(judge, images)
    matrix = encode_all(searched, vocabulary)
    ranked = _ranked(matrix, mine, min(pool, len(vocabulary)))
    cases = tuple(
        Case(
            name=f"scene {number}",
            caption=scene.caption,
            pool=tuple(vocabulary[place] for place in places),
            prior=tuple(prior),
            searched=mine[number],
            judged=theirs[number],
            true=scene.true,
            truths=len(scene.phrases),
        )
        for number, (scene, (prior, places)) in enumerate(zip(drawn, ranked, strict=True))
    )
    note = (
        f"{len(cases)} {sort} scenes, {len(vocabulary)} phrases, pool {len(cases[0].pool)}; searched with "
        f"{Path(searched.name).name}, judged by {Path(judge.name).name}, both small and trained on such scenes"
    )
    return Bench(note, cases, vocabulary, matrix, pool, searched, judge, _original(searched))


def random_cases(sort: str, count: int, pool: int) -> Bench:
    """Two random ViT-B-32 of different seeds, and flavors of the package."""
    searched, judge = (open_model("ViT-B-32", seed=seed) for seed in (0, 1))
    return hidden_cases(sort, count, pool, (searched, judge), read_lists(RANDOM_LABELS).flavors)


def hidden_cases(sort: str, count: int, pool: int, models: tuple[Opened, Opened], flavors: Sequence[str]) -> Bench:
    """A picture is a noisy embedding of a hidden prompt, in the model that is searched with and in the judge."""
    generator = torch.Generator().manual_seed(1 if sort == "tuning" else 0)
    hidden = [
        tuple(flavors[place] for place in torch.randperm(len(flavors), generator=generator)[:HIDDEN].tolist())
        for _ in range(count)
    ]
    prompts = [", ".join([CAPTIONS[number % len(CAPTIONS)], *some]) for number, some in enumerate(hidden)]
    searched, judge = models
    mine, theirs = (_noisy(encode_all(opened, prompts), generator) for opened in models)
    matrix = open_tower(searched).embed(flavors)
    ranked = _ranked(matrix, mine, min(pool, len(flavors)))
    cases = tuple(
        Case(
            name=f"target {number + 1}",
            caption=CAPTIONS[number % len(CAPTIONS)],
            pool=tuple(flavors[place] for place in places),
            prior=tuple(prior),
            searched=mine[number],
            judged=theirs[number],
            true=frozenset(hidden[number]).__contains__,
            truths=HIDDEN,
        )
        for number, (prior, places) in enumerate(ranked)
    )
    note = (
        f"{searched.note}; {count} targets ({sort}), {len(flavors)} phrases, pool {len(cases[0].pool)}; {HIDDEN_NOTE}. "
        "Speed and search only: what is found means nothing"
    )
    return Bench(note, cases, tuple(flavors), matrix, pool, searched, judge, _original(searched))


def encode_all(opened: Opened, texts: Sequence[str], rows: int = 256) -> torch.Tensor:
    """`encode` in batches."""
    return torch.cat([encode(opened, texts[start : start + rows]) for start in range(0, len(texts), rows)])


def _look(opened: Opened, images: Sequence[Any]) -> torch.Tensor:
    """(n, d) float32 on the CPU, L2-normalised: the images by the model's own preprocessing."""
    model: Any = opened.model
    batch = torch.stack([opened.preprocess(image) for image in images]).to(opened.device)
    with torch.inference_mode():
        return torch.nn.functional.normalize(model.encode_image(batch).float(), dim=-1).cpu()


def _ranked(labels: torch.Tensor, images: torch.Tensor, count: int) -> list[tuple[list[float], list[int]]]:
    """The `count` labels nearest to each image: their cosines and places."""
    similarities, places = torch.sort(images @ labels.T, dim=-1, descending=True, stable=True)
    return list(zip(similarities[:, :count].tolist(), places[:, :count].tolist(), strict=True))


def _noisy(embeddings: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    noise = torch.nn.functional.normalize(torch.randn(embeddings.shape, generator=generator), dim=-1)
    return torch.nn.functional.normalize(embeddings + NOISE * noise, dim=-1)


def _original(opened: Opened) -> Any:
    with tempfile.TemporaryDirectory() as folder, quietly():
        return open_original(opened, ONE_OF_EACH, lambda texts: encode(opened, texts), Path(folder), 1)
