"""The batch boundary: the one place where an unexpected error of the models is caught."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

from interrogator.errors import InternalError, InterrogatorError

R = TypeVar("R")
A = TypeVar("A")

log = logging.getLogger(__name__)


def run_batch(
    answer: Callable[[Sequence[R]], Sequence[A | InterrogatorError]], requests: Sequence[R]
) -> Sequence[A | InterrogatorError]:
    """What `answer` (a pipeline's `run` or `measure`) says: one outcome a request, in order. After an unexpected error
    each is an `InternalError` whose reference leads to the traceback in the log."""
    try:
        return answer(requests)
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("a batch of %d failed, reference %s", len(requests), reference)
        sentence = f"Something went wrong with this image (reference {reference}). Please try again or send another."
        return [InternalError(sentence) for _ in requests]
