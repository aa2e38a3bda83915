"""A file that may be read for a time: what is written to be slow ends like what is damaged."""

from __future__ import annotations

import io
import time


class OutOfTimeError(Exception):
    """Reading the file took longer than was allowed."""


class TimedFile(io.BytesIO):
    """Bytes that can be read for `seconds` from now on.

    Pillow's own parsers and most of its decoders read piece by piece, so that they end here. A decoder that has the
    whole file cannot be interrupted: its time is bounded by the pixels of one picture, which are checked before.
    """

    def __init__(self, data: bytes, seconds: float) -> None:
        super().__init__(data)
        self._end = time.monotonic() + seconds

    def check_time(self) -> None:
        """Raises OutOfTimeError once the time is over."""
        if time.monotonic() >= self._end:
            raise OutOfTimeError

    def hurry(self, seconds: float) -> None:
        """Leave no more than so many seconds from now on."""
        self._end = min(self._end, time.monotonic() + seconds)

    def read(self, size: int | None = -1, /) -> bytes:
        """As `io.BytesIO.read`. Raises as `check_time`."""
        self.check_time()
        return super().read(size)
