from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from interrogator.row_linear import row_linear, run_module

ROWS = (1, 63, 64, 300)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("biased", [True, False])
def test_rows_go_through_a_layer_as_torch_sends_them(rows: int, biased: bool) -> None:
    generator = torch.Generator().manual_seed(rows)
    x, weight = torch.randn(rows, 48, generator=generator), torch.randn(96, 48, generator=generator)
    bias = torch.randn(96, generator=generator) if biased else None
    expected = linear(x.double(), weight.double(), bias.double() if bias is not None else None)
    assert torch.allclose(row_linear(x, weight, bias).double(), expected, atol=2e-5)


def test_rows_and_weights_may_be_parts_of_others() -> None:
    x, weight = torch.randn(2, 300, 48)[:, ::2][1], torch.randn(96, 48)[32:64]
    assert not x.is_contiguous()
    assert torch.allclose(row_linear(x, weight, None), linear(x, weight), atol=2e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_left_to_torch(dtype: torch.dtype) -> None:
    x, weight = torch.randn(100, 16, dtype=dtype), torch.randn(8, 16, dtype=dtype)
    assert torch.equal(row_linear(x, weight, None), linear(x, weight))


class Doubling(nn.Linear):
    """A linear layer that does something of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


def test_a_module_does_what_it_does() -> None:
    x = torch.randn(100, 16)
    for module in (
        nn.Linear(16, 8),
        Doubling(16, 8),
        nn.LayerNorm(16),
        nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Sequential(nn.Linear(32, 8, bias=False))),
    ):
        with torch.inference_mode():
            assert torch.allclose(run_module(module, x), module(x), atol=1e-5)
