"""Linear layers over many rows, by the quicker of the processor's two libraries of matrix products."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

_FEWEST = 64  # rows; with fewer, laying out the weights costs more than it gains
_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def row_linear(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`linear(rows, weight, bias)` to rounding: rows (n, d), weight (m, d), bias (m,) give (n, m).

    On a CPU, torch multiplies float32 matrices by MKL but convolves by oneDNN, which is quicker by a sixth to a half
    where both were tried (AVX-512 of AMD). A convolution whose kernel is one pixel is a linear layer over pixels.
    """
    if rows.device.type != "cpu" or rows.dtype != torch.float32 or len(rows) < _FEWEST or not _ONEDNN:
        return linear(rows, weight, bias)
    image = rows.contiguous().view(1, len(rows), 1, -1).permute(0, 3, 1, 2)  # (1, d, n, 1), channels last
    found = conv2d(image, weight.view(*weight.shape, 1, 1), bias)
    return found.permute(0, 2, 3, 1).reshape(len(rows), -1)


def run_module(module: nn.Module, rows: Tensor) -> Tensor:
    """`module(rows)`, its linear layers (or itself, if it is one) by `row_linear`."""
    if type(module) is nn.Sequential:
        for part in module:
            rows = run_module(part, rows)
        return rows
    if isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward:
        return row_linear(rows, module.weight, module.bias)
    found: Tensor = module(rows)
    return found
