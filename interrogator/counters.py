"""What a worker counts of its own work, since it was started."""

from __future__ import annotations

from dataclasses import dataclass, field

from interrogator.types import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCounters:
    """`images` were computed, in `batches` (how many there were of each size). `hits` and `misses` are of each cache by
    its name; `stage_seconds` is the device's time in each stage, a batch counting once."""

    images: int = 0
    batches: dict[int, int] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)
    misses: dict[str, int] = field(default_factory=dict)
    stage_seconds: dict[Stage, float] = field(default_factory=dict)
