"""Tickets for the tests of what waits in the worker."""

from __future__ import annotations

import itertools

from interrogator.sharing import Ticket, work_of
from interrogator.types import Job, JobId, Measure, Mode, Options

_numbers = itertools.count(1)


def ticket(
    user: str = "",
    mode: Mode = Mode.FAST,
    *,
    image: bytes | None = None,
    alone: bool = False,
    deadline: float | None = None,
    profile: str = "lite",
    measure: Measure | None = None,
) -> Ticket:
    """A ticket of a new job; where no image is given, of one that nobody else has."""
    number = next(_numbers)
    own = b"%d" % number if image is None else image
    options = Options(mode=mode, profile=profile)
    job = Job(id=JobId(str(number)), image=own, options=options, user=user, deadline=deadline, measure=measure)
    return Ticket(job, work_of(job), alone)
