"""Whether embeddings are numbers: in half precision some models compute beyond its range."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from interrogator.engines.clip.device import Precision
from interrogator.errors import NotFiniteError

_ADVICE: dict[Precision, str] = {
    "fp16": "Please set precision to “bf16” or “fp32” in the profile.",
    "bf16": "Please set precision to “fp32” in the profile.",
    "fp32": "Its weights are damaged, or not those of this model: please fetch them again.",
}


def check_finite(embedded: Iterable[torch.Tensor], model: str, kind: str, precision: Precision) -> None:
    """NotFiniteError where anything in `embedded`, L2-normalised rows, is not finite. `kind` is what they are of."""
    if not all(math.isfinite(float(rows.sum())) for rows in embedded):  # sums of rows of length 1 never overflow
        raise NotFiniteError(f"{model} gives no numbers for {kind} in {precision}. {_ADVICE[precision]}")
