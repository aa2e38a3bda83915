"""The exact search with rough answers at hand: it finds what it finds without them, and asks less."""

from __future__ import annotations

import random
from collections.abc import Sequence
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import Task

from interrogator.search import Ask, Found, Problem, Search, exact, joined, solve
from interrogator.search.screen import FEWEST, FIRST, LATER, WORTH

SPREAD = 0.012
"""The standard deviation of similarities in a step, as it was measured (ViT-B-32, random weights)."""

NOISE = 2.5e-4
"""That of the rough answers' error: as measured, or a little above."""


class Steps:
    """Similarities that are normally distributed in each step, rising slowly; and the rough ones beside them: off by
    what all of a step are off by, and by what is each one's own. `asked` are the numbers of phrases, rough and not."""

    def __init__(self, seed: int, size: int = 200, noise: float = NOISE, *, twins: int = 0) -> None:
        self._seed, self._noise, self._twins = seed, noise, twins
        self.pool = tuple(f"p{number}" for number in range(size))
        self.asked: list[tuple[bool, int]] = []

    def problem(self, *, rough: bool, **options: object) -> Problem:
        return Problem(**{"caption": "a", "pool": self.pool, "min_count": 3, "max_count": 6, "rough": rough, **options})  # type: ignore[arg-type]

    def score(self, prefix: str, phrases: Sequence[str]) -> list[float]:
        self.asked.append((False, len(phrases)))
        return [self._similarity(prefix, phrase) for phrase in phrases]

    def roughly(self, prefix: str, phrases: Sequence[str]) -> list[float]:
        self.asked.append((True, len(phrases)))
        shift = 2 * self._noise * self._normal(prefix, "of all")
        return [
            self._similarity(prefix, phrase) + shift + self._noise * self._normal(prefix, phrase, "rough")
            for phrase in phrases
        ]

    def solve(self, search: Search) -> Found:
        return solve(search, self.score, roughly=self.roughly)

    def _similarity(self, prefix: str, phrase: str) -> float:
        """Phrases of which only the first `twins` numbers differ are the same to the model, but for rounding."""
        same = phrase
        if self._twins and phrase.startswith("p"):
            same = f"p{int(phrase[1:]) % (len(self.pool) - self._twins)}"
        rounding = 5e-8 * self._normal(prefix, phrase, "rounding")
        return 0.5 + 0.03 * prefix.count(",") + SPREAD * self._normal(prefix, same) + max(-1e-7, min(rounding, 1e-7))

    def _normal(self, *of: str) -> float:
        return random.Random(crc32("|".join([str(self._seed), *of]).encode())).gauss(0, 1)


@given(
    seed=st.integers(0, 10**9),
    size=st.integers(2, 300),
    noise=st.sampled_from([0.0, NOISE / 10, NOISE, 4 * NOISE, SPREAD]),
    twins=st.integers(0, 20),
    reverse=st.booleans(),
    caption=st.sampled_from(["", "a"]),
)
@settings(max_examples=60, deadline=None)
def test_it_finds_what_it_finds_without(seed, size, noise, twins, reverse, caption) -> None:
    steps = Steps(seed, size, noise, twins=min(twins, size // 2))
    expected = steps.solve(exact(steps.problem(rough=False, caption=caption), reverse=reverse))
    assert not any(rough for rough, _ in steps.asked)
    found = steps.solve(exact(steps.problem(rough=True, caption=caption), reverse=reverse))
    assert found == expected


def test_it_asks_few_of_them_again() -> None:
    again = 0
    for seed in range(20):
        steps = Steps(seed)
        steps.solve(exact(steps.problem(rough=True)))
        caption, whole, first, *_ = steps.asked
        assert (caption, whole, first) == ((False, 1), (True, 200), (False, FIRST))
        counts = [count for rough, count in steps.asked if not rough]
        assert LATER in counts
        again += sum(counts)
    assert again / 20 < 6 * 10


def test_of_equal_ones_the_first_is_taken_however_rough_the_others_look() -> None:
    for seed in range(10):
        steps = Steps(seed, 160, twins=80)
        places = [
            place
            for rough in (False, True)
            for place in steps.solve(exact(steps.problem(rough=rough, max_count=1, min_count=1))).chosen
        ]
        assert places[0] == places[1] < 80


def test_where_rough_answers_tell_too_little_it_stops_asking_for_them() -> None:
    steps = Steps(1, noise=SPREAD)
    steps.solve(exact(steps.problem(rough=True)))
    assert [rough for rough, _ in steps.asked].count(True) == 1
    assert [count for rough, count in steps.asked if not rough][-1] > WORTH * 200


def test_few_phrases_are_asked_exactly_at_once() -> None:
    for size, screened in ((FEWEST - 1, False), (FEWEST, True)):
        steps = Steps(3, size)
        steps.solve(exact(steps.problem(rough=True, max_count=1)))
        assert any(rough for rough, _ in steps.asked) is screened


def test_an_error_that_only_some_have_is_learnt_from_them() -> None:
    """Every third is off by much more, and among these is the best."""
    truth = {f"p{number}": 0.3 + number / 10_000 for number in range(200)}
    best = "p120"
    truth[best] = 0.33

    def roughly(_prefix: str, phrases: Sequence[str]) -> list[float]:
        return [truth[one] - (0.002 if int(one[1:]) % 3 == 0 else 0.0) for one in phrases]

    problem = Problem(caption="a", pool=tuple(truth), max_count=1, min_count=1, rough=True)
    exactly = {"a": 0.1, **{joined("a", one): value for one, value in truth.items()}}
    found = solve(
        exact(problem), lambda prefix, phrases: [exactly[joined(prefix, one)] for one in phrases], roughly=roughly
    )
    assert found.prompt == "a, p120"


def test_the_driver_s_parts_of_a_question_are_as_rough_as_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from interrogator.search import Running, driver, solve_all

    monkeypatch.setattr(driver, "MOST_AT_ONCE", 50)
    steps = Steps(5)
    asks: list[Ask] = []

    def score_all(asked: Sequence[tuple[int, Ask]]) -> list[list[float]]:
        asks.extend(ask for _, ask in asked)
        return [(steps.roughly if ask.rough else steps.score)(ask.prefix, ask.phrases) for _, ask in asked]

    ((found, _),) = solve_all([Running(search=exact(steps.problem(rough=True)))], score_all)
    assert found == steps.solve(exact(steps.problem(rough=False)))
    assert [len(ask.phrases) for ask in asks if ask.rough][:4] == [50] * 4


def test_a_problem_without_rough_answers_is_never_asked_so() -> None:
    task = Task([f"w{number}" for number in range(100)], "fern", "moss")
    plain = task.solve(exact(task.problem))
    assert solve(exact(task.problem), task.score, roughly=lambda *_: 1 / 0) == plain  # type: ignore[arg-type,return-value]
