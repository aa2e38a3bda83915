"""The prompt search, on a toy engine: what must hold of it whatever the engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_engine import LetterText

from interrogator.errors import CancelledError
from interrogator.search import Found, Problem, found, greedy, joined, prompt_of, refine
from interrogator.types import Progress, Stage

WORDS = ("zebra", "apple", "river", "stone", "cloud", "amber", "quiz", "jazz", "moss", "kelp", "fern", "dusk")
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
pools = st.lists(phrases, max_size=10, unique=True).map(tuple)
LIMIT = 12


def problem(pool: Sequence[str], target: str = "zebra cloud", caption: str = "", **options: object) -> Problem:
    text = LetterText()
    image = text.embed([target])[0]

    def score(prefix: str, candidates: Sequence[str]) -> list[float]:
        return (text.continuations(prefix, candidates) @ image).tolist()

    return Problem(
        caption=caption,
        pool=tuple(pool),
        score=score,
        fits=lambda prompt: text.count_tokens(prompt) <= LIMIT,
        **options,  # type: ignore[arg-type]
    )


def similarity(task: Problem, prompt: str) -> float:
    return task.score("", [prompt])[0]


def test_picks_the_phrases_that_make_up_the_target() -> None:
    assert set(greedy(problem(WORDS)).prompt.split(", ")) == {"zebra", "cloud"}


@given(pools, phrases, phrases)
def test_the_result_is_never_less_similar_than_the_caption_or_any_start(pool, target, caption) -> None:
    task = problem(pool, target, caption)
    best = greedy(task)
    assert best.similarity >= similarity(task, caption) - 1e-6
    start = found(task, range(min(2, len(pool))))
    assert refine(task, start).similarity >= start.similarity


@given(pools, phrases, phrases)
def test_prompts_fit_and_say_nothing_twice(pool, target, caption) -> None:
    task = problem(pool, target, caption, min_count=8)
    for result in (greedy(task), refine(task, greedy(task)), greedy(task, reverse=True)):
        assert task.fits(result.prompt)
        assert len(set(result.chosen)) == len(result.chosen)
        assert result.prompt == prompt_of(task, result.chosen)


@given(pools, phrases, phrases)
def test_the_similarity_told_is_that_of_the_prompt(pool, target, caption) -> None:
    task = problem(pool, target, caption)
    result = refine(task, greedy(task))
    assert result.similarity == pytest.approx(similarity(task, result.prompt), abs=1e-5)


@given(pools, phrases)
def test_downwards_each_phrase_lowers_the_similarity(pool, target) -> None:
    task = problem(pool, target)
    chosen = greedy(task, reverse=True).chosen
    falling = [similarity(task, prompt_of(task, chosen[: count + 1])) for count in range(len(chosen))]
    assert all(later < earlier for earlier, later in pairwise(falling))


@given(pools, phrases, phrases)
@settings(max_examples=30)
def test_is_deterministic(pool, target, caption) -> None:
    assert greedy(problem(pool, target, caption)) == greedy(problem(pool, target, caption))


def test_a_phrase_that_does_not_fit_is_passed_over_and_the_search_goes_on() -> None:
    long = "zebra " * (LIMIT + 1)
    assert "zebra" in greedy(problem([long.strip(), "zebra"])).prompt


def test_equal_phrases_are_taken_in_the_order_of_the_pool() -> None:
    assert greedy(problem(["zebra b", "b zebra"], "zebra b", max_count=1)).chosen == (0,)
    task = Problem(caption="", pool=("one", "two"), score=lambda _, texts: [0.5] * len(texts), max_count=1)
    assert greedy(task).chosen == (0,)


def test_goes_on_to_the_least_number_of_phrases_but_returns_the_best_seen() -> None:
    similarities = {"a": 0.2, "a, b": 0.5, "a, b, c": 0.4, "a, b, c, d": 0.9}
    pool = ("b", "c", "d")

    def score(prefix: str, texts: Sequence[str]) -> list[float]:
        return [similarities.get(joined(prefix, text), 0.0) for text in texts]

    assert greedy(Problem(caption="a", pool=pool, score=score)).prompt == "a, b"
    assert greedy(Problem(caption="a", pool=pool, score=score, min_count=3)).prompt == "a, b, c, d"
    similarities["a, b, c, d"] = 0.3
    assert greedy(Problem(caption="a", pool=pool, score=score, min_count=3)).prompt == "a, b"


def test_phrases_that_are_not_admitted_together_never_meet() -> None:
    def admits(chosen: Sequence[int], candidate: int) -> bool:
        return not ({0, 1} <= {*chosen, candidate})

    task = problem(["zebra", "cloud", "dusk"], admits=admits, min_count=3)
    for result in (greedy(task), refine(task, found(task, [0, 2]))):
        assert not {0, 1} <= set(result.chosen)


def test_refinement_replaces_a_bad_phrase() -> None:
    task = problem(WORDS)
    bad = found(task, [WORDS.index("quiz"), WORDS.index("cloud")])
    assert set(refine(task, bad).prompt.split(", ")) == {"zebra", "cloud"}


def test_nothing_to_choose_from_gives_the_caption_or_nothing() -> None:
    assert greedy(problem([], caption="zebra")).prompt == "zebra"
    assert greedy(problem([])) == Found("", (), 0.0)


def test_steps_are_reported_and_what_the_report_raises_ends_the_search() -> None:
    seen: list[Progress] = []
    greedy(problem(WORDS, report=seen.append))
    assert seen[0] == Progress(Stage.SEARCH, 0, 32)

    def cancel(_: Progress) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        greedy(problem(WORDS, report=cancel))
    with pytest.raises(CancelledError):
        refine(problem(WORDS, report=cancel), Found("zebra", (0,), 0.5))


def test_the_order_does_not_hang_on_the_hash_seed() -> None:
    program = (
        "from test_search import WORDS, greedy, problem, refine; task = problem(WORDS, 'river stone moss', 'fern');"
        "print(refine(task, greedy(task)))"
    )
    here = str(Path(__file__).parent)
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": here, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
