"""Building a model without the random weights that loading replaces at once: most of the time a large one takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

_FILLING = frozenset({"normal_", "uniform_", "erfinv_"})  # tensors' own methods, which some initialisers call


class Blank(TorchFunctionMode):
    """Within it, and in this thread alone, initialisers leave their tensors as they are.

    Only for a model whose every parameter is loaded afterwards (strictly): the others would be whatever was in memory.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init" or getattr(func, "__name__", "") in _FILLING:
            return args[0] if args else named["tensor"]
        return func(*args, **named)
