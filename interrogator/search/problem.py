"""What a search is asked and what it asks in turn: the types that all searches share, and nothing of engines."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

STEP = 1e-6
"""Smallest gain that counts in a refinement: below it, two prompts differ by float rounding only."""

EQUAL = 2e-7
"""Similarities no further apart are equal: so much a batch's float32 rounding tells two spellings apart that a model
reads as one ("8k", "8 k")."""


def joined(*parts: str) -> str:
    """The parts as one prompt, empty ones left out."""
    return ", ".join(part for part in parts if part)


def _all_fit(_prefix: str, phrases: Sequence[str]) -> Sequence[bool]:
    return [True] * len(phrases)


def _always(_chosen: Sequence[int], _candidate: int) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Found:
    """A prompt, the phrases it has beyond the caption (places in the pool), and its similarity."""

    prompt: str
    chosen: tuple[int, ...]
    similarity: float


NOTHING = Found("", (), 0.0)
"""The best so far before anything is known; what is found where there is neither caption nor phrase."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A search's question: the similarities of the prompts `joined(prefix, phrase)`, one a phrase, in order.

    `phrases` may be tails of several phrases joined already, and is never empty. `best` is the best prompt so far
    (`NOTHING` before the first answer), `step` of `steps` how far the search is. With `rough` the answers may be a
    little off, if that saves time.
    """

    prefix: str
    phrases: tuple[str, ...]
    best: Found
    step: int
    steps: int
    rough: bool = False


Search = Generator[Ask, Sequence[float], Found]
"""Yields what it wants to know, is sent the answers, returns what it found. So the steps of several searches can be
answered together, and a search can be left at any step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is searched. Phrases are known by their place in `pool`, which also decides ties: the first wins. The pool
    is ordered, the most promising first; a phrase that is empty or stands in it twice counts once or not at all.

    `fits(prefix, phrases)` tells of each `joined(prefix, phrase)` whether it is short enough; `admits(chosen,
    candidate)` whether a phrase may stand beside those chosen (it must not depend on their order). `min_count` phrases
    are taken before the similarity must rise, and at most `max_count`, beyond the caption or, where that is empty,
    beyond the phrase that stands in its place. `prior` are the similarities of the pool's phrases alone, if known.
    `rough` says that rough answers take less time: then searches ask for them (`Ask.rough`), else never.
    """

    caption: str
    pool: tuple[str, ...]
    fits: Callable[[str, Sequence[str]], Sequence[bool]] = _all_fit
    admits: Callable[[Sequence[int], int], bool] = _always
    min_count: int = 0
    max_count: int = 32
    prior: Sequence[float] | None = None
    rough: bool = False


def prompt_of(problem: Problem, chosen: Sequence[int]) -> str:
    """The caption and the chosen phrases, in order."""
    return joined(problem.caption, *(problem.pool[place] for place in chosen))


def most_phrases(problem: Problem) -> int:
    """How many phrases a prompt of this problem has at most."""
    return problem.max_count + (0 if problem.caption else 1)


def found(problem: Problem, chosen: Sequence[int]) -> Search:
    """The prompt of these phrases with its similarity: a search of one question."""
    prompt = prompt_of(problem, chosen)
    if not prompt:
        return NOTHING
    (similarity,) = yield Ask("", (prompt,), NOTHING, 0, 1)
    return Found(prompt, tuple(chosen), similarity)


def usable(problem: Problem, chosen: Sequence[int] = ()) -> list[int]:
    """The places that a search may still take: no empty phrase, none twice."""
    seen = {"", *(problem.pool[place] for place in chosen)}
    places = []
    for place, phrase in enumerate(problem.pool):
        if phrase not in seen:
            seen.add(phrase)
            places.append(place)
    return places


def fitting(problem: Problem, prefix: str, places: Sequence[int]) -> list[int]:
    """Those of `places` with which the prompt is short enough."""
    if not places:
        return []
    fits = problem.fits(prefix, [problem.pool[place] for place in places])
    return [place for place, fit in zip(places, fits, strict=True) if fit]


def admitted(problem: Problem, chosen: Sequence[int], places: Iterable[int]) -> list[int]:
    """Those of `places` that may stand beside `chosen`."""
    if problem.admits is _always:
        return list(places)
    return [place for place in places if problem.admits(chosen, place)]


def texts(problem: Problem, places: Iterable[int]) -> tuple[str, ...]:
    """The phrases at these places."""
    return tuple(problem.pool[place] for place in places)


def first_best(similarities: Sequence[float], sign: float = 1.0) -> int:
    """The index of the highest (with `sign` -1 the lowest) similarity; of equal ones the first."""
    bound = max(sign * similarity for similarity in similarities) - EQUAL
    return next(index for index, similarity in enumerate(similarities) if sign * similarity >= bound)


def best_ones(similarities: Sequence[float], count: int) -> list[int]:
    """The indices of the `count` highest similarities, as `first_best` would take one after another."""
    left = list(range(len(similarities)))
    return [left.pop(first_best([similarities[index] for index in left])) for _ in range(min(count, len(left)))]
