"""The prompt searches, on a toy engine: what must hold of them whatever the engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import hypot
from operator import mul
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quality_searches import beam, deep
from interrogator.search import (
    NOTHING,
    Ask,
    Found,
    Problem,
    Search,
    Widths,
    exact,
    found,
    joined,
    lazy,
    local,
    prompt_of,
    solve,
)

WORDS = ("zebra", "apple", "river", "stone", "cloud", "amber", "quiz", "jazz", "moss", "kelp", "fern", "dusk")
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
pools = st.lists(phrases, max_size=10).map(tuple)
captions = st.one_of(st.just(""), phrases)
LIMIT = 12
briefly = settings(max_examples=40, deadline=None)  # every example is searched in all ways


@cache
def vector(text: str) -> tuple[float, ...]:
    """The letters of a text and the pairs of letters (so that the order of phrases matters a little), of length 1."""
    counts = [0.01] * 52
    letters = [ord(letter) - 97 for letter in text if "a" <= letter <= "z"]
    for letter in letters:
        counts[letter] += 1
    for one, other in pairwise(letters):
        counts[26 + (one * 7 + other) % 26] += 0.5
    length = hypot(*counts)
    return tuple(count / length for count in counts)


class Task:
    """A target, the problem of naming it, and what was asked on the way."""

    def __init__(self, pool: Sequence[str], target: str = "zebra cloud", caption: str = "", **options: object) -> None:
        self._image = vector(target)
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.problem = Problem(caption=caption, pool=tuple(pool), **{"fits": self.fits, **options})  # type: ignore[arg-type]

    def fits(self, prefix: str, candidates: Sequence[str]) -> list[bool]:
        return [len(joined(prefix, one).split()) <= LIMIT for one in candidates]

    def score(self, prefix: str, candidates: Sequence[str]) -> list[float]:
        self.asked.append((prefix, tuple(candidates)))
        return [self.similarity(joined(prefix, one)) for one in candidates]

    def similarity(self, prompt: str) -> float:
        return sum(map(mul, vector(prompt), self._image))

    def solve(self, search: Search) -> Found:
        return solve(search, self.score)

    @property
    def evaluations(self) -> int:
        return sum(len(asked) for _, asked in self.asked)


def searches(problem: Problem) -> list[Search]:
    """Every way to search it; those that refine begin with a prompt that is nothing special."""
    return [
        exact(problem),
        lazy(problem, fresh=2),
        lazy(problem, fresh=2, first=3),
        beam(problem, width=2, fresh=3),
        deep(problem, fresh=2, widths=Widths(replace=3, probe=5, append=4)),
    ]


def told(prompts: dict[str, float]):
    """A scorer that knows these prompts and finds every other of similarity 0."""
    return lambda prefix, texts: [prompts.get(joined(prefix, text), 0.0) for text in texts]


@pytest.mark.parametrize("which", range(5))
def test_picks_the_phrases_that_make_up_the_target(which: int) -> None:
    task = Task(WORDS)
    assert set(task.solve(searches(task.problem)[which]).prompt.split(", ")) == {"zebra", "cloud"}


@briefly
@given(pools, phrases, phrases)
def test_no_result_is_less_similar_than_the_caption(pool, target, caption) -> None:
    task = Task(pool, target, caption)
    for search in searches(task.problem):
        assert task.solve(search).similarity >= task.similarity(caption) - 1e-6


@briefly
@given(pools, phrases, captions, st.integers(0, 8), st.integers(0, 4))
def test_prompts_fit_say_nothing_twice_and_have_no_more_than_max_count(pool, target, caption, least, most) -> None:
    task = Task(pool, target, caption, min_count=least, max_count=most)
    for search in [*searches(task.problem), exact(task.problem, reverse=True)]:
        result = task.solve(search)
        said = [pool[place] for place in result.chosen]
        assert len(set(said)) == len(said) <= most + (not caption)
        assert result.prompt == prompt_of(task.problem, result.chosen)
        assert not result.chosen or task.fits("", [result.prompt]) == [True]


@briefly
@given(pools, phrases, captions)
def test_the_similarity_told_is_that_of_the_prompt(pool, target, caption) -> None:
    task = Task(pool, target, caption)
    for search in searches(task.problem):
        result = task.solve(search)
        if result != NOTHING:
            assert result.similarity == pytest.approx(task.similarity(result.prompt), abs=1e-5)


@briefly
@given(pools, phrases, captions)
def test_whoever_answers_is_asked_of_prompts_that_fit_and_never_of_nothing(pool, target, caption) -> None:
    task = Task(pool, target, caption, min_count=4)
    for search in searches(task.problem):
        task.solve(search)
    for prefix, asked in task.asked:
        assert asked
        assert all(asked)
        assert (prefix, asked) == ("", (caption,)) or all(task.fits(prefix, asked))


@briefly
@given(pools, phrases, phrases)
def test_is_deterministic(pool, target, caption) -> None:
    def found_by_all() -> list[Found]:
        task = Task(pool, target, caption)
        return [task.solve(search) for search in searches(task.problem)]

    assert found_by_all() == found_by_all()


@briefly
@given(pools, phrases)
def test_downwards_each_phrase_lowers_the_similarity(pool, target) -> None:
    task = Task(pool, target)
    chosen = task.solve(exact(task.problem, reverse=True)).chosen
    falling = [task.similarity(prompt_of(task.problem, chosen[: count + 1])) for count in range(len(chosen))]
    assert all(later < earlier for earlier, later in pairwise(falling))


def test_a_phrase_that_does_not_fit_is_passed_over_and_the_search_goes_on() -> None:
    long = ("zebra " * (LIMIT + 1)).strip()
    task = Task([long, "zebra"])
    for search in searches(task.problem):
        assert task.solve(search).prompt == "zebra"


def test_of_equal_phrases_the_first_of_the_pool_is_taken() -> None:
    problem = Problem(caption="", pool=("one", "two", "three"), max_count=0)
    for search in searches(problem):
        assert solve(search, lambda _, texts: [0.5] * len(texts)).chosen == (0,)


def test_a_phrase_that_stands_in_the_pool_twice_or_is_empty_is_taken_once_or_never() -> None:
    task = Task(["", "zebra", "zebra", "", "cloud", "zebra"], min_count=6)
    for search in searches(task.problem):
        assert task.solve(search).chosen in {(1, 4), (4, 1)}


def test_exact_goes_on_to_the_least_number_of_phrases_but_returns_the_best_seen() -> None:
    similarities = {"a": 0.2, "a, b": 0.5, "a, b, c": 0.4, "a, b, c, d": 0.9}
    problem = Problem(caption="a", pool=("b", "c", "d"))
    longer = replace(problem, min_count=3)
    assert solve(exact(problem), told(similarities)).prompt == "a, b"
    assert solve(exact(longer), told(similarities)).prompt == "a, b, c, d"
    assert solve(exact(longer), told({**similarities, "a, b, c, d": 0.3})).prompt == "a, b"


def test_exact_goes_on_from_a_start_whose_similarity_is_not_asked_for_again() -> None:
    problem = Problem(caption="a", pool=("b", "c"))
    start = Found("a, c", (1,), 0.3)
    seen: list[str] = []

    def score(prefix: str, texts: Sequence[str]) -> list[float]:
        seen.extend(joined(prefix, text) for text in texts)
        return [0.4] * len(texts)

    assert solve(exact(problem, start=start), score) == Found("a, c, b", (1, 0), 0.4)
    assert seen == ["a, c, b"]


def test_phrases_that_are_not_admitted_together_never_meet() -> None:
    def admits(chosen: Sequence[int], candidate: int) -> bool:
        return not ({0, 1} <= {*chosen, candidate})

    task = Task(["zebra", "cloud", "dusk"], admits=admits, min_count=3)
    for search in [*searches(task.problem), local(task.problem, task.solve(found(task.problem, [0, 2])))]:
        assert not {0, 1} <= set(task.solve(search).chosen)


def test_lazy_finds_what_exact_finds_where_it_evaluates_all() -> None:
    task = Task(WORDS, "river stone moss fern", "dusk")
    whole = lazy(task.problem, fresh=len(WORDS), patience=0)
    assert task.solve(whole) == task.solve(exact(task.problem))


def test_lazy_evaluates_a_small_part_of_what_exact_does() -> None:
    pool = [f"{one} {other}" for one in WORDS for other in WORDS if one != other]
    target = "river stone moss fern amber kelp"
    fast, slow = Task(pool, target, "dusk"), Task(pool, target, "dusk")
    similarity = fast.solve(lazy(fast.problem, fresh=24)).similarity
    assert similarity >= slow.solve(exact(slow.problem)).similarity - 0.02
    assert fast.evaluations < slow.evaluations / 2


def test_lazy_forgives_a_step_that_brings_nothing() -> None:
    prompts = {"a": 0.5, "a, b": 0.4, "a, b, c": 0.6}
    problem = Problem(caption="a", pool=("b", "c"))
    assert solve(lazy(problem), told(prompts)).prompt == "a, b, c"
    assert solve(lazy(problem, patience=0), told(prompts)).prompt == "a"


@briefly
@given(st.lists(phrases, min_size=1, max_size=10, unique=True).map(tuple), phrases, captions, st.data())
def test_refinement_is_never_below_its_start(pool, target, caption, data) -> None:
    task = Task(pool, target, caption)
    start = task.solve(found(task.problem, data.draw(st.permutations(range(len(pool))))[:3]))
    assert task.solve(local(task.problem, start)).similarity >= start.similarity


def test_refinement_replaces_a_bad_phrase() -> None:
    task = Task(WORDS)
    bad = task.solve(found(task.problem, [WORDS.index("quiz"), WORDS.index("cloud")]))
    assert set(task.solve(local(task.problem, bad)).prompt.split(", ")) == {"zebra", "cloud"}


@pytest.mark.parametrize(
    ("better", "min_count"),
    [("a, c", 0), ("a, b", 0), ("a", 0), ("a, c, b", 2), ("a, b, d", 2), ("a, d, c", 2), ("a, b, c, d", 2)],
)
def test_refinement_knows_each_single_change(better: str, min_count: int) -> None:
    problem = Problem(caption="a", pool=("b", "c", "d"), min_count=min_count)
    prompts = {"a, b, c": 0.5, better: 0.9}
    if better == "a":  # two removals away
        prompts["a, b"] = 0.6
    assert solve(local(problem, Found("a, b, c", (0, 1), 0.5)), told(prompts)).prompt == better


def test_refinement_leaves_min_count_phrases() -> None:
    problem = Problem(caption="a", pool=("b", "c"), min_count=2)
    start = Found("a, b, c", (0, 1), 0.5)
    assert solve(local(problem, start), told({"a, b": 0.9, "a, c": 0.9, "a": 0.9})) == start


def test_refinement_never_leaves_an_empty_prompt() -> None:
    problem = Problem(caption="", pool=("b",))
    assert solve(local(problem, Found("b", (0,), -0.5)), told({})).prompt == "b"


def test_nothing_to_choose_from_gives_the_caption_or_nothing() -> None:
    alone, empty = Task([], caption="zebra"), Task([])
    for search in searches(alone.problem):
        assert alone.solve(search).prompt == "zebra"
    for search in [*searches(empty.problem), found(empty.problem, [])]:
        assert empty.solve(search) == Found("", (), 0.0)


def test_asks_tell_the_best_prompt_so_far() -> None:
    task = Task(WORDS, "river stone moss fern", "dusk")
    for search in searches(task.problem):
        best: list[Found] = []

        def score(ask: Ask, best: list[Found] = best) -> list[float]:
            best.append(ask.best)
            return task.score(ask.prefix, ask.phrases)

        ask, end = next(search), None
        while end is None:
            assert 0 <= ask.step <= ask.steps
            try:
                ask = search.send(score(ask))
            except StopIteration as stop:
                end = stop.value
        assert best[0] == NOTHING
        similarities = [one.similarity for one in best[1:]] + [end.similarity]
        assert similarities == sorted(similarities)
        assert similarities[0] > 0


def test_importing_it_needs_no_torch() -> None:
    program = "import interrogator.search, sys; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_order_does_not_hang_on_the_hash_seed() -> None:
    program = (
        "from test_search import WORDS, Task, searches; task = Task(WORDS, 'river stone moss', 'fern', min_count=3);"
        "print([task.solve(search) for search in searches(task.problem)])"
    )
    here = Path(__file__).parent
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{here}{os.pathsep}{here.parents[1]}", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_a_phrase_that_fits_the_place_is_found_by_what_it_does_at_the_end() -> None:
    """Of four others one is tried in the place of "b": the one that is best at the end, not the first of the pool."""
    problem = Problem(caption="", pool=("a", "b", "c", "d", "e", "f"))
    known = {"a, b, c": 0.5, "a, c, d": 0.1, "a, c, e": 0.4, "a, c, f": 0.2, "a, e, c": 0.7, "a, f, c": 0.9}
    search = local(problem, Found("a, b, c", (0, 1, 2), 0.5), widths=Widths(replace=1, probe=4, append=1, rounds=1))
    assert solve(search, told(known)).prompt == "a, e, c"


def test_of_phrases_that_are_equally_good_at_the_end_the_first_is_tried_in_the_place() -> None:
    """They differ by the rounding of a batch alone."""
    problem = Problem(caption="", pool=("a", "b", "c", "d", "e"))
    known = {"a, b, c": 0.5, "a, c, d": 0.4, "a, c, e": 0.4 + 1e-7, "a, d, c": 0.7, "a, e, c": 0.7}
    search = local(problem, Found("a, b, c", (0, 1, 2), 0.5), widths=Widths(replace=1, probe=2, append=1, rounds=1))
    assert solve(search, told(known)).prompt == "a, d, c"


def test_at_the_last_position_as_many_are_tried_as_are_looked_at_elsewhere() -> None:
    problem = Problem(caption="", pool=("a", "b", "c", "d", "e"))
    search = local(problem, Found("a, b", (0, 1), 0.5), widths=Widths(replace=1, probe=3, append=1, rounds=1))
    assert solve(search, told({"a, b": 0.5, "a, e": 0.9})).prompt == "a, e"
