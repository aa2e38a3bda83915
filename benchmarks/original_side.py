"""The package clip-interrogator 0.6.0 as it is, on a model object that is given to it.

Nothing of it is changed. What is set on its objects from outside: the features of the image (where a target takes the
place of an image), the tokenizer (where the model is a folder), and files in its own formats: lists, and embeddings of
them, so that its constructor does not compute them for hours.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from benchmarks.clip_models import Opened
from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.mined import load_mined

Embed = Callable[[Sequence[str]], torch.Tensor]
TABLES = ("artists", "flavors", "mediums", "movements", "trendings")
"""The tables that its search merges, in its order."""
TRENDINGS = 72
"""How many labels its constructor makes up by itself, beside those of the lists."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Its lists as in its data folder, one field a file; artists are names, each used as two labels."""

    artists: tuple[str, ...]
    flavors: tuple[str, ...]
    mediums: tuple[str, ...]
    movements: tuple[str, ...]
    negative: tuple[str, ...]

    def labels(self, name: str) -> list[str]:
        """The labels of the table that it makes of that list."""
        texts: tuple[str, ...] = getattr(self, name)
        if name == "artists":
            return [f"{how} {artist}" for how in ("by", "inspired by") for artist in texts]
        return list(texts)

    def count(self) -> int:
        """How many labels its search ranks."""
        return TRENDINGS + sum(len(self.labels(field.name)) for field in fields(self) if field.name != "negative")


ONE_OF_EACH = Lists(artists=("x",), flavors=("y",), mediums=("z",), movements=("v",), negative=("w",))
"""Lists for an original of which no table is asked."""


def package() -> Any:
    """Its module; SystemExit where it is not installed."""
    declare_missing_operators()
    try:
        clip_interrogator = importlib.import_module("clip_interrogator.clip_interrogator")
    except ImportError as error:
        raise SystemExit("clip-interrogator is not installed: pip install clip-interrogator==0.6.0") from error
    return clip_interrogator


def read_lists(count: int | None = None, seed: int = 0) -> Lists:
    """The labels of `interrogator.mined` (the package's own, cleaned, and our styles beside them) as its lists; with
    `count`, a random part of artists and flavors so that that many labels are ranked."""
    lists = _all_lists()
    if count is None or count >= lists.count():
        return lists
    room = count - (TRENDINGS + len(lists.mediums) + len(lists.movements))
    if room < 2:
        raise SystemExit(f"{count} labels are too few: mediums, movements and trendings alone are {count - room}")
    random = np.random.default_rng(seed)
    artists = min(len(lists.artists), room // 20)
    return replace(
        lists,
        artists=_some(lists.artists, artists, random),
        flavors=_some(lists.flavors, room - 2 * artists, random),
    )


def open_original(opened: Opened, lists: Lists, embed: Embed, folder: Path, pool: int) -> Any:
    """Its Interrogator on the given model, with these lists and the embeddings that `embed` has of them, stored under
    `folder` as it stores them itself.

    `chunk_size` is the number of labels, or else (with its default of 2,048) its ranking would miss some of the best
    labels, and the two sides would search different pools. It embeds its own 72 trendings in the constructor.
    """
    original = package()
    name = f"{opened.architecture}/benchmark"
    for field in fields(Lists):
        (folder / f"{field.name}.txt").write_text("\n".join(getattr(lists, field.name)), encoding="utf-8")
        labels = lists.labels(field.name)
        cache = folder / f"{name.replace('/', '_')}_{field.name}.safetensors"
        save_file({"embeds": embed(labels).half().numpy(), "hash": _hash(labels)}, cache)
    config = original.Config(
        caption_model_name=None,
        clip_model_name=name,
        cache_path=str(folder),
        data_path=str(folder),
        download_cache=False,
        chunk_size=max(2048, lists.count()),
        device=opened.device,
        flavor_intermediate_count=pool,
        quiet=True,
    )
    config.clip_model, config.clip_preprocess = opened.model, opened.preprocess
    with quietly():
        interrogator = original.Interrogator(config)
    interrogator.tokenize = opened.tokenizer
    return interrogator


def ranked_tables(interrogator: Any) -> dict[str, tuple[list[str], torch.Tensor]]:
    """Labels and embeddings (n, d) float32 of each table of `TABLES`, as it holds them."""
    tables = {name: getattr(interrogator, name) for name in TABLES}
    return {
        name: (list(table.labels), torch.from_numpy(np.stack(table.embeds)).float()) for name, table in tables.items()
    }


def look_at(interrogator: Any, embedding: torch.Tensor) -> torch.Tensor:
    """Let every image have the features `embedding` (d,); returns them in its own shape, (1, d) on its device."""
    features = embedding.unsqueeze(0).to(interrogator.device)
    interrogator.image_to_features = lambda _image: features
    return features


@contextlib.contextmanager
def recorded(model: Any) -> Iterator[list[torch.Tensor]]:
    """What the model's `encode_text` returns meanwhile: its callers normalise those tensors in place."""
    outputs: list[torch.Tensor] = []
    encode = model.encode_text

    def encode_and_keep(*arguments: Any, **named: Any) -> torch.Tensor:
        outputs.append(encode(*arguments, **named))
        return outputs[-1]

    model.encode_text = encode_and_keep
    try:
        yield outputs
    finally:
        del model.encode_text


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without the warnings that newer versions of torch give at every call of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.cuda.amp.*", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*CUDA is not available.*", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*autocast.*", category=UserWarning)
        yield


@cache
def _all_lists() -> Lists:
    vocabulary = load_mined()
    groups: dict[str, list[str]] = defaultdict(list)
    for label in vocabulary.labels:
        groups[label.group].append(label.text)
    return Lists(
        artists=tuple(text.removeprefix("by ") for text in groups["artist"] if text.startswith("by ")),
        flavors=tuple(groups["flavor"]),
        mediums=tuple(groups["medium"]),
        movements=tuple(groups["movement"]),
        negative=tuple(label.text for label in vocabulary.negatives),
    )


def _some(texts: tuple[str, ...], count: int, random: np.random.Generator) -> tuple[str, ...]:
    places = np.sort(random.choice(len(texts), count, replace=False))
    return tuple(texts[place] for place in places)


def _hash(labels: Sequence[str]) -> np.ndarray:
    """The key under which it looks for embeddings of these labels."""
    digest = hashlib.sha256(",".join(labels).encode()).hexdigest()
    return np.array([ord(character) for character in digest], dtype=np.int8)
