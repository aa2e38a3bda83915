"""The causal text transformer of an open_clip model, computed a part at a time.

In a causal transformer pooled at the end token, what stands before a position decides everything there. So keys and
values of a beginning serve all texts that begin so, and nothing after the end token needs computing. The modules and
weights are open_clip's own; only the order of the work is ours. Numbers equal the model's to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.row_linear import Linear, row_linear, run_module

if TYPE_CHECKING:
    from interrogator.prompt_tokens import Ids
    from interrogator.token_batches import Batch


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """The keys and values of the first ids of texts: a layer's (heads, tokens, head width) each, on the device.

    Filled layer by layer while it is computed (`CausalText.run`).
    """

    ids: Ids
    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Growth:
    """A beginning that is still to be computed: it has the first `shared` ids of `base`, and its own after them.

    `base` is computed before, or in the same pass by an earlier growth. A growth without ids of its own is a part of
    its base (no token sees a later one), and only looks into its memory.
    """

    whole: Beginning
    base: Beginning
    shared: int

    @property
    def tail(self) -> Ids:
        """The ids of its own."""
        return self.whole.ids[self.shared :]

    def add(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Complete a layer by the tail's own keys and values (tokens, heads, head width); returns the shared ones."""
        shared = self.base.keys[layer][:, : self.shared], self.base.values[layer][:, : self.shared]
        own = len(keys) > 0
        self.whole.keys.append(torch.cat([shared[0], keys.transpose(0, 1)], 1) if own else shared[0])
        self.whole.values.append(torch.cat([shared[1], values.transpose(0, 1)], 1) if own else shared[1])
        return shared


@dataclass(frozen=True, slots=True)
class Piece:
    """`count` texts that follow one beginning with `length` ids each; their rows lie one after another."""

    beginning: Beginning
    count: int
    length: int

    @property
    def rows(self) -> int:
        """Token rows."""
        return self.count * self.length


class CausalText:
    """The text tower of a `CLIP` or `CustomTextCLIP`. `open_causal_text` says which can be one."""

    def __init__(self, tower: Any, pool: str, end_id: int) -> None:
        self._tower = tower
        self._blocks = list(tower.transformer.resblocks)
        self._pool = pool
        self._end_id = end_id
        self._heads: int = self._blocks[0].attn.num_heads
        self.context: int = tower.positional_embedding.shape[0]
        self.computed = 0
        """Token rows that went through the layers so far."""

    @property
    def device(self) -> torch.device:
        """Where the weights are now."""
        found: torch.device = self._tower.positional_embedding.device
        return found

    @property
    def dtype(self) -> torch.dtype:
        """What the model computes in."""
        found: torch.dtype = self._tower.transformer.get_cast_dtype()
        return found

    @property
    def dimensions(self) -> int:
        """Of an embedding."""
        projection = self._tower.text_projection
        if projection is None:
            return int(self._tower.positional_embedding.shape[1])
        return int(projection.out_features if isinstance(projection, nn.Linear) else projection.shape[1])

    def end(self, ids: Sequence[int]) -> int:
        """How many ids of a row the tower reads: up to the pooled position, as open_clip finds it."""
        wanted = max(ids) if self._pool == "argmax" else self._end_id
        return ids.index(wanted) + 1 if wanted in ids else 1

    def nothing(self) -> Beginning:
        """The beginning before the first token."""
        width = self._tower.positional_embedding.shape[1] // self._heads
        empty = torch.empty(self._heads, 0, width, device=self.device, dtype=self.dtype)
        return Beginning((), [empty] * len(self._blocks), [empty] * len(self._blocks))

    def run(self, batch: Batch, by: Linear = row_linear) -> Tensor:
        """Compute the growths, in order, and the texts of the pieces, which may follow them, in one pass.

        Returns the embedding at the last id of each text: (texts, d) float32, L2-normalised, on the device. `by`
        computes the linear layers of the blocks, and may answer in another precision: all but the activations between
        the layers of an MLP stays in the model's. Growths are as exact as that.
        """
        growths, pieces = batch.growths, batch.pieces
        with self._exact():
            dtype, repeats = self.dtype, _repeats(batch, self.device)
            x = self._first(batch)
            for layer, block in enumerate(self._blocks):
                normed = block.ln_1(x)
                last = block is self._blocks[-1]  # above its keys and values, only the texts' last positions are read
                projected = self._project(block, normed, slice(1 if last else 0, 3), by)
                if repeats is not None:
                    projected = projected[repeats.of]
                if last:
                    ends = _ends(growths, pieces, x.device)
                    own = ends if repeats is None else repeats.of[ends]
                    x, queries = x[own], self._project(block, normed[own], slice(0, 1), by)[:, 0]
                else:
                    queries = projected[:, 0]
                attended = _attend(layer, growths, pieces, queries.to(dtype), projected[:, -2:].to(dtype))
                if repeats is not None and not last:
                    attended = attended[repeats.first]
                x = x.add_(block.ls_1(run_module(block.attn.out_proj, attended, by)))
                x = x.add_(block.ls_2(run_module(block.mlp, block.ln_2(x), by)))
            x = self._tower.ln_final(x)
            projection = self._tower.text_projection
            if isinstance(projection, nn.Linear):
                x = projection(x)
            elif projection is not None:
                x = x @ projection
            return normalize(x.float(), dim=-1)

    @contextmanager
    def _exact(self) -> Iterator[None]:
        """No gradients, and no caller's autocast: the model computes in its own precision."""
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
            yield

    def _first(self, batch: Batch) -> Tensor:
        """What enters the first layer: (distinct rows, width)."""
        ids: list[int] = []
        positions: list[int] = []
        for growth in batch.growths:
            ids.extend(growth.tail)
            positions.extend(range(growth.shared, len(growth.whole.ids)))
        text_positions = (
            position
            for piece in batch.pieces
            for _ in range(piece.count)
            for position in range(len(piece.beginning.ids), len(piece.beginning.ids) + piece.length)
        )
        count = 0
        for id_, position, row in zip(batch.ids, text_positions, batch.rows, strict=True):
            if row == count:  # seen for the first time
                ids.append(id_)
                positions.append(position)
                count += 1
        self.computed += len(ids)
        device = self.device
        tokens = self._tower.token_embedding(torch.tensor(ids, dtype=torch.long).to(device)).to(self.dtype)
        where = torch.tensor(positions, dtype=torch.long).to(device)
        result: Tensor = tokens + self._tower.positional_embedding[where].to(self.dtype)
        return result

    def _project(self, block: Any, normed: Tensor, which: slice, by: Linear) -> Tensor:
        """Queries (0), keys (1), values (2): `which` of them, (rows, so many, heads, head width)."""
        width = normed.shape[1]
        part = slice(which.start * width, which.stop * width)
        found = by(normed, block.attn.in_proj_weight[part], block.attn.in_proj_bias[part])
        return found.view(len(normed), which.stop - which.start, self._heads, width // self._heads)


def open_causal_text(model: Any) -> CausalText | None:
    """The model's text tower where its structure is what `CausalText` computes, else None: a causal mask, pooling at
    the end token, no class token, residual blocks of the standard kind. Names and subclasses are not trusted."""
    declare_missing_operators()
    from open_clip.model import CLIP, CustomTextCLIP  # noqa: PLC0415
    from open_clip.transformer import TextTransformer  # noqa: PLC0415

    if type(model) is CLIP:
        tower, pool, end_id = model, model.text_pool_type, model.text_eos_id
    elif type(model) is CustomTextCLIP and type(model.text) is TextTransformer and not model.text.output_tokens:
        tower, pool, end_id = model.text, model.text.pool_type, model.text.eos_id
    else:
        return None
    standard = (
        pool in ("argmax", "eos")
        and getattr(tower, "cls_emb", None) is None
        and _is_causal(tower.attn_mask, tower.positional_embedding.shape[0])
        and all(map(_is_standard, tower.transformer.resblocks))
    )
    return CausalText(tower, pool, end_id) if standard else None


def _is_causal(mask: Tensor | None, context: int) -> bool:
    if mask is None or mask.shape != (context, context):
        return False
    return torch.equal(mask.float().cpu(), torch.full((context, context), float("-inf")).triu(1))


def _is_standard(block: Any) -> bool:
    from open_clip.transformer import ResidualAttentionBlock  # noqa: PLC0415

    if type(block) is not ResidualAttentionBlock or hasattr(block, "ln_1_kv"):
        return False
    attn = block.attn
    plain = type(attn) is nn.MultiheadAttention and attn.in_proj_weight is not None and attn.in_proj_bias is not None
    return plain and attn.bias_k is None and not attn.add_zero_attn


def _attend(
    layer: int, growths: Sequence[Growth], pieces: Sequence[Piece], queries: Tensor, keys_values: Tensor
) -> Tensor:
    """What attention finds, as many rows as queries: (..., width). The growths' layer is completed on the way.

    `keys_values` (rows, 2, heads, head width); `queries` (..., heads, head width) of all rows, or, fewer, of the last
    row of each text.
    """
    found = torch.empty(len(queries), queries.shape[1] * queries.shape[2], device=queries.device, dtype=queries.dtype)
    ends_only = len(queries) < len(keys_values)
    start = 0
    for growth in growths:
        stop = start + len(growth.tail)
        keys, values = keys_values[start:stop].unbind(1)
        shared = growth.add(layer, keys, values)
        if stop > start and not ends_only:
            found[start:stop] = _attention(queries[None, start:stop], keys[None], values[None], *shared)
        start = stop
    asked = 0 if ends_only else start
    for piece in pieces:
        rows = piece.count if ends_only else piece.rows
        own = keys_values[start : start + piece.rows].view(piece.count, piece.length, *keys_values.shape[1:])
        query = queries[asked : asked + rows].view(piece.count, -1, *queries.shape[1:])
        before = piece.beginning.keys[layer], piece.beginning.values[layer]
        found[asked : asked + rows] = _attention(query, own[:, :, 0], own[:, :, 1], *before)
        start += piece.rows
        asked += rows
    return found


@dataclass(frozen=True, slots=True)
class _Repeats:
    """Rows of attention that are one token row: every text has a row for each of its ids there."""

    of: Tensor  # (rows of attention,): the token row of each
    first: Tensor  # (token rows,): the first row of attention of each


def _repeats(batch: Batch, device: torch.device) -> _Repeats | None:
    """None where every row is its own."""
    if not batch.rows or max(batch.rows) + 1 == len(batch.rows):
        return None
    grown = sum(len(growth.tail) for growth in batch.growths)
    of, first = list(range(grown)), list(range(grown))
    for row in batch.rows:
        if grown + row == len(first):
            first.append(len(of))
        of.append(grown + row)
    return _Repeats(torch.tensor(of).to(device), torch.tensor(first).to(device))


def _ends(growths: Sequence[Growth], pieces: Sequence[Piece], device: torch.device) -> Tensor:
    """The row of each text's last id: (texts,)."""
    ends: list[int] = []
    start = sum(len(growth.tail) for growth in growths)
    for piece in pieces:
        ends.extend(range(start + piece.length - 1, start + piece.rows, piece.length))
        start += piece.rows
    return torch.tensor(ends, dtype=torch.long).to(device)


def _attention(queries: Tensor, keys: Tensor, values: Tensor, before: Tensor, values_before: Tensor) -> Tensor:
    """Queries of the last positions of each sequence, against all of a shared beginning and what stands before them in
    their own.

    queries (count, asked, heads, e); keys and values (count, length, heads, e); before and values_before (heads, p, e).
    Returns (count * asked, heads * e).
    """
    count, asked, heads, width = queries.shape
    length, p = keys.shape[1], before.shape[1]
    queries = queries * (1 / sqrt(width))
    flat = queries.reshape(count * asked, heads, width).transpose(0, 1)  # (heads, count * asked, e)
    to_before = torch.bmm(flat, before.transpose(1, 2)).view(heads, count, asked, p)
    to_own = queries.permute(2, 0, 1, 3) @ keys.permute(2, 0, 3, 1)  # (heads, count, asked, length)
    if asked > 1:
        later = torch.ones(asked, length, dtype=torch.bool, device=keys.device).triu(length - asked + 1)
        to_own = to_own.masked_fill(later, float("-inf"))
    weights = torch.cat([to_before, to_own], -1).softmax(-1)
    found = torch.bmm(weights[..., :p].reshape(heads, count * asked, p), values_before)
    found = found.view(heads, count, asked, width) + weights[..., p:] @ values.permute(2, 0, 1, 3)
    return found.permute(1, 2, 0, 3).reshape(count * asked, heads * width)
