"""The searches of turbo, best and negative: which of `interrogator.search` they are made of, and where each begins.

All compare prompts with the image itself, and begin with a prompt whose similarity is known: so there is an answer
whenever time is up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from interrogator.profiles import ClipProfile
from interrogator.recipes.ranked.drafts import Draft, Part
from interrogator.recipes.ranked.study import Study
from interrogator.search import Ask, Found, Problem, Search, Widths, exact, first_best, lazy_with_gains, local

T = TypeVar("T")

Known = Sequence[tuple[Draft, float]]
"""Drafts with their similarities; searches begin with the first."""

_SMALL_POOL = 4
"""A pool of at most so many times `ClipProfile.fresh` is searched exactly by best, too: that costs little more."""


def begun(known: Known, starts: int, sign: float = 1.0) -> Known:
    """The best of the first `starts` (the least similar, with `sign` -1), where a search begins, and what follows
    them; of equal ones the first."""
    index = first_best([similarity for _, similarity in known[:starts]], sign)
    return [known[index], *known[starts:]]


def turbo(study: Study, pool: Sequence[Part], known: Known, ends: list[Found]) -> Search:
    """Lazy search over the pool, then `ClipProfile.turbo_rounds` of local search."""
    start = _start(pool, known)
    stages = _Stages(max(study.most, 1), 2)
    quickly, _ = yield from _quickly(study, _problem(study, pool), start, stages, ends)
    return quickly


def best(study: Study, parts: Sequence[Part], pool: int, known: Known, ends: list[Found]) -> Search:
    """What turbo finds and, where the pool is small, the exact chain; then local search over all parts, from what turbo
    found and, where that is another, from the best prompt known. The first `pool` parts are the pool.

    The ends of all searches are added to `ends`, for in half precision the similarities of a search are not quite those
    by which prompts are compared in the end.
    """
    profile = study.kit.profile
    narrow, wide = _problem(study, parts[:pool]), _problem(study, parts, admits=_once_each(parts, study.most))
    start = _start(parts, known)
    small = pool <= _SMALL_POOL * profile.fresh
    stages = _Stages(max(study.most, 1), 4 if small else 3)
    quickly, gains = yield from _quickly(study, narrow, start, stages, ends)
    candidates = [quickly, *_representable(study, parts, known)]
    if small:
        chained = yield from stages.run(exact(narrow, start=start), _top(candidates))
        ends.append(chained)
        candidates.append(chained)
    begins = [quickly] if _top(candidates) == quickly else [quickly, _top(candidates)]
    for begin in begins:
        polish = local(wide, begin, widths=_widths(profile, profile.rounds), gains=gains)
        candidates.append((yield from stages.run(polish, _top(candidates), 1 / len(begins))))
    return _top(candidates)


def _quickly(
    study: Study, problem: Problem, start: Found, stages: _Stages, ends: list[Found]
) -> Generator[Ask, Sequence[float], tuple[Found, Mapping[int, float]]]:
    """Turbo's search, and the last estimates of gains; both its ends are added to `ends`."""
    profile = study.kit.profile
    search = lazy_with_gains(problem, start=start, fresh=profile.fresh, first=profile.first)
    lazily, gains = yield from stages.run(search, start)
    polish = local(problem, lazily, widths=_widths(profile, profile.turbo_rounds), gains=gains)
    polished = yield from stages.run(polish, lazily)
    ends += [lazily, polished]
    return polished, gains


def _widths(profile: ClipProfile, rounds: int) -> Widths:
    return Widths(replace=profile.replace_width, probe=profile.probe_width, append=profile.append_width, rounds=rounds)


def negative(study: Study, parts: Sequence[Part], known: Known) -> Search:
    """The exact chain downwards: each phrase is that which lowers the similarity most, and one that does not is not
    taken, however few there are."""
    problem = replace(_problem(study, parts), min_count=0)
    return (yield from exact(problem, start=_start(parts, known), reverse=True))


def _problem(
    study: Study, parts: Sequence[Part], admits: Callable[[Sequence[int], int], bool] | None = None
) -> Problem:
    first = 0 if study.caption else 1  # the phrase in the caption's place is not counted by searches
    problem = Problem(
        caption=study.caption,
        pool=tuple(part.text for part in parts),
        fits=study.kit.fit,
        min_count=max(study.fewest - first, 0),
        max_count=study.most - first,
        prior=tuple(part.picks[0].similarity for part in parts),
        rough=study.kit.text.continue_roughly is not None,
    )
    return problem if admits is None else replace(problem, admits=admits)


def _once_each(parts: Sequence[Part], most: int) -> Callable[[Sequence[int], int], bool]:
    """Admits no label twice, as it may be in a part by itself and beside another, or in two groups, and at most `most`
    in all."""
    labels = [frozenset(pick.label.text.casefold() for pick in part.picks) for part in parts]

    def admits(chosen: Sequence[int], candidate: int) -> bool:
        taken = [label for place in chosen for label in labels[place]]
        return labels[candidate].isdisjoint(taken) and len(taken) + len(labels[candidate]) <= most

    return admits


def _start(parts: Sequence[Part], known: Known) -> Found:
    """The first draft: the caption or, where there is none, a part."""
    draft, similarity = known[0]
    return Found(draft.text, tuple(parts.index(part) for part in draft.parts), similarity)


def _representable(study: Study, parts: Sequence[Part], known: Known) -> list[Found]:
    """The drafts as results of a search over `parts`; not those where an artist stands right behind the caption."""
    places = {part: place for place, part in enumerate(parts)}
    return [
        Found(draft.text, tuple(places[part] for part in draft.parts), similarity)
        for draft, similarity in known
        if draft.head.text == study.caption
    ]


def _top(candidates: Sequence[Found]) -> Found:
    """The most similar one; of equal ones the first."""
    return max((one for one in candidates if one.prompt), key=lambda one: one.similarity)


class _Stages:
    """Searches one after another as one search of `count` stages of `width` steps: what is asked carries the best
    prompt of all and the progress of the whole."""

    def __init__(self, width: int, count: int) -> None:
        self._width = width
        self._total = width * count
        self._begin = 0.0

    def run(
        self, search: Generator[Ask, Sequence[float], T], known: Found, share: float = 1.0
    ) -> Generator[Ask, Sequence[float], T]:
        """The next stage, or a `share` of it; `known` is the best prompt of those before."""
        begin, width = self._begin, share * self._width
        self._begin += width
        answer: Sequence[float] | None = None
        while True:
            try:
                ask = next(search) if answer is None else search.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            step = int(begin + width * ask.step / max(ask.steps, 1))
            answer = yield replace(ask, best=_top([ask.best, known]), step=step, steps=self._total)
