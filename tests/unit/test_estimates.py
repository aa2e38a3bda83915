"""What is learnt of the seconds that batches take."""

from __future__ import annotations

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
