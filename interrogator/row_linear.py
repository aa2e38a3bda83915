"""Linear layers over many rows, by the quicker of the processor's two libraries of matrix products."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""rows (n, d), weight (m, d), bias (m,) or None -> (n, m): a way to compute `linear`."""

_FEWEST = 64  # rows; with fewer, laying out the weights costs more than it gains
ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def row_linear(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`linear(rows, weight, bias)` to rounding: rows (n, d), weight (m, d), bias (m,) give (n, m).

    On a CPU, torch multiplies float32 matrices by MKL but convolves by oneDNN, which is quicker by a sixth to a half
    where both were tried (AVX-512 of AMD).
    """
    if rows.device.type != "cpu" or rows.dtype != torch.float32 or not ONEDNN:
        return linear(rows, weight, bias)
    return by_convolution(rows, weight, bias)


def by_convolution(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same, as a convolution whose kernel is one pixel: a linear layer over pixels."""
    if len(rows) < _FEWEST:
        return linear(rows, weight, bias)
    image = rows.contiguous().view(1, len(rows), 1, -1).permute(0, 3, 1, 2)  # (1, d, n, 1), channels last
    found = conv2d(image, weight.view(*weight.shape, 1, 1), bias)
    return found.permute(0, 2, 3, 1).reshape(len(rows), -1)


def run_module(module: nn.Module, rows: Tensor, by: Linear = row_linear) -> Tensor:
    """`module(rows)`, its linear layers (or itself, if it is one) computed `by` that."""
    if type(module) is nn.Sequential:
        for part in module:
            rows = run_module(part, rows, by)
        return rows
    if isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward:
        return by(rows, module.weight, module.bias)
    found: Tensor = module(rows)
    return found
