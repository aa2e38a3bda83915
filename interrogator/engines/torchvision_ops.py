"""The cure for a CPU build of torch beside a torchvision whose compiled operators do not load.

`import torchvision` then raises "operator torchvision::nms does not exist", because it registers gradients for that
operator. No model here calls it: its declaration is enough.
"""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

import torch

_OPERATORS = ("nms", "qnms")
_declared: list[torch.library.Library] = []  # an operator lives as long as the library object that declared it


def declare_missing_operators() -> None:
    """Make `import torchvision` (hence timm and open_clip) possible; call it before their first import, any number of
    times. Operators that exist are left alone."""
    _load_compiled_operators()
    for name in _OPERATORS:
        if not operator_exists(name):
            library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call] # torch has no types here
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
            _declared.append(library)


def operator_exists(name: str) -> bool:
    """Whether torch knows the operator `torchvision::name`."""
    return hasattr(torch.ops.torchvision, name)


def _load_compiled_operators() -> None:
    """Load torchvision's own library first, as its import would: where it loads, nothing must be declared twice."""
    package = importlib.util.find_spec("torchvision")
    if package is None or package.origin is None:
        return
    for library in sorted(Path(package.origin).parent.glob("_C.*")):
        with contextlib.suppress(OSError):  # built for another torch: exactly the case that this module is for
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
