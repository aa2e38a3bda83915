"""Searches answered together: each finds what it finds alone, and what ends one ends no other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import WORDS, Task, captions, phrases, pools, searches

from interrogator.errors import CancelledError, DeadlineError, InterrogatorError
from interrogator.search import NOTHING, Ask, Found, Problem, Running, Search, Solved, exact, joined, solve_all
from interrogator.search.driver import MOST_AT_ONCE
from interrogator.types import Progress, Stage


def solve_together(tasks: Sequence[Task], running: Sequence[Running]) -> list[Solved | InterrogatorError]:
    def score_all(asks: Sequence[tuple[int, Ask]]) -> list[list[float]]:
        assert len({place for place, _ in asks}) == len(asks)
        return [tasks[place].score(ask.prefix, ask.phrases) for place, ask in asks]

    return solve_all(running, score_all)


def rising(_asks: Sequence[tuple[int, Ask]]) -> list[list[float]]:
    """The longer the prompt, the more similar."""
    return [[len(joined(ask.prefix, phrase)) / 1000 for phrase in ask.phrases] for _, ask in _asks]


@given(st.lists(st.tuples(pools, phrases, captions), max_size=4))
@settings(max_examples=15, deadline=None)
def test_each_finds_what_it_finds_alone(cases) -> None:
    tasks = [Task(*case) for case in cases for _ in range(5)]
    alone = [task.solve(searches(task.problem)[place % 5]) for place, task in enumerate(tasks)]
    running = [Running(search=searches(task.problem)[place % 5]) for place, task in enumerate(tasks)]
    assert solve_together(tasks, running) == [(one, False) for one in alone]


def test_a_step_of_all_is_one_call() -> None:
    problem = Problem(caption="a", pool=("b", "c"), max_count=2)
    calls: list[list[int]] = []

    def score_all(asks: Sequence[tuple[int, Ask]]) -> list[list[float]]:
        calls.append([place for place, _ in asks])
        return rising(asks)

    shorter = Problem(caption="a", pool=("b",))
    solve_all([Running(search=exact(one)) for one in (problem, shorter, problem)], score_all)
    assert calls == [[0, 1, 2], [0, 1, 2], [0, 2]]


def test_a_pool_of_thousands_is_asked_in_parts_between_which_the_search_can_be_stopped() -> None:
    pool = tuple(f"{number:05}" for number in range(2 * MOST_AT_ONCE + 1))
    sizes: list[int] = []

    def score_all(asks: Sequence[tuple[int, Ask]]) -> list[list[float]]:
        sizes.extend(len(ask.phrases) for _, ask in asks)
        return [[float(phrase) for phrase in ask.phrases] for _, ask in asks]

    ((found, stopped),) = solve_all([Running(search=exact(Problem(caption="", pool=pool, max_count=0)))], score_all)
    assert sizes == [MOST_AT_ONCE, MOST_AT_ONCE, 1]
    assert (found.chosen, stopped) == ((len(pool) - 1,), False)


def test_what_a_report_raises_is_the_outcome_of_that_search_alone() -> None:
    tasks = [Task(WORDS, "river stone", "fern") for _ in range(3)]

    def cancel_at_the_second(progress: Progress) -> None:
        if progress.done == 1:
            raise CancelledError("stopped")

    def too_late(_: Progress) -> None:
        raise DeadlineError

    running = [
        Running(search=exact(tasks[0].problem), report=cancel_at_the_second),
        Running(search=exact(tasks[1].problem)),
        Running(search=exact(tasks[2].problem), report=too_late),
    ]
    cancelled, found, late = solve_together(tasks, running)
    assert isinstance(cancelled, CancelledError)
    assert isinstance(late, DeadlineError)
    assert found == (tasks[1].solve(exact(tasks[1].problem)), False)
    assert tasks[2].asked == []
    assert len(tasks[0].asked) == 2


def test_an_error_of_the_scorer_ends_all() -> None:
    def score_all(_: Sequence[tuple[int, Ask]]) -> list[list[float]]:
        raise MemoryError

    with pytest.raises(MemoryError):
        solve_all([Running(search=exact(Problem(caption="a", pool=())))], score_all)


def test_a_scorer_that_answers_too_little_is_a_defect() -> None:
    with pytest.raises(ValueError, match="2 phrases, 1 similarities"):
        solve_all([Running(search=exact(Problem(caption="", pool=("a", "b"))))], lambda asks: [[0.5] for _ in asks])


def test_progress_is_told_before_each_step_with_the_similarity_so_far() -> None:
    task, seen = Task(WORDS, "river stone", "fern", max_count=5), list[Progress]()
    ((found, _),) = solve_together([task], [Running(search=exact(task.problem), report=seen.append)])
    assert seen[0] == Progress(Stage.SEARCH, 0, 5, None)
    assert [progress.done for progress in seen[1:]] == list(range(len(task.asked) - 1))
    assert seen[-1].similarity == pytest.approx(found.similarity)
    assert all(progress.total == 5 for progress in seen)


def test_when_time_is_up_the_best_so_far_is_the_result_and_said_to_be() -> None:
    def endless() -> Search:
        best = NOTHING
        for step in range(10_000):
            (similarity,) = yield Ask("", (f"step {step}",), best, step, 10_000)
            best = Found(f"step {step}", (), similarity)
            time.sleep(0.001)
        return best

    quick = Problem(caption="a", pool=("b",))
    started = time.monotonic()
    running = [Running(search=endless(), until=started + 0.05), Running(search=exact(quick), until=started + 60)]
    (late, stopped), (found, whole) = solve_all(running, rising)
    assert (stopped, whole) == (True, False)
    assert late.prompt.startswith("step ")
    assert found.prompt == "a, b"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("caption", ["", "a cat"])
def test_without_any_time_there_is_still_a_prompt(caption: str) -> None:
    task = Task(WORDS, "river stone moss", caption)
    ((found, stopped),) = solve_together([task], [Running(search=exact(task.problem), until=time.monotonic())])
    assert stopped
    assert found == task.solve(exact(Problem(caption=caption, pool=WORDS, max_count=0)))
    assert found.prompt


def test_a_search_that_was_ended_is_closed() -> None:
    closed: list[str] = []

    def search(name: str) -> Iterator[Ask]:
        try:
            yield Ask("", ("a",), NOTHING, 0, 1)
            yield Ask("", ("a",), Found("a", (), 0.5), 0, 1)
        finally:
            closed.append(name)

    def cancel(_: Progress) -> None:
        raise CancelledError

    running = [
        Running(search=search("cancelled"), report=cancel),  # type: ignore[arg-type]
        Running(search=search("late"), until=0.0),  # type: ignore[arg-type]
    ]
    solve_all(running, rising)
    assert closed == ["cancelled", "late"]


def test_no_searches_have_no_results() -> None:
    assert solve_all([], rising) == []
