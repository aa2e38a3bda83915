"""The worker's log is sent to who started it, whatever is in it."""

from __future__ import annotations

import io
import logging

from interrogator import wire
from interrogator.worker import LogHandler, Outbox


def test_what_is_no_unicode_is_sent_escaped() -> None:
    pipe = io.BytesIO()
    record = logging.LogRecord("name", logging.WARNING, __file__, 1, "cannot read %s", ("caf\udce9.txt",), None)
    LogHandler(Outbox(pipe)).emit(record)
    pipe.seek(0)
    body = wire.read_frame(pipe)
    assert body is not None
    assert wire.decode_from_worker(body) == wire.LogLine(logging.WARNING, "cannot read caf\\udce9.txt")
