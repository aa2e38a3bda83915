"""Coordinate ascent: single phrases of a prompt replaced, removed, swapped or appended while that helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from interrogator.search.greedy import extended
from interrogator.search.problem import (
    STEP,
    Ask,
    Found,
    Problem,
    Search,
    best_ones,
    first_best,
    fitting,
    joined,
    most_phrases,
    prompt_of,
    texts,
    usable,
)

Tail = tuple[int, ...]

_SPARE = 4
"""Near the token limit many phrases do not fit: so many times as many as wanted are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """How many phrases a local search tries in a place (`replace`), of how many that it looks at (`probe`), how many at
    the end (`append`), and how often it goes through the prompt (`rounds`)."""

    replace: int = 8
    probe: int = 64
    append: int = 64
    rounds: int = 3


def local(
    problem: Problem, start: Found, *, widths: Widths | None = None, gains: Mapping[int, float] | None = None
) -> Search:
    """The best prompt that single changes lead to from `start`, never below it.

    In each round, for each position from the last to the first, the best of: without the phrase (where more than
    `min_count` are in), `widths.replace` other phrases in its place, it and the next one swapped; then the first
    `widths.append` others at the end, as long as that helps. Ends with a round that changed nothing. Phrases come in
    the order of the pool, or of `gains`, where a greedy search has estimated them; which of the first `widths.probe`
    are tried in a place is decided by their similarity at the end of the prompt without the phrase: there a text tower
    need not compute anew what follows the place. At the last position, which is that end, all of those are tried.
    """
    widths = widths or Widths()
    order = usable(problem)
    if gains is not None:
        order.sort(key=lambda place: -gains.get(place, float("-inf")))
    current, steps = start, widths.rounds * (len(start.chosen) + 1)
    for turn in range(widths.rounds):
        before, step = current, turn * (len(start.chosen) + 1)
        for position in reversed(range(len(current.chosen))):
            if position < len(current.chosen):
                current = yield from _changed(_Turn(problem, order, widths, step, steps), current, position)
                step = min(step + 1, steps)
        current = yield from _appended(_Turn(problem, order, widths, step, steps), current)
        if current is before:
            break
    return current


@dataclass(frozen=True, slots=True)
class _Turn:
    """One look at the prompt: with which phrases, in their `order`, and at which of the search's steps."""

    problem: Problem
    order: Sequence[int]
    widths: Widths
    step: int
    steps: int

    def ask(self, prefix: str, phrases: Sequence[str], current: Found) -> Ask:
        """What is to be known of these prompts; `current` is the best so far."""
        return Ask(prefix, tuple(phrases), current, self.step, self.steps)

    def candidates(self, chosen: Sequence[int], width: int, *, without: int | None = None) -> list[int]:
        """The first `width` phrases that may be appended to `chosen`, `without` not among them."""
        used = {*chosen, without}
        free = (place for place in self.order if place not in used and self.problem.admits(chosen, place))
        some = list(islice(free, _SPARE * width))
        return fitting(self.problem, prompt_of(self.problem, chosen), some)[:width]


def _changed(turn: _Turn, current: Found, position: int) -> Search:
    """The best of: without the phrase at `position`, another in its place, or it and the next swapped."""
    problem, widths = turn.problem, turn.widths
    before, phrase, after = current.chosen[:position], current.chosen[position], current.chosen[position + 1 :]
    others = (*before, *after)
    removable = len(current.chosen) > problem.min_count and bool(others or problem.caption)
    candidates = turn.candidates(others, max(widths.probe, widths.replace), without=phrase)
    if after and len(candidates) > widths.replace:
        similarities = yield turn.ask(prompt_of(problem, others), texts(problem, candidates), current)
        candidates = [candidates[index] for index in best_ones(similarities, widths.replace)]
    tails = [(place, *after) for place in candidates]
    if after:
        tails.append((after[0], phrase, *after[1:]))
        if removable:
            tails.append(after)
    better = yield from _best_tail(turn, current, before, tails)
    if removable and not after and better is current:
        better = yield from _shorter(turn, current)
    return better


def _shorter(turn: _Turn, current: Found) -> Search:
    """Without the last phrase, where that is better: a prompt that continues what stands before its last part."""
    problem = turn.problem
    before = current.chosen[:-1]
    prefix = prompt_of(problem, before[:-1]) if before else ""
    last = problem.pool[before[-1]] if before else problem.caption
    (similarity,) = yield turn.ask(prefix, (last,), current)
    return Found(joined(prefix, last), before, similarity) if similarity > current.similarity + STEP else current


def _appended(turn: _Turn, current: Found) -> Search:
    """With phrases at the end, as long as each helps."""
    problem = turn.problem
    while len(current.chosen) < most_phrases(problem):
        candidates = turn.candidates(current.chosen, turn.widths.append)
        if not candidates:
            break
        similarities = yield turn.ask(current.prompt, texts(problem, candidates), current)
        index = first_best(similarities)
        if similarities[index] <= current.similarity + STEP:
            break
        current = extended(problem, current, candidates[index], similarities[index])
    return current


def _best_tail(turn: _Turn, current: Found, before: Tail, tails: Sequence[Tail]) -> Search:
    """The best of the prompts `before` + tail that fit, where it beats `current`, else `current` itself."""
    problem = turn.problem
    prefix = prompt_of(problem, before)
    wordings = [joined(*texts(problem, tail)) for tail in tails]
    fits = problem.fits(prefix, wordings) if wordings else []
    asked = [(tail, wording) for tail, wording, fit in zip(tails, wordings, fits, strict=True) if fit]
    if not asked:
        return current
    similarities = yield turn.ask(prefix, [wording for _, wording in asked], current)
    index = first_best(similarities)
    if similarities[index] <= current.similarity + STEP:
        return current
    tail, wording = asked[index]
    return Found(joined(prefix, wording), (*before, *tail), similarities[index])
