"""Linear layers in half precision: on processors that multiply bfloat16 themselves, twice as fast and a little off."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from interrogator.row_linear import ONEDNN, by_convolution

_INSTRUCTIONS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
"""What torch.cpu calls the instructions that multiply bfloat16; older releases do not look for all of them."""


def multiplies_bf16() -> bool:
    """Whether this processor does, by what torch says of it. Where it does not, bfloat16 is emulated, and slow."""
    return ONEDNN and any(getattr(torch.cpu, name, lambda: False)() for name in _INSTRUCTIONS)


class RoughLinear:
    """`Linear` in bfloat16: products of 8 bits each, summed in float32, the results (n, m) bfloat16.

    Keeps a copy of every weight that it has seen, on first sight: 2 bytes a number of the linear layers, 76 MB for the
    text tower of ViT-B-32, 170 for that of ViT-L-14, 1.3 GB for that of bigG. Weights must not change in place.
    """

    def __init__(self) -> None:
        self._copies: dict[tuple[int, torch.Size], tuple[Tensor, Tensor]] = {}
        self._native = multiplies_bf16()

    @property
    def held(self) -> int:
        """Numbers of the copies that are kept now."""
        return sum(copy.numel() for _, copy in self._copies.values())

    def forget(self) -> None:
        """Free the copies."""
        self._copies.clear()

    def __call__(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """rows (n, d) of any precision, weight (m, d) or a part of one, bias (m,) give (n, m) bfloat16."""
        by = by_convolution if self._native else linear
        half = None if bias is None else bias.to(torch.bfloat16)
        return by(rows.to(torch.bfloat16), self._copy(weight), half)

    def _copy(self, weight: Tensor) -> Tensor:
        """By its place in memory, for a part of a weight is a new object each time. What lies there is kept as well:
        so the place is not given to another."""
        key = weight.data_ptr(), weight.shape
        if key not in self._copies:
            self._copies[key] = weight, weight.to(torch.bfloat16)
        return self._copies[key][1]
