"""One run for all that ask for the same."""

from __future__ import annotations

import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import ticket

from interrogator.errors import CancelledError, DeadlineError
from interrogator.sharing import Run, Ticket
from interrogator.types import JobId


def late() -> Ticket:
    return ticket(deadline=time.time() - 1)


def test_who_joins_is_answered_with_the_first() -> None:
    first, second = ticket(image=b"a"), ticket(image=b"a")
    run = Run([first])
    assert run.join(second)
    assert run.ids == (first.job.id, second.job.id)
    assert run.close() == [first, second]


def test_cancelling_one_does_not_stop_the_others() -> None:
    first, second = ticket(), ticket()
    run = Run([first, second])
    assert run.cancel(first.job.id) is first
    assert run.reason_to_stop is None
    assert run.close() == [second]


def test_the_last_one_that_is_cancelled_stops_the_run_and_is_told_at_its_end() -> None:
    first = ticket()
    run = Run([first])
    assert run.cancel(first.job.id) is None
    assert isinstance(run.reason_to_stop, CancelledError)
    assert run.close() == [first]


def test_a_stranger_s_cancellation_changes_nothing() -> None:
    run = Run([ticket()])
    assert run.cancel(JobId("another")) is None
    assert run.reason_to_stop is None


def test_a_deadline_ends_its_own_job_and_the_run_with_the_last() -> None:
    first, second, patient = late(), late(), ticket(deadline=time.time() + 1000)
    run = Run([first, patient, second])
    assert run.dismiss_late() == [first, second]
    assert run.reason_to_stop is None
    over = Run([late()])
    over.dismiss_late()
    assert isinstance(over.reason_to_stop, DeadlineError)
    assert over.close() == []


def test_nobody_joins_a_run_that_is_over_or_being_stopped() -> None:
    first = ticket()
    cancelled, closed, deserted = Run([first]), Run([ticket()]), Run([late()])
    cancelled.cancel(first.job.id)
    closed.close()
    deserted.dismiss_late()
    assert not any(run.join(ticket()) for run in (cancelled, closed, deserted))


def test_who_must_be_alone_joins_only_a_run_that_is() -> None:
    assert not Run([ticket()]).join(ticket(alone=True))
    assert Run([ticket(alone=True)]).join(ticket(alone=True))
    assert Run([ticket(alone=True)]).join(ticket())


@given(st.lists(st.tuples(st.sampled_from(["join", "cancel", "late", "close"]), st.integers(0, 5))))
@settings(deadline=None)
def test_each_ticket_leaves_exactly_once(steps: list[tuple[str, int]]) -> None:
    joined = [ticket()]
    run = Run(list(joined))
    left: list[Ticket] = []
    for action, number in steps:
        if action == "join":
            other = late() if number % 2 else ticket()
            joined += [other] if run.join(other) else []
        elif action == "cancel" and (gone := run.cancel(joined[number % len(joined)].job.id)):
            left.append(gone)
        elif action == "late":
            left += run.dismiss_late()
        elif action == "close":
            left += run.close()
    left += run.close()
    assert sorted(map(id, left)) == sorted(map(id, joined))


def test_each_ticket_leaves_exactly_once_with_two_threads() -> None:
    for _ in range(50):
        run = Run([ticket()])
        accepted: list[Ticket] = []

        def join(run: Run = run, accepted: list[Ticket] = accepted) -> None:
            others = [ticket() for _ in range(20)]
            accepted += [other for other in others if run.join(other)]

        thread = threading.Thread(target=join)
        first = run.first
        thread.start()
        left = run.close()
        thread.join()
        assert left == [first, *accepted]
