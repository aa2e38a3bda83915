"""A pipeline for the benchmark's worker that loads no model: a batch takes a while, and each image a little more."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from benchmarks.throughput_worker import RECORDS, Watched
from interrogator.engines import Report
from interrogator.features import FeatureCache
from interrogator.profiles import Profile
from interrogator.request import Request
from interrogator.types import Interrogation, Progress, Stage

BATCH_SECONDS, IMAGE_SECONDS = 0.05, 0.002
LIMIT = 4
STEPS, ROWS = 3, 10


class Sleeping:
    """As slow as it is told, and no slower."""

    batch_limit = LIMIT

    def __init__(self) -> None:
        self.features = FeatureCache(0)
        self.engine = SimpleNamespace(text=SimpleNamespace(tower=SimpleNamespace(computed=0)))

    def run(self, requests: Sequence[Request]) -> list[Interrogation]:
        for request in requests:
            request.report(Progress(Stage.READ, 0, 1))
        time.sleep(IMAGE_SECONDS * len(requests))
        for step in range(STEPS):
            for request in requests:
                request.report(Progress(Stage.SEARCH, step, STEPS))
            self.engine.text.tower.computed += ROWS * len(requests)
            time.sleep(BATCH_SECONDS / STEPS)
        return [_answer(request) for request in requests]


def _answer(request: Request) -> Interrogation:
    return Interrogation(
        sha256=hashlib.sha256(request.image).hexdigest(),
        width=1,
        height=1,
        profile=request.options.profile,
        engine="sleeping",
        mode=request.options.mode,
        style_only=False,
        caption="",
        prompt="a prompt",
        phrases=(),
        similarity=0.5,
        seconds=0.0,
    )


def sleeping(profile: Profile, report: Report) -> Watched:
    return Watched(Sleeping(), Path(os.environ[RECORDS]))  # type: ignore[arg-type]  # what a `Watched` needs of it
