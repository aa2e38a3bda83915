"""The order in which waiting jobs run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import ticket

from interrogator.fairness import PATIENCE, Line, length_class, timed_as
from interrogator.sharing import Ticket
from interrogator.types import Measure, Mode

TAKE = None
limits = st.integers(1, 5)
arrivals = st.builds(
    ticket,
    user=st.sampled_from(["ann", "bob", "eve", ""]),
    mode=st.sampled_from(Mode),
    alone=st.booleans() | st.just(False),
    profile=st.sampled_from(["lite", "sdxl"]),
    measure=st.none() | st.just(Measure(top=1)),
)
histories = st.lists(arrivals | st.just(TAKE), max_size=40)


def line_of(tickets: Sequence[Ticket]) -> Line:
    line = Line()
    for one in tickets:
        line.add(one)
    return line


def played(history: Sequence[Ticket | None], limit: int) -> list[list[Ticket]]:
    """The batches of a history, and of what waits at its end. No two ask for the same."""
    line, batches = Line(), []
    for step in [*history, *[TAKE] * len(history)]:
        if step is not TAKE:
            line.add(step)
        elif line:
            batches.append([leader for (leader,) in line.take(limit)])
    assert not line
    return batches


def images(batch: Sequence[Sequence[Ticket]]) -> list[list[bytes]]:
    return [[one.job.image for one in same] for same in batch]


@given(histories, limits)
@settings(deadline=None)
def test_each_is_taken_once_and_a_user_s_own_in_the_order_they_came(history: list[Ticket | None], limit: int) -> None:
    came = [one for one in history if one]
    taken = [one for batch in played(history, limit) for one in batch]
    assert Counter(map(id, taken)) == Counter(map(id, came))
    for user in ("ann", "bob", "eve"):
        assert [one for one in taken if one.job.user == user] == [one for one in came if one.job.user == user]


@given(histories, limits)
@settings(deadline=None)
def test_a_batch_is_bounded_of_one_profile_and_length_and_has_nobody_who_must_be_alone(
    history: list[Ticket | None], limit: int
) -> None:
    for batch in played(history, limit):
        assert 1 <= len(batch) <= limit
        assert len({(one.job.options.profile, length_class(timed_as(one.job).mode)) for one in batch}) == 1
        assert len({one.job.measure is None for one in batch}) == 1
        assert len(batch) == 1 or not any(one.alone for one in batch)


@given(histories, limits)
@settings(deadline=None)
def test_whatever_arrives_nobody_is_passed_for_ever(history: list[Ticket | None], limit: int) -> None:
    line = Line()
    bounds: dict[int, int] = {}  # how many may still be served before the first of each row
    for step in [*history, *[TAKE] * len(history)]:
        if step is not TAKE:
            line.add(step)
        elif line:
            batch = [leader for (leader,) in line.take(limit)]
            for first in list(bounds):
                bounds[first] -= len(batch)
            for one in batch:
                bounds.pop(id(one), None)
            assert all(bound >= 0 for bound in bounds.values())
        firsts = first_of_each_row(line)
        for one in firsts:
            bounds.setdefault(id(one), len(firsts) - 1 + PATIENCE * limit)


def first_of_each_row(line: Line) -> list[Ticket]:
    firsts: dict[str, Ticket] = {}
    for one in line:  # row by row
        firsts.setdefault(one.job.user or one.job.id, one)
    return list(firsts.values())


@given(st.lists(st.sampled_from(["ann", "bob", "eve"]), max_size=30), limits)
@settings(deadline=None)
def test_users_with_jobs_of_one_length_take_turns(users: list[str], limit: int) -> None:
    order = [leader.job.user for batch in line_of([ticket(user) for user in users]).plan(limit) for (leader,) in batch]
    left = Counter(users)
    served: Counter[str] = Counter()
    for user in order:
        served[user] += 1
        left[user] -= 1
        turns = [served[other] for other in left if left[other]]
        assert not turns or max(turns) - min(turns) <= 1


@given(st.sampled_from(Mode), st.sampled_from(Mode), limits, st.booleans())
@settings(deadline=None)
def test_one_job_beside_a_hundred_of_another_user_is_soon_its_turn_whatever_the_modes(
    mine: Mode, theirs: Mode, limit: int, alone: bool
) -> None:
    own = ticket("bob", mine, alone=alone)
    line = line_of([*(ticket("ann", theirs) for _ in range(100)), own])
    waited = next(number for number, batch in enumerate(line.plan(limit)) if any(own in same for same in batch))
    theirs_before = 1 if limit == 1 else 0  # a batch of their first job alone passes nobody
    assert waited <= theirs_before + PATIENCE


@given(st.lists(arrivals, max_size=15), limits)
@settings(deadline=None)
def test_the_plan_is_what_happens_when_nothing_arrives(waiting: list[Ticket], limit: int) -> None:
    line = line_of(waiting)
    plan = list(line.plan(limit))
    done = []
    while line:
        done.append(line.take(limit))
    assert plan == done


def test_what_waits_is_the_next_batch_short_before_long() -> None:
    modes = [Mode.BEST, Mode.TURBO, Mode.FAST, Mode.NEGATIVE, Mode.CAPTION, Mode.TURBO, Mode.CLASSIC]
    plan = line_of([ticket(mode=mode) for mode in modes]).plan(8)
    assert [[leader.job.options.mode for (leader,) in batch] for batch in plan] == [
        [Mode.FAST, Mode.CAPTION, Mode.CLASSIC],
        [Mode.TURBO, Mode.TURBO],
        [Mode.BEST, Mode.NEGATIVE],
    ]


def test_a_long_job_is_passed_by_two_batches_of_short_ones_that_arrived_later() -> None:
    line = line_of([ticket(mode=Mode.BEST)])
    modes = []
    for _ in range(4):
        line.add(ticket(mode=Mode.FAST))
        ((leader,),) = line.take(1)
        modes.append(leader.job.options.mode)
    assert modes == [Mode.FAST, Mode.FAST, Mode.BEST, Mode.FAST]


def test_a_user_without_a_key_is_one_for_each_job() -> None:
    line = line_of([*(ticket("ann") for _ in range(3)), *(ticket() for _ in range(2))])
    users = [leader.job.user for batch in line.plan(8) for (leader,) in batch]
    assert users == ["ann", "", "", "ann", "ann"]


def test_who_ask_for_the_same_are_answered_with_the_first_of_them() -> None:
    line = line_of([ticket("ann", image=image) for image in (b"a", b"b", b"c")])
    line.add(ticket("bob", image=b"d"))
    line.add(ticket("bob", image=b"c"))
    line.add(ticket("eve", image=b"c"))
    plan = [images(batch) for batch in line.plan(1)]
    assert plan == [[[b"a"]], [[b"d"]], [[b"c", b"c", b"c"]], [[b"b"]]]


def test_another_mode_is_other_work() -> None:
    line = line_of([ticket(image=b"a", mode=mode) for mode in (Mode.FAST, Mode.CAPTION)])
    assert images(line.take(8)) == [[b"a"], [b"a"]]


def test_who_must_be_alone_joins_nobody_but_may_be_joined() -> None:
    alone = ticket("ann", image=b"a", alone=True)
    assert images(line_of([ticket(image=b"a"), alone]).take(8)) == [[b"a"]]
    assert images(line_of([alone, ticket(image=b"a"), ticket(image=b"b")]).take(8)) == [[b"a", b"a"]]


def test_a_ticket_that_was_removed_is_not_taken() -> None:
    first, second = ticket("ann"), ticket("ann")
    line = line_of([first, second])
    found = line.find(first.job.id)
    assert found is first
    line.remove(found)
    assert line.take(8) == [[second]]
    assert not line
    assert line.find(first.job.id) is None


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_has_a_length(mode: Mode) -> None:
    assert length_class(mode) >= 0


def test_a_stream_of_short_jobs_of_ever_new_users_does_not_starve_the_second_job_of_a_user() -> None:
    line = line_of([ticket("ann"), ticket("ann")])
    hers = []
    for number in range(6):
        line.add(ticket(f"new {number}"))
        hers += [number for (leader,) in line.take(1) if leader.job.user == "ann"]
    assert [len(list(group)) for _, group in groupby(hers)] == [1, 1]
