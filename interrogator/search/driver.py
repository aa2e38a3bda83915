"""Answers searches: one at once, or several in lock-step, so that the questions of a step can share a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from interrogator.errors import InterrogatorError
from interrogator.search.problem import Ask, Found, Search
from interrogator.types import Progress, Stage

Score = Callable[[str, Sequence[str]], Sequence[float]]
"""(prefix, phrases) -> the similarities of the prompts `joined(prefix, phrase)`, one a phrase."""

ScoreAll = Callable[[Sequence[tuple[int, Ask]]], Sequence[Sequence[float]]]
"""The answers to several asks, each with the place of its search; in order."""

Solved = tuple[Found, bool]
"""What a search found, and whether it was stopped early."""

MOST_AT_ONCE = 1024
"""Phrases of one search in one call of the scorer: more are asked in several, between which it can be stopped."""


def _silent(_progress: Progress) -> None:
    return None


def _progress(ask: Ask) -> Progress:
    return Progress(Stage.SEARCH, ask.step, ask.steps, ask.best.similarity if ask.best.prompt else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A search under way. `report` is told before each call of the scorer; a typed error that it raises ends this
    search. Past `until` (of `time.monotonic`) the best prompt so far is the result."""

    search: Search
    report: Callable[[Progress], None] = _silent
    until: float | None = None


def solve(
    search: Search, score: Score, report: Callable[[Progress], None] = _silent, roughly: Score | None = None
) -> Found:
    """What the search finds, asked alone and to its end. Raises what `report` raises, which is told of every step.
    Where something answers `roughly`, it is asked what may be answered so."""
    answer: Sequence[float] | None = None
    while True:
        try:
            ask = next(search) if answer is None else search.send(answer)
        except StopIteration as stop:
            result: Found = stop.value
            return result
        report(_progress(ask))
        answer = (roughly if roughly and ask.rough else score)(ask.prefix, ask.phrases)


def solve_all(running: Sequence[Running], score_all: ScoreAll) -> list[Solved | InterrogatorError]:
    """What each search finds, and whether it was stopped early, in order; typed errors are values and end no other
    search. Whatever `score_all` raises ends all."""
    under_way = [_UnderWay(one) for one in running]
    while asked := [(place, ask) for place, one in enumerate(under_way) if (ask := one.next_ask()) is not None]:
        answers = score_all(asked)
        for (place, ask), similarities in zip(asked, answers, strict=True):
            if len(similarities) != len(ask.phrases):
                raise ValueError(f"{len(ask.phrases)} phrases, {len(similarities)} similarities")
            under_way[place].known.extend(similarities)
    return [one.outcome for one in under_way if one.outcome is not None]


@dataclass(slots=True)
class _UnderWay:
    """A search, its open question with the answers `known` of it, and its outcome once there is one."""

    running: Running
    ask: Ask | None = None
    known: list[float] = field(default_factory=list)
    outcome: Solved | InterrogatorError | None = None

    def next_ask(self) -> Ask | None:
        """What to ask next (a part of the question, where that is long); None where the search is over."""
        if self.outcome is None:
            try:
                self._advance()
            except StopIteration as stop:
                self.outcome = (stop.value, False)
            except InterrogatorError as error:
                self._end(error)
        if self.outcome is not None or self.ask is None:
            return None
        return replace(self.ask, phrases=self.ask.phrases[len(self.known) : len(self.known) + MOST_AT_ONCE])

    def _advance(self) -> None:
        """To the next question if this one is answered, unless time is up. Raises StopIteration at the search's end,
        and what `report` raises."""
        search, until = self.running.search, self.running.until
        if self.ask is None:
            self.ask = next(search)
        while len(self.known) == len(self.ask.phrases):
            known, self.known = self.known, []
            self.ask = search.send(known)
        self.running.report(_progress(self.ask))
        best = self.ask.best
        if best.prompt and until is not None and time.monotonic() >= until:
            self._end((best, True))

    def _end(self, outcome: Solved | InterrogatorError) -> None:
        self.running.search.close()
        self.outcome = outcome
