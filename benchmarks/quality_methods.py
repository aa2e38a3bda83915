"""The searches that are compared, by name, and their trials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from benchmarks.clip_models import encode
from benchmarks.original_side import look_at, quietly, recorded
from benchmarks.our_side import TowerEngine, compose, fitting, rough_scorer, scorer
from benchmarks.quality_cases import Bench, Case
from benchmarks.quality_searches import beam, deep
from interrogator.engines import Continue, Report, SharedTextTower
from interrogator.label_table import LabelTable
from interrogator.mined import MinedVocabulary, Tag
from interrogator.profiles import ClipProfile
from interrogator.recipes.ranked import Ranked
from interrogator.search import Problem, Search, Widths, exact, lazy, solve
from interrogator.types import Mode
from interrogator.vocabulary import Label

MIN_COUNT, MAX_COUNT = 8, 32


@dataclass(frozen=True, slots=True)
class Trial:
    """One search on one case. `similarity` is the cosine by the model that was searched with, `judged` by the other;
    `precision` the share of its phrases that are true (1 where it has none), `recall` that of what is true and was
    said; `texts` how many prompts were embedded on the way, `tokens` how many tokens were computed for them."""

    method: str
    case: str
    seconds: float
    texts: int
    tokens: int
    similarity: float
    judged: float
    precision: float
    recall: float
    phrases: int
    prompt: str


class CountingTower:
    """A text tower, and how many texts were asked of it."""

    def __init__(self, tower: SharedTextTower) -> None:
        self._tower = tower
        self.texts = 0
        self.token_limit = tower.token_limit
        self.lengths = tower.lengths
        self.count_tokens = tower.count_tokens

    @property
    def tokens(self) -> int:
        """Tokens computed so far."""
        return int(getattr(self._tower, "computed", 0))

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        self.texts += len(texts)
        return self._tower.embed(texts, report)

    def continuations(self, prefix: str, phrases: Sequence[str]) -> torch.Tensor:
        self.texts += len(phrases)
        return self._tower.continuations(prefix, phrases)

    def continue_all(self, asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
        self.texts += sum(len(phrases) for _, phrases in asks)
        return self._tower.continue_all(asks)

    @property
    def continue_roughly(self) -> Continue | None:
        """Counts too: what is then asked exactly, it counts again."""
        roughly = self._tower.continue_roughly
        if roughly is None:
            return None

        def counted(asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
            self.texts += sum(len(phrases) for _, phrases in asks)
            return roughly(asks)

        return counted


Method = Callable[[Bench, Case, CountingTower], str]


def _searched(make: Callable[[Problem], Search]) -> Method:
    """A search by itself, over the case's pool."""

    def method(bench: Bench, case: Case, tower: CountingTower) -> str:
        problem = Problem(
            caption=case.caption,
            pool=case.pool,
            prior=case.prior,
            fits=fitting(tower, bench.token_limit),
            min_count=MIN_COUNT,
            max_count=MAX_COUNT,
            rough=tower.continue_roughly is not None,
        )
        return solve(make(problem), scorer(tower, case.searched), roughly=rough_scorer(tower, case.searched)).prompt

    return method


def _mode(mode: Mode, **parameters: Any) -> Method:
    """A mode as it is used, with these fields of its profile."""

    def method(bench: Bench, case: Case, tower: CountingTower) -> str:
        labels = tuple(Label(text, "flavor", style=True) for text in bench.labels)
        vocabulary = MinedVocabulary(labels, (Tag.STYLE,) * len(labels), ())
        profile = ClipProfile(
            name="quality",
            models=(bench.opened.name,),
            pool=max(bench.width, MAX_COUNT),
            min_phrases=MIN_COUNT,
            max_phrases=MAX_COUNT,
            **parameters,
        )
        recipe = Ranked(TowerEngine(tower, bench.token_limit), vocabulary, LabelTable(labels, bench.matrix), profile)
        return compose(recipe, tower, mode, case.searched, case.caption)

    return method


def _lazy(fresh: int) -> Method:
    return _searched(lambda problem: lazy(problem, fresh=fresh))


def _local(fresh: int, replace: int, probe: int, rounds: int) -> Method:
    """Lazy, and from what it found local search."""
    return _searched(
        lambda problem: deep(problem, fresh=fresh, widths=Widths(replace=replace, probe=probe, rounds=rounds))
    )


def _beam(width: int, fresh: int) -> Method:
    return _searched(lambda problem: beam(problem, width, fresh))


ORIGINAL = "original"
EXACT = "exact"
METHODS: dict[str, Method | None] = {
    ORIGINAL: None,
    EXACT: _searched(exact),
    **{f"lazy {fresh}": _lazy(fresh) for fresh in (16, 64, 128)},
    **{
        f"local {replace}:{probe}/{rounds}": _local(128, replace, probe, rounds)
        for replace, probe, rounds in ((16, 16, 3), (4, 32, 1), (8, 64, 1), (8, 64, 3), (16, 128, 3))
    },
    **{f"beam {width}": _beam(width, 64) for width in (2, 4)},
    "turbo": _mode(Mode.TURBO),
    "best": _mode(Mode.BEST),
}
"""By name; `original` is run by its own code. "lazy 64" evaluates 64 phrases a round anew; "local 8:64/3" then tries in
each place the 8 of 64 phrases that are best at the end, in 3 rounds. `turbo`
and `best` are the modes by their defaults."""
TUNED: dict[str, Method | None] = {
    EXACT: _searched(exact),
    **{
        f"turbo {first}:{fresh}/{rounds}": _mode(Mode.TURBO, first=first, fresh=fresh, turbo_rounds=rounds)
        for first, fresh, rounds in (
            (128, 64, 0),
            (256, 64, 0),
            (512, 32, 0),
            (512, 64, 0),
            (512, 128, 0),
            (512, 32, 1),
            (512, 64, 1),
            (512, 64, 2),
        )
    },
    **{
        f"best {fresh}:{replace}:{probe}/{rounds}": _mode(
            Mode.BEST, fresh=fresh, replace_width=replace, probe_width=probe, rounds=rounds
        )
        for fresh, replace, probe, rounds in (
            (64, 8, 64, 3),
            (128, 8, 64, 1),
            (128, 8, 64, 3),
            (128, 16, 16, 3),
            (128, 4, 64, 3),
            (128, 16, 128, 3),
        )
    },
}
"""With --tune: `turbo FIRST:FRESH/ROUNDS` and `best FRESH:REPLACE:PROBE/ROUNDS`, the fields of `ClipProfile`."""


def try_all(bench: Bench, methods: Mapping[str, Method | None], log: Path | None = None) -> list[Trial]:
    """Every method on every case; each trial is appended to `log` as it is known."""
    trials = []
    for number, case in enumerate(bench.cases, 1):
        began = perf_counter()
        for name, method in methods.items():
            trial = _try(bench, case, name, method)
            trials.append(trial)
            if log is not None:
                with log.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(asdict(trial), ensure_ascii=False) + "\n")
        print(f"  {case.name} ({number} of {len(bench.cases)}): {perf_counter() - began:.1f} s", flush=True)
    return trials


def _try(bench: Bench, case: Case, name: str, method: Method | None) -> Trial:
    tower = CountingTower(bench.tower())
    began = perf_counter()
    if method is None:
        prompt, texts = original_chain(bench, case)
        tokens = texts * (bench.token_limit + 2)
    else:
        prompt = method(bench, case, tower)
        texts, tokens = tower.texts, tower.tokens
    seconds = perf_counter() - began
    said = phrases_of(prompt, case.caption)
    right = [phrase for phrase in said if case.true(phrase)]
    return Trial(
        method=name,
        case=case.name,
        seconds=seconds,
        texts=texts,
        tokens=tokens,
        similarity=float(encode(bench.opened, [prompt])[0] @ case.searched),
        judged=float(encode(bench.judge, [prompt])[0] @ case.judged),
        precision=len(right) / len(said) if said else 1.0,
        recall=len(set(right)) / case.truths if case.truths else 1.0,
        phrases=len(said),
        prompt=prompt,
    )


def original_chain(bench: Bench, case: Case) -> tuple[str, int]:
    """The prompt of the original package's own chain from the same caption over the same pool, and how many texts it
    embedded."""
    with quietly(), recorded(bench.opened.model) as computed:
        features = look_at(bench.original, case.searched)
        start = bench.original.similarity(features, case.caption)
        prompt: str = bench.original.chain(
            features,
            list(case.pool),
            case.caption,
            start,
            min_count=MIN_COUNT,
            max_count=min(MAX_COUNT, len(case.pool)),
        )
    return prompt, sum(len(some) for some in computed)


def phrases_of(prompt: str, caption: str) -> list[str]:
    """What the prompt says beyond the caption."""
    rest = prompt[len(caption) :].removeprefix(", ") if prompt.startswith(caption) else prompt
    return rest.split(", ") if rest else []
