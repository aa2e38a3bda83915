"""The events of one job on their way to the person who waits."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from interrogator.types import End, Event, Progress


@dataclass(frozen=True, slots=True)
class Started:
    """The worker has begun to run the job: for who passes the events on, not for a person."""


Happening = Event | Started


class Mailbox:
    """Never grows with a reader that is slow: news of the same kind replaces what has not been read yet.

    The first `End` closes it; what comes after that is dropped.
    """

    def __init__(self) -> None:
        self._events: deque[Happening] = deque()
        self._arrived = asyncio.Event()
        self.closed = False

    def put(self, event: Happening) -> None:
        """Add the event; never waits."""
        if self.closed:
            return
        self.closed = isinstance(event, End)
        if self._events and _supersedes(event, self._events[-1]):
            self._events.pop()
        self._events.append(event)
        self._arrived.set()

    async def get(self) -> Happening:
        """The next event; waits for it."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.popleft()


def _supersedes(new: Happening, old: Happening) -> bool:
    if isinstance(new, Progress) and isinstance(old, Progress):
        return new.stage == old.stage
    return type(new) is type(old)
