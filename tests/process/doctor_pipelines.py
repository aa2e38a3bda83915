"""Pipelines for `--pipeline` that answer the doctor's sample picture, or do not. They load no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipelines import answer

from interrogator.engines import Report
from interrogator.errors import InterrogatorError, ModelDamagedError
from interrogator.features import FeatureCache
from interrogator.profiles import Profile
from interrogator.request import Request
from interrogator.types import Interrogation


@dataclass(frozen=True)
class Healthy:
    """Takes any bytes for a picture."""

    batch_limit: int = 1
    features: FeatureCache = field(default_factory=FeatureCache)

    def run(self, requests: Sequence[Request]) -> list[Interrogation | InterrogatorError]:
        return [answer(replace(request, image=b"a picture")) for request in requests]


def healthy(profile: Profile, report: Report) -> Healthy:
    return Healthy()


def damaged(profile: Profile, report: Report) -> Healthy:
    raise ModelDamagedError("The weights in /somewhere/here are damaged.")
