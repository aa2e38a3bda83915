"""Screening: many phrases are looked at roughly, and only those that may be the best are looked at again, exactly.

After two-stage procedures of ranking and selection (screen out what is clearly inferior, then measure the survivors
well; Nelson, Swann, Goldsman and Song 2001): the rough answer only says where to look.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from math import sqrt
from statistics import fmean

from interrogator.search.problem import EQUAL, Ask, Problem

FEWEST = 64
"""Fewer phrases are asked exactly at once: a rough look takes three fifths of the time, and some are asked again."""

FIRST, LATER = 16, 4
"""How many of a step are asked again at least: in the first, from which the error is learnt, and in later ones."""

SPREADS = 10.0
"""How many standard deviations of the rough answers' error a phrase is given credit for. Errors seen were normally
distributed, the largest of 256 at 4; a text that is tokenised as a whole may have another mean, by 2."""

WORTH = 0.25
"""Where more of a step's phrases than this share had to be asked again, screening hardly saves anything."""


class Screening:
    """Answers the steps of one search over a problem; from each it learns how far off rough answers are.

    That the best phrase is among those asked again is a statistical bound, not a proof: one that is not would have to
    be off by `SPREADS` standard deviations more than those asked again are in the mean. The standard deviation is that
    of the latter's errors, in the step or in all so far, whichever is larger.
    """

    def __init__(self, problem: Problem) -> None:
        self._on = problem.rough
        self._squares = 0.0
        self._freedom = 0

    def answer(self, ask: Ask, sign: float = 1.0) -> Generator[Ask, Sequence[float], Sequence[float]]:
        """The similarities of the asked phrases, exact for all that can be the highest (with `sign` -1 the lowest) or
        within `EQUAL` of it; of the others rough, less the mean error: what `first_best` chooses is exact."""
        if not self._on or len(ask.phrases) < FEWEST:
            return (yield ask)
        rough = yield replace(ask, rough=True)
        order = sorted(range(len(rough)), key=lambda index: (-sign * rough[index], index))
        following = order[:FIRST]
        if self._freedom:
            likely = sign * rough[order[0]] - SPREADS * sqrt(self._squares / self._freedom)
            following = [*order[:LATER], *(index for index in order[LATER:] if sign * rough[index] >= likely)]
        known: dict[int, float] = {}
        errors, mean = [0.0], 0.0
        while following:
            again = replace(ask, phrases=tuple(ask.phrases[index] for index in following))
            known.update(zip(following, (yield again), strict=True))
            errors = [similarity - rough[index] for index, similarity in known.items()]
            mean = fmean(errors)
            best = max(sign * similarity for similarity in known.values())
            bound = best - EQUAL - sign * mean - SPREADS * self._spread(errors, mean)
            following = [index for index in order if index not in known and sign * rough[index] >= bound]
        self._squares += _squares(errors, mean)
        self._freedom += len(errors) - 1
        self._on = len(known) <= WORTH * len(rough)
        return [known.get(index, similarity + mean) for index, similarity in enumerate(rough)]

    def _spread(self, errors: Sequence[float], mean: float) -> float:
        """The standard deviation of a step's errors, or that of all so far with them, whichever is larger."""
        squares, freedom = _squares(errors, mean), len(errors) - 1
        return sqrt(max(squares / freedom, (squares + self._squares) / (freedom + self._freedom)))


def _squares(errors: Sequence[float], mean: float) -> float:
    """Of their deviations from the mean."""
    return sum((error - mean) ** 2 for error in errors)
