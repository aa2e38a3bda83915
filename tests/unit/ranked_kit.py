"""A small random CLIP with a few real labels, and images that are the noisy embeddings of hidden prompts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from zlib import crc32

import msgspec
import torch
from checkpoints import CLIP, make_clip
from torch.nn.functional import normalize

from interrogator.engines import Report, SharedTextTower
from interrogator.errors import InterrogatorError
from interrogator.label_table import LabelTable
from interrogator.mined import MinedVocabulary, load_mined
from interrogator.profiles import ClipProfile
from interrogator.recipes import Prompt, Scene, Task
from interrogator.recipes.ranked import Ranked
from interrogator.request import silent
from interrogator.text_tower import open_text_tower
from interrogator.types import Mode, Options
from interrogator.vocabulary import Label

SIZES = {"artist": 30, "flavor": 120, "medium": 12, "movement": 12, "trending": 12}
PROFILE = ClipProfile(name="small", models=("small",), pool=64, max_phrases=8, min_phrases=3, fresh=16, rounds=2)
LAZY = msgspec.structs.replace(PROFILE, fresh=4, first=8)
"""A pool so much larger than `fresh` that best does not search it exactly: as by the default profile."""
CAPTIONS = ("a cat on a red sofa", "a woman in a hat, looking at the sea", "two boats")


@dataclass(frozen=True)
class Small:
    """An engine that has only what the recipe needs."""

    text: SharedTextTower
    token_limit: int


@cache
def model(seed: int = 0) -> torch.nn.Module:
    """The same for a seed."""
    return make_clip(CLIP, seed)


@cache
def engine(seed: int = 0, dtype: torch.dtype = torch.float32) -> Small:
    clip = model(seed)  # first: it makes open_clip importable
    import open_clip

    tower = open_text_tower(deepcopy(clip).to(dtype), open_clip.get_tokenizer("ViT-B-32"))
    return Small(tower, tower.token_limit)


class RoughText:
    """The text tower of `engine()` as half precision makes it, and more so: continuations are a little beside what
    their texts give by themselves, each text always by as much."""

    continue_roughly = None

    def __init__(self) -> None:
        text = engine().text
        self._text = text
        self.token_limit, self.lengths, self.count_tokens = text.token_limit, text.lengths, text.count_tokens

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        return torch.cat([self._text.embed([text]) for text in texts]) if texts else self._text.embed([])

    def continuations(self, prefix: str, phrases: Sequence[str]) -> torch.Tensor:
        return self.continue_all([(prefix, phrases)])[0]

    def continue_all(self, asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
        return [
            normalize(rows + 0.1 * torch.stack([self._beside(f"{prefix}, {phrase}") for phrase in phrases]), dim=-1)
            for (prefix, phrases), rows in zip(asks, self._text.continue_all(asks), strict=True)
        ]

    @staticmethod
    def _beside(text: str) -> torch.Tensor:
        generator = torch.Generator().manual_seed(crc32(text.removeprefix(", ").encode()))
        return normalize(torch.randn(32, generator=generator), dim=-1)


@cache
def mined() -> MinedVocabulary:
    return load_mined()


@cache
def vocabulary(seed: int = 0) -> MinedVocabulary:
    """A random part of CLIP Interrogator's labels, in their order."""
    whole = mined()
    chance = random.Random(seed)
    places: list[int] = []
    for group, count in SIZES.items():
        own = [place for place, label in enumerate(whole.labels) if label.group == group and ", " not in label.text]
        places += sorted(chance.sample(own, count))
    labels = tuple(whole.labels[place] for place in places)
    return MinedVocabulary(labels, tuple(whole.tags[place] for place in places), whole.negatives[:20])


def part(labels: MinedVocabulary, keep: Callable[[Label], bool]) -> MinedVocabulary:
    """The labels for which `keep` is true."""
    kept = [place for place, label in enumerate(labels.labels) if keep(label)]
    chosen = tuple(labels.labels[place] for place in kept)
    return MinedVocabulary(chosen, tuple(labels.tags[place] for place in kept), labels.negatives)


def table(labels: MinedVocabulary, small: Small, dtype: torch.dtype = torch.float32) -> LabelTable:
    return LabelTable(labels.labels, small.text.embed([label.text for label in labels.labels]).to(dtype))


@cache
def recipe(seed: int = 0, profile: ClipProfile = PROFILE, labels: MinedVocabulary | None = None) -> Ranked:
    labels = labels or vocabulary(seed)
    return Ranked(engine(), labels, table(labels, engine()), profile)


def scene(seed: int = 0, caption: str = CAPTIONS[0]) -> Scene:
    """The noisy embedding of the caption with three labels of the vocabulary of the same seed."""
    chance = random.Random(seed)
    hidden = ", ".join([caption, *(label.text for label in chance.sample(vocabulary(seed).labels, 3))])
    text, generator = engine().text, torch.Generator().manual_seed(seed)
    embedded = text.embed([hidden])[0]
    noise = normalize(torch.randn(embedded.shape, generator=generator), dim=-1)
    subject = text.embed([caption])[0] if caption else None
    return Scene(caption=caption, cues=(), image=normalize(embedded + 0.5 * noise, dim=-1), subject=subject)


def task(seed: int = 0, mode: Mode = Mode.TURBO, caption: str = CAPTIONS[0], **options: object) -> Task:
    """What is asked of `scene(seed)`; everything is allowed unless `options` say otherwise."""
    chosen = replace(Options(mode=mode, unsafe=True), **options)  # type: ignore[arg-type]
    return Task(scene=scene(seed, caption), options=chosen, report=silent)


def compose(recipe: Ranked, *tasks: Task) -> list[Prompt]:
    outcomes = recipe.compose(tasks)
    assert not any(isinstance(outcome, InterrogatorError) for outcome in outcomes), outcomes
    return outcomes  # type: ignore[return-value]


def prompts(recipe: Ranked, tasks: Sequence[Task]) -> list[str]:
    return [one.text for one in compose(recipe, *tasks)]
