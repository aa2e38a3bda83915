"""The engine that needs no download: small real models that pip packages carry, joined by ConSE."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interrogator.engines import Engine, Report

__all__ = ["load_lite"]


def load_lite(report: Report | None = None) -> Engine:
    """Load the lite engine: about 4 s on two CPU cores, no network. Reports `Stage.LOAD`, step by step.

    Raises `ModelMissingError` where one of the packages that carry its weights is not installed.
    """
    from interrogator.engines.lite.engine import LiteEngine  # noqa: PLC0415 - torch is imported only when asked for

    return LiteEngine.load(report)
