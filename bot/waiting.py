"""Who waits in line for what, as the queue told it last: what `/queue` tells a person of their own pictures."""

from __future__ import annotations

from interrogator.types import Event, JobId, Queued


class Waiting:
    """The places in line of the jobs of this process that wait. Of one event loop."""

    def __init__(self) -> None:
        self._places: dict[JobId, tuple[int, Queued]] = {}

    def saw(self, job_id: JobId, user_id: int, event: Event | None) -> None:
        """The next event of the job; None where nobody listens to it any more."""
        if isinstance(event, Queued):
            self._places[job_id] = (user_id, event)
        else:
            self._places.pop(job_id, None)

    def of(self, user_id: int) -> list[Queued]:
        """The places of one person's, the first first."""
        return sorted((place for user, place in self._places.values() if user == user_id), key=lambda one: one.position)
