"""Lazy greedy search: how much a phrase helps changes slowly from step to step, so most need not be asked again.

After CELF (Leskovec et al. 2007; Minoux 1978), which keeps a phrase's last gain as an upper bound of the next. The
gains of a text tower are not submodular and the last gain is no bound, but a good estimate: how good is learnt in each
step from those that are evaluated anew, and the others are given credit for that error.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from statistics import fmean, linear_regression, pstdev

from interrogator.search.greedy import begin, extended
from interrogator.search.problem import Ask, Found, Problem, Search, admitted, first_best, fitting, texts, usable

FRESH = 64
"""How many phrases a round of a step evaluates anew."""

ROUNDS = 4
"""Rounds of a step at most: where the bound still doubts after that, estimates say little anyway."""

SPREADS = 1.0
"""How many standard deviations of the estimates' error a phrase is given credit for."""

PATIENCE = 2
"""How many steps may bring nothing before the search ends: estimates miss phrases, and a later one can make up for it
at little cost."""


def lazy(
    problem: Problem,
    *,
    start: Found | None = None,
    fresh: int = FRESH,
    first: int | None = None,
    patience: int = PATIENCE,
) -> Search:
    """As `exact`, but in each step evaluates only the phrases of the highest estimated gains, `fresh` a round, until no
    other is likely to be better: mean error + `SPREADS` standard deviations above its estimate.

    The first step evaluates the whole pool, or its `first` phrases: the rest are estimated by `prior`, if that is
    known, and left out else. `patience` steps in which the similarity falls are forgiven.
    """
    result, _ = yield from lazy_with_gains(problem, start=start, fresh=fresh, first=first, patience=patience)
    return result


def lazy_with_gains(
    problem: Problem,
    *,
    start: Found | None = None,
    fresh: int = FRESH,
    first: int | None = None,
    patience: int = PATIENCE,
) -> Generator[Ask, Sequence[float], tuple[Found, dict[int, float]]]:
    """`lazy`, and the last estimate of each phrase's gain by its place: for a refinement that goes on from there."""
    current = yield from begin(problem, start, first=fresh if problem.prior is not None else None)
    best, step, falls = current, _Step(problem, fresh), 0
    for count in range(problem.max_count if current.prompt else 0):
        if count == 0:
            taken = yield from step.whole(current, best, first)
        else:
            taken = yield from step.promising(current, best, count)
        if taken is None:
            break
        place, similarity = taken
        following = extended(problem, current, place, similarity)
        if similarity > best.similarity:
            best, falls = following, 0
        elif count >= problem.min_count and similarity <= current.similarity:
            falls += 1
            if falls > patience:
                break
        current = following
    return best, step.gains


class _Step:
    """What the steps of one search share: the estimated gain of each phrase that may still be taken."""

    def __init__(self, problem: Problem, fresh: int) -> None:
        self._problem = problem
        self._fresh = fresh
        self.gains: dict[int, float] = {}

    def whole(
        self, current: Found, best: Found, first: int | None
    ) -> Generator[Ask, Sequence[float], tuple[int, float] | None]:
        """The best phrase of the pool, or of its `first`, and the similarity with it; None where none may be taken."""
        problem = self._problem
        places = fitting(problem, current.prompt, usable(problem, current.chosen))
        candidates = admitted(problem, current.chosen, places)[:first]
        if not candidates:
            return None
        similarities = yield Ask(current.prompt, texts(problem, candidates), best, 0, problem.max_count)
        known = {p: s - current.similarity for p, s in zip(candidates, similarities, strict=True)}
        self.gains = _estimates(problem, places, known)
        index = first_best(similarities)
        return candidates[index], similarities[index]

    def promising(
        self, current: Found, best: Found, count: int
    ) -> Generator[Ask, Sequence[float], tuple[int, float] | None]:
        """The best of the phrases evaluated anew in this step; None where none may be taken."""
        problem, gains = self._problem, self.gains
        for place in current.chosen:
            gains.pop(place, None)
        order = iter(sorted(gains, key=lambda place: (-gains[place], place)))
        known: dict[int, float] = {}
        errors: list[float] = []
        following = self._next(current, order)
        for _ in range(ROUNDS):
            if not following:
                break
            similarities = yield Ask(current.prompt, texts(problem, following), best, count, problem.max_count)
            for place, similarity in zip(following, similarities, strict=True):
                known[place] = similarity - current.similarity
                errors.append(known[place] - gains[place])
            following = self._next(current, order)
            credit = fmean(errors) + SPREADS * pstdev(errors)
            if not following or gains[following[0]] + credit <= max(known.values()):
                break
        if not known:
            return None
        drift = fmean(errors)
        self.gains = {place: known.get(place, gain + drift) for place, gain in gains.items()}
        places = sorted(known)
        place = places[first_best([known[place] for place in places])]
        return place, current.similarity + known[place]

    def _next(self, current: Found, order: Iterator[int]) -> list[int]:
        """The next `fresh` of `order` that may be taken. What is too long now will never fit: it is forgotten."""
        problem = self._problem
        following: list[int] = []
        while missing := self._fresh - len(following):
            block = list(islice(order, missing))
            if not block:
                break
            fit = fitting(problem, current.prompt, block)
            for place in set(block).difference(fit):
                del self.gains[place]
            following += admitted(problem, current.chosen, fit)
        return following


def _estimates(problem: Problem, places: Sequence[int], known: Mapping[int, float]) -> dict[int, float]:
    """The gains that are known, and those that `prior` lets expect of the others: on the line of least squares."""
    prior = problem.prior
    if prior is None or len(known) == len(places):
        return dict(known)
    own = [prior[place] for place in known]
    if len(set(own)) < 2:
        return dict(known)
    slope, intercept = linear_regression(own, list(known.values()))
    return {place: known.get(place, intercept + slope * prior[place]) for place in places}
