"""What waits in the worker: positions and times as announced, against what then happens."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import ticket

from interrogator.estimates import Estimates
from interrogator.scheduler import NOTABLE, Scheduler
from interrogator.sharing import Run, Ticket
from interrogator.types import JobId, Mode, Options

ADD, CANCEL, TAKE = "add", "cancel", "take"
SERVICE = {Mode.CAPTION: 0.4, Mode.FAST: 0.6, Mode.CLASSIC: 0.5, Mode.TURBO: 3.0, Mode.BEST: 12.0, Mode.NEGATIVE: 9.0}


@dataclass
class Office:
    """A scheduler with a clock that is set by hand, and all that it announced."""

    batch: int = 1
    now: float = 0.0
    announced: list[tuple[JobId, int, float | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(lambda *news: self.announced.append(news), Estimates(), self.batch, lambda: self.now)

    def add(self, *tickets: Ticket) -> list[bool]:
        return [self.scheduler.add(one) for one in tickets]

    def run(self, seconds: float) -> list[Run]:
        """Take a batch, which then takes so long."""
        runs = self.scheduler.take()
        self.now += seconds
        self.scheduler.end([run.first.job.options for run in runs], seconds)
        return runs

    def places(self) -> dict[JobId, int]:
        return {job_id: position for job_id, position, _ in self.announced}

    def etas(self) -> dict[JobId, float | None]:
        return {job_id: eta for job_id, _, eta in self.announced}


@pytest.fixture
def office() -> Office:
    return Office()


@given(
    st.lists(
        st.tuples(st.sampled_from([ADD, ADD, CANCEL, TAKE]), st.integers(0, 100), st.sampled_from(Mode)), max_size=30
    ),
    st.integers(1, 4),
)
@settings(deadline=None)
def test_the_position_that_was_announced_is_the_place_in_which_jobs_are_taken(
    steps: list[tuple[str, int, Mode]], batch: int
) -> None:
    office, waiting = Office(batch), list[Ticket]()
    for action, number, mode in steps:
        if action == ADD:
            waiting.append(ticket(["ann", "bob", "eve"][number % 3], mode))
            office.add(waiting[-1])
        elif action == CANCEL and waiting:
            gone = waiting.pop(number % len(waiting))
            assert office.scheduler.cancel(gone.job.id) is gone
        elif action == TAKE and waiting:
            taken = [run.first for run in office.scheduler.take()]
            office.scheduler.end()
            assert [office.places()[one.job.id] for one in taken] == list(range(1, len(taken) + 1))
            waiting = [one for one in waiting if one not in taken]
        places = [office.places()[one.job.id] for one in waiting]
        assert sorted(places) == list(range(1, len(waiting) + 1))


def test_a_lone_job_is_taken_at_once(office: Office) -> None:
    office.scheduler.resize(8)
    office.add(one := ticket())
    (run,) = office.scheduler.take()
    assert run.close() == [one]


def test_who_waits_for_work_is_woken_by_it(office: Office) -> None:
    taken: list[Run] = []
    thread = threading.Thread(target=lambda: taken.extend(office.scheduler.take()), daemon=True)
    thread.start()
    office.add(ticket(image=b"a"))
    thread.join(10)
    assert [run.first.job.image for run in taken] == [b"a"]


def test_what_waits_is_taken_together_up_to_the_limit(office: Office) -> None:
    office.add(*(ticket() for _ in range(5)))
    office.scheduler.resize(3)
    assert [len(office.scheduler.take()) for _ in range(2)] == [3, 2]


def test_equal_work_joins_what_runs_and_is_not_run_again(office: Office) -> None:
    office.add(ticket(image=b"a"))
    (run,) = office.scheduler.take()
    joined, other_mode = ticket(image=b"a"), ticket(image=b"a", mode=Mode.BEST)
    assert office.add(joined, other_mode) == [True, False]
    assert joined.job.id in run.ids
    assert office.places()[joined.job.id] == 1
    assert [one.first for one in office.scheduler.take()] == [other_mode]


def test_a_cancelled_job_leaves_the_run_that_goes_on_for_others(office: Office) -> None:
    first, second = ticket(image=b"a"), ticket(image=b"a")
    office.add(first, second)
    (run,) = office.scheduler.take()
    assert office.scheduler.cancel(first.job.id) is first
    assert run.reason_to_stop is None
    assert office.scheduler.cancel(second.job.id) is None
    assert run.reason_to_stop is not None


def test_an_unknown_job_is_not_cancelled(office: Office) -> None:
    office.add(ticket())
    assert office.scheduler.cancel(JobId("another")) is None


def test_after_a_run_equal_work_is_taken_again(office: Office) -> None:
    office.add(ticket(image=b"a"))
    (run,) = office.scheduler.take()
    run.close()
    assert office.add(ticket(image=b"a")) == [False]


def test_nothing_is_said_of_the_time_until_something_is_known(office: Office) -> None:
    office.add(ticket(), ticket())
    assert set(office.etas().values()) == {None}
    office.run(2.0)
    office.add(last := ticket())
    assert office.etas()[last.job.id] == pytest.approx(4, rel=0.1)


def test_what_runs_counts_with_what_is_left_of_it(office: Office) -> None:
    office.add(ticket(), ticket())
    office.run(10.0)
    office.scheduler.take()
    office.now += 7
    office.add(one := ticket())
    assert office.etas()[one.job.id] == pytest.approx(3 + 10)


def test_a_time_that_changes_little_is_not_announced_again(office: Office) -> None:
    office.add(*(ticket("ann") for _ in range(3)))
    office.run(10.0)
    office.scheduler.take()
    before = len(office.announced)
    for _ in range(5):
        office.add(ticket("ann"))
        office.now += 0.1
    assert len(office.announced) == before + 5


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=8))
@settings(deadline=None)
def test_a_job_is_told_of_its_time_again_only_when_that_has_changed_notably(durations: list[float]) -> None:
    office = Office()
    office.add(*(ticket("ann") for _ in range(len(durations) + 3)))
    for duration in durations:
        office.run(duration)
    told: dict[JobId, tuple[int, float | None]] = {}
    for job_id, position, eta in office.announced:
        last_position, last_eta = told.get(job_id, (0, None))
        if position == last_position and eta is not None and last_eta is not None:
            assert abs(eta - last_eta) > NOTABLE * last_eta
        told[job_id] = position, eta


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("seed", range(5))
def test_after_some_jobs_the_time_announced_is_within_a_factor_of_two_of_the_truth(seed: int, batch: int) -> None:
    """Bursts of users with all modes; a batch costs 0.3 s and its jobs' service times, give or take a fifth."""
    chance = random.Random(seed)
    office = Office(batch)
    wrong = checked = 0
    for burst in range(8):
        waiting = [ticket(f"user {chance.randrange(6)}", chance.choice(list(SERVICE))) for _ in range(30)]
        office.add(*waiting)
        start, promised = office.now, office.etas()
        ended: dict[JobId, float] = {}
        while len(ended) < len(waiting):
            runs = office.scheduler.take()
            modes = [run.first.job.options.mode for run in runs]
            seconds = (0.3 + sum(SERVICE[mode] for mode in modes)) * chance.uniform(0.8, 1.2)
            office.now += seconds
            office.scheduler.end([Options(mode=mode) for mode in modes], seconds)
            ended |= {run.first.job.id: office.now for run in runs}
        for one in waiting if burst >= 3 else []:
            eta, truth = promised[one.job.id], ended[one.job.id] - start
            assert eta is not None
            checked += 1
            wrong += not truth / 2 <= eta <= truth * 2
    assert checked == 150
    assert wrong == 0, f"{wrong} of {checked} (seed {seed})"


def test_a_job_whose_deadline_is_near_takes_no_more_than_that_from_those_behind_it(office: Office) -> None:
    office.add(ticket())
    office.run(60.0)
    now = time.time()
    soon, next_one = ticket("ann", deadline=now + 10), ticket("bob")
    office.add(soon, next_one)
    etas = office.etas()
    assert etas[soon.job.id] == pytest.approx(10, abs=1)
    assert etas[next_one.job.id] == pytest.approx(10 + 60, abs=1)


def test_nobody_is_told_of_a_time_after_their_deadline(office: Office) -> None:
    office.add(ticket())
    office.run(60.0)
    office.add(ticket("ann"), late := ticket("bob", deadline=time.time() + 100), last := ticket("eve"))
    etas = office.etas()
    assert etas[late.job.id] == pytest.approx(100, abs=1)
    assert etas[last.job.id] == pytest.approx(100 + 60, abs=1)


def test_what_runs_is_over_at_the_last_deadline_of_those_who_wait_for_it(office: Office) -> None:
    office.add(ticket())
    office.run(60.0)
    office.add(ticket(image=b"a", deadline=time.time() + 10), ticket(image=b"a", deadline=time.time() + 20))
    office.scheduler.take()
    office.add(one := ticket())
    assert office.etas()[one.job.id] == pytest.approx(20 + 60, abs=1)
