"""Our side of a comparison: the text tower, the table, the searches and the recipe, on the model that both share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from benchmarks.clip_models import Opened, token_limit
from interrogator.engines import Continue, SharedTextTower
from interrogator.errors import InterrogatorError
from interrogator.label_table import LabelTable
from interrogator.mined import MinedVocabulary, Tag
from interrogator.profiles import ClipProfile
from interrogator.recipes import Scene, Task
from interrogator.recipes.ranked import Ranked
from interrogator.search import Found, Problem, Score, exact, solve
from interrogator.types import Mode, Options
from interrogator.vocabulary import Label

GROUPS = {
    "artists": ("artist", Tag.ARTIST),
    "flavors": ("flavor", Tag.STYLE),
    "mediums": ("medium", Tag.STYLE),
    "movements": ("movement", Tag.STYLE),
    "trendings": ("trending", Tag.BOILERPLATE),
}
"""Group and tag of the labels of each of the original's tables. Tags decide nothing here: everything is allowed."""

Tables = Mapping[str, tuple[Sequence[str], torch.Tensor]]
"""Labels and embeddings (n, d) of each table, in the order in which the original merges them."""


@dataclass(slots=True)
class TowerEngine:
    """What the recipe needs of an engine: the targets of a benchmark are embeddings already."""

    text: SharedTextTower
    token_limit: int


def scorer(tower: SharedTextTower, embedding: torch.Tensor) -> Score:
    """(prefix, phrases) -> the cosine of each continuation with the target (d,)."""
    return _scorer(tower.continue_all, embedding)


def rough_scorer(tower: SharedTextTower, embedding: torch.Tensor) -> Score | None:
    """The same, quicker and a little off; None where the tower has nothing of that kind."""
    return tower.continue_roughly and _scorer(tower.continue_roughly, embedding)


def _scorer(embed: Continue, embedding: torch.Tensor) -> Score:
    def score(prefix: str, phrases: Sequence[str]) -> list[float]:
        similarities: list[float] = (embed([(prefix, phrases)])[0] @ embedding).tolist()
        return similarities

    return score


def fitting(tower: SharedTextTower, limit: int) -> Callable[[str, Sequence[str]], list[bool]]:
    """(prefix, phrases) -> whether each continuation is within the limit of tokens."""

    def fits(prefix: str, phrases: Sequence[str]) -> list[bool]:
        return [length <= limit for length in tower.lengths(prefix, phrases)]

    return fits


def compose(recipe: Ranked, tower: SharedTextTower, mode: Mode, embedding: torch.Tensor, caption: str) -> str:
    """The prompt of a mode of the recipe for a target (d,); everything is allowed in it."""
    scene = Scene(caption=caption, cues=(), image=embedding, subject=tower.embed([caption])[0])
    options = Options(mode=mode, artists=True, unsafe=True)
    (outcome,) = recipe.compose([Task(scene=scene, options=options, report=lambda _: None)])
    if isinstance(outcome, InterrogatorError):
        raise outcome
    return outcome.text


class OurSide:
    """All methods over the same labels and embeddings as the original's tables."""

    def __init__(self, opened: Opened, tower: SharedTextTower, tables: Tables, pool: int) -> None:
        labels, tags = [], []
        for name, (texts, _) in tables.items():
            group, tag = GROUPS[name]
            labels += [Label(text, group, tag is Tag.STYLE) for text in texts]
            tags += [tag] * len(texts)
        self._tower, self._limit, self._pool = tower, token_limit(opened), pool
        self._table = LabelTable(labels, torch.cat([matrix for _, matrix in tables.values()]))
        profile = ClipProfile(name="benchmark", models=(opened.name,), pool=pool)
        vocabulary = MinedVocabulary(tuple(labels), tuple(tags), ())
        self._recipe = Ranked(TowerEngine(tower, self._limit), vocabulary, self._table, profile)

    def run(self, method: str, embedding: torch.Tensor, caption: str) -> str:
        """The prompt of a method: `exact`, or a mode of the recipe."""
        if method == "exact":
            return self._interrogate(embedding, caption)
        return self._compose(Mode(method), embedding, caption)

    def _interrogate(self, embedding: torch.Tensor, caption: str) -> str:
        """What the original's `interrogate` does: the best of caption, classic, fast and the exact chain."""
        candidates = [
            caption,
            self._compose(Mode.CLASSIC, embedding, caption),
            self._compose(Mode.FAST, embedding, caption),
            self._chain(embedding, caption).prompt,
        ]
        similarities = self._tower.embed(candidates) @ embedding
        return candidates[int(similarities.argmax())]

    def _chain(self, embedding: torch.Tensor, caption: str) -> Found:
        ranked = self._table.top_k(embedding, self._pool)
        pool = dict.fromkeys(label.text for label, _ in ranked)  # the original makes a set of them
        problem = Problem(
            caption=caption,
            pool=tuple(pool),
            fits=fitting(self._tower, self._limit),
            min_count=8,
            max_count=32,
            rough=self._tower.continue_roughly is not None,
        )
        score, roughly = scorer(self._tower, embedding), rough_scorer(self._tower, embedding)
        return solve(exact(problem), score, roughly=roughly)

    def _compose(self, mode: Mode, embedding: torch.Tensor, caption: str) -> str:
        return compose(self._recipe, self._tower, mode, embedding, caption)
