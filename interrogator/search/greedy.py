"""The greedy search: phrase after phrase is appended, and the best prompt seen is the answer."""

from __future__ import annotations

from interrogator.search.problem import (
    NOTHING,
    Ask,
    Found,
    Problem,
    Search,
    admitted,
    first_best,
    fitting,
    joined,
    texts,
    usable,
)
from interrogator.search.screen import Screening


def exact(problem: Problem, *, start: Found | None = None, reverse: bool = False) -> Search:
    """CLIP Interrogator's chain: every phrase left is tried in every step, and that of the highest similarity is
    appended, while the similarity rises or fewer than `min_count` were taken; the best prompt seen wins.

    Begins with `start`, else with the caption, else with the best phrase alone. `reverse` looks for the lowest
    similarity instead. Finds the very text that `Interrogator.chain` of clip-interrogator 0.6.0 finds, but for its
    defects: a reversed chain without a start compares everything with its first phrase's similarity under the wrong
    sign; equal phrases are taken in the order of a set; a prompt is cut by the tokenizer, and only then found too
    long. Here a phrase that does not fit is passed over, and where none fits, the search ends.

    Where rough answers take less time, steps are screened (`Screening`): with all but certainty the same is found.
    """
    sign = -1.0 if reverse else 1.0
    current = yield from begin(problem, start, sign=sign)
    best, left, screening = current, usable(problem, current.chosen), Screening(problem)
    for step in range(problem.max_count if current.prompt else 0):
        left = fitting(problem, current.prompt, left)  # what is too long now will not fit a longer prompt either
        candidates = admitted(problem, current.chosen, left)
        if not candidates:
            break
        ask = Ask(current.prompt, texts(problem, candidates), best, step, problem.max_count)
        similarities = yield from screening.answer(ask, sign)
        index = first_best(similarities, sign)
        following = extended(problem, current, candidates[index], similarities[index])
        if sign * (following.similarity - best.similarity) > 0:
            best = following
        if step >= problem.min_count and sign * (following.similarity - current.similarity) <= 0:
            break
        current = following
        left.remove(candidates[index])
    return best


def begin(problem: Problem, start: Found | None, *, sign: float = 1.0, first: int | None = None) -> Search:
    """Where a chain starts: NOTHING where there is neither start nor caption nor phrase. Of the pool only the `first`
    phrases that may be taken are tried."""
    if start is not None and start.prompt:
        return start
    if problem.caption:
        (similarity,) = yield Ask("", (problem.caption,), NOTHING, 0, problem.max_count)
        return Found(problem.caption, (), similarity)
    candidates = admitted(problem, (), fitting(problem, "", usable(problem)))[:first]
    if not candidates:
        return NOTHING
    ask = Ask("", texts(problem, candidates), NOTHING, 0, problem.max_count)
    similarities = yield from Screening(problem).answer(ask, sign)
    index = first_best(similarities, sign)
    return extended(problem, NOTHING, candidates[index], similarities[index])


def extended(problem: Problem, current: Found, place: int, similarity: float) -> Found:
    """`current` with one phrase more."""
    return Found(joined(current.prompt, problem.pool[place]), (*current.chosen, place), similarity)
