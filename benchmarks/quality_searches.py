"""Searches that no mode uses: what they would be worth is what the benchmark shows."""

from __future__ import annotations

from dataclasses import dataclass

from interrogator.search import Widths, lazy_with_gains, local
from interrogator.search.greedy import begin, extended
from interrogator.search.lazy import FRESH
from interrogator.search.problem import Ask, Found, Problem, Search, admitted, fitting, texts, usable


def deep(problem: Problem, *, fresh: int = FRESH, first: int | None = None, widths: Widths | None = None) -> Search:
    """`lazy`, then `local` from what it found and by what it learnt of the phrases' gains."""
    start, gains = yield from lazy_with_gains(problem, fresh=fresh, first=first)
    return (yield from local(problem, start, widths=widths, gains=gains))


@dataclass(frozen=True, slots=True)
class _Branch:
    """A prompt under way and the estimated gains of the phrases that it may still take."""

    found: Found
    gains: dict[int, float]


def beam(problem: Problem, width: int = 3, fresh: int = FRESH) -> Search:
    """The best prompt seen while the `width` best are extended in each step by the `fresh` phrases of the highest
    estimated gain (the whole pool in the first step); of prompts of the same phrases the best goes on. Ends when no
    extension rises above the prompts of the step before and `min_count` phrases are in."""
    start = yield from begin(problem, None)
    best, branches = start, [_Branch(start, dict.fromkeys(usable(problem, start.chosen), 0.0))]
    for count in range(problem.max_count if start.prompt else 0):
        grown: list[_Branch] = []
        for branch in branches:
            order = sorted(branch.gains, key=lambda place: (-branch.gains[place], place))
            candidates = _candidates(problem, branch.found, order, len(order) if count == 0 else fresh)
            if not candidates:
                continue
            prompt = branch.found.prompt
            similarities = yield Ask(prompt, texts(problem, candidates), best, count, problem.max_count)
            grown += _grown(problem, branch, dict(zip(candidates, similarities, strict=True)), width)
        before, branches = branches, _widest(grown, width)
        if not branches:
            break
        if branches[0].found.similarity > best.similarity:
            best = branches[0].found
        rises = branches[0].found.similarity > max(branch.found.similarity for branch in before)
        if count >= problem.min_count and not rises:
            break
    return best


def _candidates(problem: Problem, current: Found, order: list[int], most: int) -> list[int]:
    return admitted(problem, current.chosen, fitting(problem, current.prompt, order[: 2 * most]))[:most]


def _grown(problem: Problem, branch: _Branch, known: dict[int, float], width: int) -> list[_Branch]:
    """The branch with each of its best phrases, and what was learnt of the others."""
    current = branch.found
    gains = {place: similarity - current.similarity for place, similarity in known.items()}
    drift = sum(gains[place] - branch.gains[place] for place in gains) / len(gains)
    estimates = {place: gains.get(place, gain + drift) for place, gain in branch.gains.items()}
    first = sorted(known, key=lambda place: (-known[place], place))[: 2 * width]
    return [
        _Branch(
            extended(problem, current, place, known[place]),
            {other: gain for other, gain in estimates.items() if other != place},
        )
        for place in first
    ]


def _widest(grown: list[_Branch], width: int) -> list[_Branch]:
    """The best `width`, of those of the same phrases only the best."""
    kept: dict[frozenset[int], _Branch] = {}
    for branch in sorted(grown, key=lambda one: -one.found.similarity):
        kept.setdefault(frozenset(branch.found.chosen), branch)
    return list(kept.values())[:width]
