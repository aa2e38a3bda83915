"""Where the log goes: nowhere, for it is not meant for whoever asks for prompts, or to stderr where it is asked for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEBUG_VARIABLE = "INTERROGATOR_DEBUG"
HINT = f"To see what went wrong, with the traceback, run it again with {DEBUG_VARIABLE}=1 in the environment."


def debugging() -> bool:
    """Whether the person wants to see the log."""
    return os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


@contextmanager
def log_for_people() -> Iterator[None]:
    """While a command runs: without a handler of ours Python would write warnings and tracebacks to stderr."""
    log = logging.getLogger("interrogator")
    handler: logging.Handler = logging.NullHandler()
    level = log.level
    if debugging():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
