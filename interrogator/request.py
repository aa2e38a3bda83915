"""What a pipeline is asked; apart from it, so that whoever asks need not load what answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from interrogator.engines import Report
from interrogator.types import Measure, Options, Progress


def silent(_progress: Progress) -> None:
    """A report that nobody reads."""


@dataclass(frozen=True, slots=True)
class Request:
    """One image to interrogate. `report` receives progress; a CancelledError or DeadlineError that it raises becomes
    the outcome of this request, the others of the batch go on."""

    image: bytes
    options: Options = field(default_factory=Options)
    report: Report = silent


@dataclass(frozen=True, slots=True)
class MeasureRequest(Request):
    """The same for an image to measure."""

    measure: Measure = field(default_factory=Measure)
