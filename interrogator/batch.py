"""The batch boundary: the one place where an unexpected error of the models is caught."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from interrogator.errors import InternalError, InterrogatorError
from interrogator.types import Interrogation

if TYPE_CHECKING:
    from interrogator.pipeline import Pipeline
    from interrogator.request import Request

log = logging.getLogger(__name__)


def run_batch(pipeline: Pipeline, requests: Sequence[Request]) -> Sequence[Interrogation | InterrogatorError]:
    """One outcome a request, in order. After an unexpected error each is an `InternalError` whose reference leads to
    the traceback in the log."""
    try:
        return pipeline.run(requests)
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("a batch of %d failed, reference %s", len(requests), reference)
        sentence = f"Something went wrong with this image (reference {reference}). Please try again or send another."
        return [InternalError(sentence) for _ in requests]
