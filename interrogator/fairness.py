"""The order in which waiting jobs run: users take turns, short before long, and nobody is passed for ever.

Each user has a row, first come, first served, and the rows stand in a ring: who was served goes to its end, and so does
who is new. At the head of the rows, a job of a shorter mode goes first; one that was passed in `PATIENCE` batches is
due, and is passed no more. So at most (rows before it) + `PATIENCE` x (jobs of a batch) others are served while a job
is the first of its row, whatever arrives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from interrogator.sharing import Ticket, Work
from interrogator.types import Job, JobId, Mode, Options

PATIENCE = 2
"""Batches in which the first job of a row is passed by what stands behind it in the ring, before it is due."""

_SHORT, _MIDDLE, _LONG = range(3)
_LENGTHS = {
    Mode.CAPTION: _SHORT,
    Mode.FAST: _SHORT,
    Mode.CLASSIC: _SHORT,
    Mode.TURBO: _MIDDLE,
    Mode.BEST: _LONG,
    Mode.NEGATIVE: _LONG,
}


def length_class(mode: Mode) -> int:
    """Modes of one class take a comparable time; those of a lower class less than those of a higher one."""
    return _LENGTHS[mode]


def timed_as(job: Job) -> Options:
    """Options whose prompt takes about as long as the job: its own, or for a `Measure` a caption's: with lite, most
    of both is to look at the image; with CLIP, where nothing is captioned, it takes less."""
    return job.options if job.measure is None else replace(job.options, mode=Mode.CAPTION, seconds=None)


class Line:
    """The tickets that wait. Not thread-safe."""

    def __init__(self) -> None:
        self._ring: dict[str, deque[Ticket]] = {}  # by user, in the order of their turns
        self._by_work: dict[Work, list[Ticket]] = {}
        self._passed: dict[JobId, int] = {}  # batches in which the first job of a row was passed

    def __bool__(self) -> bool:
        return bool(self._ring)

    def __iter__(self) -> Iterator[Ticket]:
        """All tickets, in no order that matters."""
        return (ticket for row in self._ring.values() for ticket in row)

    def copy(self) -> Line:
        """A line of the same tickets that can be taken apart without harm to this one."""
        twin = Line()
        twin._ring = {user: deque(row) for user, row in self._ring.items()}
        twin._by_work = {work: list(tickets) for work, tickets in self._by_work.items()}
        twin._passed = dict(self._passed)
        return twin

    def add(self, ticket: Ticket) -> None:
        """Put the ticket last in its user's row."""
        self._ring.setdefault(_row(ticket), deque()).append(ticket)
        self._by_work.setdefault(ticket.work, []).append(ticket)

    def find(self, job_id: JobId) -> Ticket | None:
        """The ticket of this job, if it waits."""
        return next((ticket for ticket in self if ticket.job.id == job_id), None)

    def remove(self, ticket: Ticket) -> None:
        """Take out a ticket that waits."""
        user = _row(ticket)
        self._ring[user].remove(ticket)
        if not self._ring[user]:
            del self._ring[user]
        same = self._by_work[ticket.work]
        same.remove(ticket)
        if not same:
            del self._by_work[ticket.work]
        self._passed.pop(ticket.job.id, None)

    def plan(self, limit: int) -> Iterator[list[list[Ticket]]]:
        """The batches of `take`, one after the other, if nothing came or went. The line stays as it is."""
        line = self.copy()
        while line:
            yield line.take(limit)

    def take(self, limit: int) -> list[list[Ticket]]:
        """Take out the next batch: up to `limit` works, for each the tickets that ask for it. The line is not empty.

        They share the profile and the length class, since a batch ends together, and all or none are to be measured; a
        ticket that must run alone has no company but of tickets that ask for the same.
        """
        heads = [row[0] for row in self._ring.values()]
        leader = self._leader(heads)
        places = {_row(ticket): place for place, ticket in enumerate(heads)}
        furthest = places[_row(leader)]
        batch = [self._serve(leader)]
        rows = deque(self._ring) if not leader.alone else deque()
        served = {_row(leader)}
        while rows and len(batch) < limit:
            user = rows.popleft()
            if user not in self._ring:  # emptied by those who ask for the same as another
                continue
            ticket = self._ring[user][0]
            if _fits(ticket, leader):
                furthest = len(places) if user in served else max(furthest, places[user])
                served.add(user)
                batch.append(self._serve(ticket))
                if user in self._ring:
                    rows.append(user)
            elif self._is_due(ticket):
                break
        self._note_passed(heads, places, furthest)
        return batch

    def _leader(self, heads: list[Ticket]) -> Ticket:
        due = next((ticket for ticket in heads if self._is_due(ticket)), None)
        return due or min(heads, key=lambda ticket: length_class(timed_as(ticket.job).mode))

    def _is_due(self, ticket: Ticket) -> bool:
        return self._passed.get(ticket.job.id, 0) >= PATIENCE

    def _serve(self, ticket: Ticket) -> list[Ticket]:
        """Take out the ticket and those that ask for the same; its user's turn is over."""
        same = [
            other for other in self._by_work[ticket.work] if other is not ticket and (ticket.alone or not other.alone)
        ]
        for one in (ticket, *same):
            self.remove(one)
        user = _row(ticket)
        if user in self._ring:
            self._ring[user] = self._ring.pop(user)
        return [ticket, *same]

    def _note_passed(self, heads: list[Ticket], places: dict[str, int], furthest: int) -> None:
        """Of those that were first of their rows and still wait, who stood before the furthest that was served?"""
        for ticket in heads:
            user = _row(ticket)
            if user in self._ring and self._ring[user][0] is ticket and places[user] < furthest:
                self._passed[ticket.job.id] = self._passed.get(ticket.job.id, 0) + 1


def _row(ticket: Ticket) -> str:
    """Whose turn it is; jobs without a user are nobody's but their own."""
    return f"user {ticket.job.user}" if ticket.job.user else f"job {ticket.job.id}"


def _fits(ticket: Ticket, leader: Ticket) -> bool:
    mine, its = timed_as(ticket.job), timed_as(leader.job)
    together = mine.profile == its.profile and length_class(mine.mode) == length_class(its.mode)
    alike = (ticket.job.measure is None) == (leader.job.measure is None)
    return together and alike and not ticket.alone
