"""How many pictures the bot holds in memory at a time: bounded before any of them is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from interrogator.queue.bounds import queue_is_full, share_is_taken

MOST_BYTES = 512 * 2**20  # as the queue itself: what waits to be read counts as read


class Places:
    """Places for pictures, `most` in all and `most_of_one` of one person's, and for so many bytes.

    Each is taken before the picture is read and kept until it is answered. Of one event loop.
    """

    def __init__(self, *, most: int, most_of_one: int, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._most_bytes = most_bytes
        self._taken: Counter[int] = Counter()  # by user
        self._bytes = 0

    @contextmanager
    def taken(self, user_id: int, size: int) -> Iterator[None]:
        """A place for a picture of at most `size` bytes while the block lasts. Raises QueueFullError."""
        if self._taken[user_id] >= self._most_of_one:
            raise share_is_taken(self._taken[user_id])
        if (held := self._taken.total()) >= self._most or self._bytes + size > self._most_bytes:
            raise queue_is_full(held)
        self._taken[user_id] += 1
        self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size
            self._taken[user_id] -= 1
            self._taken += Counter()  # forgets those who have none
