"""How `interrogate` ends."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from interrogator.errors import (
    InterrogatorError,
    ProfileError,
    UnsupportedOptionError,
    VocabularyError,
    WorkerAddressError,
)


class Exit(IntEnum):
    """The last two as a shell reports the signals of Ctrl-C and of a reader that has gone."""

    OK = 0
    SOME_FAILED = 1
    WRONG_USAGE = 2
    INTERRUPTED = 130
    PIPE_CLOSED = 141


EXIT_CODES = """\
exit codes: 0 all is done, 1 something failed, 2 wrong usage
environment: INTERROGATOR_DEBUG=1 writes the log, with the tracebacks of unexpected errors, to standard error
"""
"""For the end of a command's help."""

_WRONG_USAGE = (UnsupportedOptionError, VocabularyError, ProfileError, WorkerAddressError)
"""What the person has asked for, and must change."""


def after(problems: Iterable[InterrogatorError]) -> Exit:
    """How a command ends that could not be done because of these problems, which no image is the cause of."""
    return Exit.WRONG_USAGE if any(isinstance(one, _WRONG_USAGE) for one in problems) else Exit.SOME_FAILED
