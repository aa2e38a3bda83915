"""Text towers whose computing cannot be shared: not causal, or not of a structure that we know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.prompt_tokens import Asks, continuation, open_tokens, split_by_ask
from interrogator.text_blocks import Tally, in_blocks

if TYPE_CHECKING:
    from interrogator.engines import Report


class PlainTextTower:
    """Any tower, through `model.encode_text`: `SharedTextTower` without anything shared but the batches.

    Padding is left out only where the model masks it (Hugging Face encoders); elsewhere it is part of what the model
    reads, or of where it looks.
    """

    continue_roughly = None

    def __init__(self, model: Any, tokenizer: Any, rows: int) -> None:
        self.rows = rows
        self.computed = 0
        self._model = model
        self._tokenizer = tokenizer
        self._context = _context(model, tokenizer)
        declare_missing_operators()
        self._padding = _masked_padding(model)
        self.tokens = open_tokens(tokenizer, self._context)

    @property
    def token_limit(self) -> int:
        """Tokens of a prompt that fit, special ones not counted."""
        return self.tokens.limit

    def forget(self) -> None:
        """Nothing is kept between calls."""

    def embed(self, texts: Sequence[str], report: Report | None = None) -> Tensor:
        """(n, d) float32, rows L2-normalised. Reports `Stage.LABELS` after each batch."""
        tally = Tally(report, len(texts))
        return in_blocks(texts, lambda block: self.embed_block(block, tally.add))

    def embed_block(self, texts: Sequence[str], add: Callable[[int], None]) -> Tensor:
        """All of the texts at once, in batches: (n, d) float32, normalised. `add` hears how many a batch had."""
        ids = self._tokenizer(list(texts) or [""], context_length=self._context)  # (n, context)
        lengths = _filled(ids, self._padding)
        order = lengths.argsort(descending=True, stable=True).tolist()
        result: Tensor | None = None
        start = 0
        while start < len(order):
            longest = int(lengths[order[start]])
            batch = order[start : start + max(1, self.rows // longest)]
            embedded = self._encode(ids[batch, :longest])
            result = torch.empty(len(order), embedded.shape[1]) if result is None else result
            result[batch] = embedded
            start += len(batch)
            add(min(len(batch), len(texts)))  # nothing is embedded as the empty text
        assert result is not None
        return result[: len(texts)]

    def continuations(self, prefix: str, phrases: Sequence[str]) -> Tensor:
        """The texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty): (n, d) float32, normalised."""
        return self.continue_all([(prefix, phrases)])[0]

    def continue_all(self, asks: Asks) -> list[Tensor]:
        """`continuations` of each (prefix, phrases), in shared batches."""
        return split_by_ask(self.embed(texts_of(asks)), asks)

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`count_tokens` of the texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""
        return self.tokens.lengths(prefix, phrases)

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, however many; special ones not counted."""
        return self.tokens.counts([text])[0]

    def _encode(self, ids: Tensor) -> Tensor:
        """(n, d) float32 on the CPU, L2-normalised."""
        self.computed += ids.numel()
        device = _text_part(self._model).device
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            return normalize(self._model.encode_text(ids.to(device)).float(), dim=-1).cpu()


def texts_of(asks: Asks) -> list[str]:
    """The texts of each ask, of all one after another."""
    return [continuation(prefix, phrase) for prefix, phrases in asks for phrase in phrases]


def _text_part(model: Any) -> Tensor:
    """A weight of the text tower: it may be elsewhere than the image tower."""
    text = getattr(model, "text", None) or getattr(model, "token_embedding", None) or model
    weight: Tensor = next(text.parameters())
    return weight


def _context(model: Any, tokenizer: Any) -> int:
    """The length of the rows that `encode_text` takes: the tokenizer's, where it has one, else the model's."""
    length: int | None = getattr(tokenizer, "context_length", None) or getattr(model, "context_length", None)
    if length is None:
        raise ValueError("Neither the tokenizer nor the model says how long a text may be.")
    return length


def _masked_padding(model: Any) -> int | None:
    """The id that the model's text tower leaves out wherever it stands at the end, None where there is none."""
    from open_clip.hf_model import ClsLastHiddenStatePooler, ClsPooler, HFTextEncoder, MeanPooler  # noqa: PLC0415

    text: Any = getattr(model, "text", None)
    if type(text) is not HFTextEncoder or type(text.pooler) not in (MeanPooler, ClsPooler, ClsLastHiddenStatePooler):
        return None
    padding: int | None = text.config.pad_token_id
    return padding


def _filled(ids: Tensor, padding: int | None) -> Tensor:
    """Of each row, how much must be read: all, or up to the last id that is no padding (at least one). (n,) int64."""
    whole = torch.full((len(ids),), ids.shape[1])
    if padding is None:
        return whole
    after = (ids != padding).flip(1).int().argmax(1)  # of a row of nothing but padding 0: then all is read
    return whole - after
