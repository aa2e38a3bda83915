"""Prompt search over (caption, pool): pure, deterministic, and ignorant of engines.

Greedy as in CLIP Interrogator (append the phrase that helps most, while the similarity rises or fewer than `min_count`
are in; the best prompt seen wins), then coordinate ascent: replace, remove, swap and append single phrases while that
helps. Unlike the original, the length of a prompt is checked before a phrase is accepted, and a phrase that does not
fit is passed over rather than ending the search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from interrogator.types import Progress, Stage

Score = Callable[[str, Sequence[str]], Sequence[float]]
"""(prefix, phrases) -> the similarity of image and `joined(prefix, phrase)`, one a phrase."""
Report = Callable[[Progress], None]

STEP = 1e-6
"""Smallest gain that counts: below it, two prompts differ by float rounding only."""


def joined(*parts: str) -> str:
    """The parts as one prompt, empty ones left out."""
    return ", ".join(part for part in parts if part)


def _always(_chosen: Sequence[int], _candidate: int) -> bool:
    return True


def _anything(_prompt: str) -> bool:
    return True


def _silent(_progress: Progress) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is searched. Phrases are known by their place in `pool`, which also decides ties: the first wins.

    `fits` tells whether a prompt is short enough; `admits(chosen, candidate)` whether a phrase may stand beside those
    chosen (it must not depend on their order). `report` is told of every step; what it raises ends the search.
    """

    caption: str
    pool: tuple[str, ...]
    score: Score
    fits: Callable[[str], bool] = _anything
    admits: Callable[[Sequence[int], int], bool] = _always
    min_count: int = 0
    max_count: int = 32
    report: Report = _silent


@dataclass(frozen=True, slots=True)
class Found:
    """A prompt, the phrases it has beyond the caption (places in the pool), and its similarity."""

    prompt: str
    chosen: tuple[int, ...]
    similarity: float


def prompt_of(problem: Problem, chosen: Sequence[int]) -> str:
    """The caption and the chosen phrases, in order."""
    return joined(problem.caption, *(problem.pool[place] for place in chosen))


def found(problem: Problem, chosen: Sequence[int]) -> Found:
    """The prompt of these phrases with its similarity."""
    prompt = prompt_of(problem, chosen)
    return Found(prompt, tuple(chosen), problem.score("", [prompt])[0])


def greedy(problem: Problem, *, reverse: bool = False) -> Found:
    """Appends the phrase of the highest similarity until it falls and `min_count` are in; returns the best prompt seen.

    `reverse` looks for the lowest similarity instead, and there each phrase must lower it: `min_count` has no say.
    An empty caption and an empty pool give an empty prompt of similarity 0.
    """
    sign = -1.0 if reverse else 1.0
    current = found(problem, ()) if problem.caption else Found("", (), 0.0)
    best = current
    for step in range(problem.max_count):
        problem.report(Progress(Stage.SEARCH, step, problem.max_count))
        candidates = _candidates(problem, current)
        if not candidates:
            break
        similarities = problem.score(current.prompt, [problem.pool[place] for place in candidates])
        place, similarity = _best_of(candidates, similarities, sign)
        improves = sign * (similarity - current.similarity) > STEP
        if current.prompt and not improves and (reverse or step >= problem.min_count):
            break
        chosen = (*current.chosen, place)
        current = Found(prompt_of(problem, chosen), chosen, similarity)
        if not best.prompt or sign * (similarity - best.similarity) > STEP:
            best = current
    return best


def refine(problem: Problem, start: Found, *, rounds: int = 2, width: int = 16) -> Found:
    """Coordinate ascent from `start`: single phrases removed, replaced by one of the first `width` of the pool, swapped
    with the next, or appended, while that raises the similarity. Never returns less than `start`."""
    current = start
    for turn in range(rounds):
        before = current
        for position in reversed(range(len(current.chosen))):
            problem.report(Progress(Stage.SEARCH, turn * (len(current.chosen) + 1) + position, 0))
            if position < len(current.chosen):
                current = _improved_at(problem, current, position, width)
        current = _appended(problem, current)
        if current is before:
            break
    return current


def _candidates(problem: Problem, current: Found) -> list[int]:
    used = set(current.chosen)
    return [
        place
        for place, phrase in enumerate(problem.pool)
        if place not in used and problem.admits(current.chosen, place) and problem.fits(joined(current.prompt, phrase))
    ]


def _best_of(candidates: Sequence[int], similarities: Sequence[float], sign: float) -> tuple[int, float]:
    order = max(range(len(candidates)), key=lambda index: (sign * similarities[index], -index))
    return candidates[order], similarities[order]


def _improved_at(problem: Problem, current: Found, position: int, width: int) -> Found:
    """The best of: without the phrase at `position`, another in its place, or it and the next swapped."""
    before, phrase, after = current.chosen[:position], current.chosen[position], current.chosen[position + 1 :]
    others = (*before, *after)
    tails = [after] if others or problem.caption else []
    tails += [
        (place, *after)
        for place in range(min(width, len(problem.pool)))
        if place not in current.chosen and problem.admits(others, place)
    ]
    if after:
        tails.append((after[0], phrase, *after[1:]))
    tails = [tail for tail in tails if problem.fits(prompt_of(problem, (*before, *tail)))]
    return _better(problem, current, before, tails)


def _appended(problem: Problem, current: Found) -> Found:
    if len(current.chosen) >= problem.max_count:
        return current
    return _better(problem, current, current.chosen, [(place,) for place in _candidates(problem, current)])


def _better(problem: Problem, current: Found, before: tuple[int, ...], tails: Sequence[tuple[int, ...]]) -> Found:
    """The best of the prompts `before` + tail where it beats `current`, else `current` itself."""
    if not tails:
        return current
    prefix = prompt_of(problem, before)
    texts = [joined(*(problem.pool[place] for place in tail)) for tail in tails]
    if all(texts):
        similarities = problem.score(prefix, texts)
    else:  # a removal at the end leaves nothing to continue with
        similarities = problem.score("", [joined(prefix, text) for text in texts])
    index, similarity = _best_of(range(len(tails)), similarities, 1.0)
    if similarity <= current.similarity + STEP:
        return current
    chosen = (*before, *tails[index])
    return Found(prompt_of(problem, chosen), chosen, similarity)
