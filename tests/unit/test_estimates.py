"""What is learnt of the seconds that batches take."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interrogator.estimates import Estimates
from interrogator.types import Mode, Options

sizes = st.integers(1, 8)
seconds = st.floats(1e-3, 1e4)
batches = st.lists(st.tuples(sizes, seconds), min_size=1, max_size=20)


def jobs(count: int, mode: Mode = Mode.FAST, profile: str = "lite") -> list[Options]:
    return [Options(mode=mode, profile=profile)] * count


def taught(batches: list[tuple[int, float]], mode: Mode = Mode.FAST) -> Estimates:
    estimates = Estimates()
    for size, duration in batches:
        estimates.learn(jobs(size, mode), duration)
    return estimates


def predicted(estimates: Estimates, batch: list[Options]) -> float:
    found = estimates.predict(batch)
    assert found is not None
    return found


@pytest.mark.parametrize("batch", [jobs(1), jobs(8, Mode.BEST)])
def test_at_first_nothing_is_known(batch: list[Options]) -> None:
    assert Estimates().predict(batch) is None


@given(batches, sizes)
@settings(deadline=None)
def test_an_estimate_is_positive_and_finite_and_not_less_for_a_larger_batch(
    seen: list[tuple[int, float]], size: int
) -> None:
    estimates = taught(seen)
    smaller, larger = (predicted(estimates, jobs(count)) for count in (size, size + 1))
    assert 0 < smaller <= larger * (1 + 1e-6) < float("inf")


@given(st.floats(0, 100), st.floats(0.01, 100), st.lists(sizes, min_size=8, max_size=30), sizes)
@settings(deadline=None)
def test_a_steady_cost_is_found_out_whatever_the_sizes(
    overhead: float, per_job: float, seen: list[int], size: int
) -> None:
    half = [1, 4, 8] * 2  # so that there are different sizes among the last
    estimates = taught([(count, overhead + per_job * count) for count in [*seen, *half]])
    assert predicted(estimates, jobs(size)) == pytest.approx(overhead + per_job * size, rel=0.01)


@given(sizes, seconds)
@settings(deadline=None)
def test_a_batch_like_all_before_takes_as_long_as_they(size: int, duration: float) -> None:
    assert predicted(taught([(size, duration)] * 3), jobs(size)) == pytest.approx(duration)


@given(batches, st.floats(1e-2, 1e2), sizes)
@settings(deadline=None)
def test_all_being_slower_the_estimate_is_greater_by_as_much(
    seen: list[tuple[int, float]], factor: float, size: int
) -> None:
    slower = taught([(count, duration * factor) for count, duration in seen])
    assert predicted(slower, jobs(size)) == pytest.approx(factor * predicted(taught(seen), jobs(size)), rel=1e-3)


@given(sizes, seconds, st.floats(2, 50))
@settings(deadline=None)
def test_a_change_is_noticed_within_ten_batches(size: int, before: float, factor: float) -> None:
    estimates = taught([(size, before * factor)] * 30 + [(size, before)] * 20)
    assert predicted(estimates, jobs(size)) == pytest.approx(before, rel=0.6)


def test_a_mode_and_a_profile_are_learnt_by_themselves() -> None:
    estimates = taught([(1, 2.0)], Mode.FAST)
    estimates.learn(jobs(1, Mode.BEST), 60.0)
    assert predicted(estimates, jobs(1, Mode.FAST)) == pytest.approx(2)
    assert predicted(estimates, jobs(1, Mode.BEST)) == pytest.approx(60)
    assert estimates.predict(jobs(1, profile="sdxl")) is None


def test_a_mode_not_seen_yet_is_taken_to_last_as_one_of_its_length() -> None:
    estimates = taught([(1, 2.0)], Mode.FAST)
    assert predicted(estimates, jobs(1, Mode.CAPTION)) == pytest.approx(2)
    assert estimates.predict(jobs(1, Mode.BEST)) is None


def test_a_batch_of_several_modes_lies_between_what_each_would_take() -> None:
    estimates = taught([(2, 2.0)], Mode.FAST)
    estimates.learn(jobs(2, Mode.CLASSIC), 4.0)
    mixed = predicted(estimates, [*jobs(1, Mode.FAST), *jobs(1, Mode.CLASSIC)])
    assert mixed == pytest.approx(3)


def limited(count: int, limit: float | None, mode: Mode = Mode.BEST) -> list[Options]:
    return [Options(mode=mode, seconds=limit)] * count


@given(st.lists(st.tuples(sizes, st.floats(0.5, 20)), min_size=1, max_size=20), sizes, st.floats(1, 10))
@settings(deadline=None)
def test_searches_that_were_cut_change_nothing_for_those_without_a_limit(
    cut: list[tuple[int, float]], size: int, limit: float
) -> None:
    estimates = taught([(size, 60.0)] * 3, Mode.BEST)
    before = predicted(estimates, limited(size, None))
    for jobs_of_it, more in cut:
        estimates.learn(limited(jobs_of_it, limit), limit + more, cut=True)
    assert predicted(estimates, limited(size, None)) == before


@given(st.lists(st.tuples(sizes, seconds), min_size=1, max_size=12), sizes, st.floats(1, 20), st.floats(0, 5))
@settings(deadline=None)
def test_an_estimate_is_not_above_what_the_limit_allows(
    seen: list[tuple[int, float]], size: int, limit: float, besides: float
) -> None:
    """Beside the search a batch takes some time, which a search that was cut gives away."""
    estimates = taught(seen, Mode.BEST)
    estimates.learn(limited(size, 3.0), 3.0 + besides, cut=True)
    for allowed in (limit, 3.0):
        assert predicted(estimates, limited(size, allowed)) <= allowed + besides + 1e-6


def test_a_limit_that_no_search_has_met_is_judged_by_the_others() -> None:
    estimates = Estimates()
    assert estimates.predict(limited(1, 30.0)) is None
    estimates.learn(limited(1, 10.0), 12.0, cut=True)
    assert predicted(estimates, limited(1, 30.0)) == pytest.approx(32)  # a longer one is cut too, for all we know
    assert estimates.predict(limited(1, None)) is None  # how long one takes that is not cut is not known
    estimates.learn(limited(1, 60.0), 20.0)
    assert predicted(estimates, limited(1, None)) == pytest.approx(20)
    assert predicted(estimates, limited(1, 30.0)) == pytest.approx(20)
    assert predicted(estimates, limited(1, 5.0)) == pytest.approx(7)


def test_limits_without_number_are_not_all_remembered() -> None:
    estimates = Estimates()
    estimates.learn(limited(1, None), 40.0)
    for number in range(1000):
        estimates.learn(limited(1, 1.0 + number), 1.5 + number, cut=True)
    assert predicted(estimates, limited(1, 1000.0)) == pytest.approx(1000.5, rel=0.01)


@pytest.mark.parametrize("seed", range(10))
def test_with_any_limits_an_estimate_is_within_a_factor_of_two_of_the_truth(seed: int) -> None:
    """A batch takes some time, each of its searches some, and together they end at the limit; give or take a fifth."""
    chance = random.Random(seed)
    besides, each, search = chance.uniform(0.1, 5), chance.uniform(0.01, 1), chance.uniform(0.2, 20)
    estimates, seen = Estimates(), defaultdict[tuple[float | None, int], int](int)
    checked = 0
    for _ in range(300):
        size, limit = chance.choice([1, 2, 4, 8]), chance.choice([None, 2.0, 8.0, 120.0])
        whole = search * size
        truth = besides + each * size + (whole if limit is None else min(whole, limit))
        seen[limit, size] += 1
        if seen[limit, size] > 3 and all(seen[limit, other] for other in (1, 2, 4, 8)):
            expected = predicted(estimates, limited(size, limit))
            assert truth / 2 <= expected <= truth * 2, (seed, size, limit, expected, truth)
            checked += 1
        took = truth * chance.uniform(0.9, 1.1)
        estimates.learn(limited(size, limit), took, cut=limit is not None and whole > limit)
    assert checked > 150
