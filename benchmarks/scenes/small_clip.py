"""Small CLIPs of open_clip's own model code: built, saved as open_clip's folders are, quick to train on short texts."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.func import functional_call

from interrogator.engines.torchvision_ops import declare_missing_operators

PREPROCESS: dict[str, Any] = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
CONTEXT, VOCABULARY = 77, 49408
START, END = 49406, 49407  # token ids


def built(model: dict[str, Any]) -> nn.Module:
    """The open_clip model of a configuration, with random weights."""
    declare_missing_operators()
    from open_clip.model import CLIP, CustomTextCLIP  # noqa: PLC0415

    settings = {key: value for key, value in model.items() if key != "custom_text"}
    made: nn.Module = (CustomTextCLIP if model.get("custom_text") else CLIP)(**settings)
    for name, parameter in made.visual.named_parameters():
        if name.endswith("bn3.weight"):  # zero by default: blocks that begin as nothing are slow to begin
            nn.init.ones_(parameter)
    return made


def saved(net: nn.Module, model: dict[str, Any], folder: Path) -> Path:
    """`folder` with the configuration and the weights in float16: what `local-dir:` loads."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"model_cfg": model, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in net.state_dict().items()
    }
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@cache
def _tokenizer() -> Any:
    declare_missing_operators()
    from open_clip import SimpleTokenizer  # noqa: PLC0415

    return SimpleTokenizer()


@cache
def _pieces(words: str) -> tuple[int, ...]:
    return tuple(_tokenizer().encode(words))


def tokens(texts: list[str]) -> Tensor:
    """(n, longest) int64: the ids that open_clip's tokenizer gives, no wider than the longest text. Phrases are
    encoded one by one, since few of them are new; a piece never reaches over ", "."""
    comma = _pieces(",")
    rows = []
    for text in texts:
        ids: list[int] = []
        for place, phrase in enumerate(text.split(", ")):
            ids.extend((*comma, *_pieces(phrase)) if place else _pieces(phrase))
        rows.append([START, *ids[: CONTEXT - 2], END])
    longest = max(map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


def text_features(net: nn.Module, ids: Tensor) -> Tensor:
    """(n, d), L2-normalised: `encode_text` with only as many positions as the ids have. What comes after the end of a
    text has no part in its features: the tower is causal."""
    length = ids.shape[1]
    prefix = "text." if hasattr(net, "text") else ""
    held = dict(net.named_parameters()) | dict(net.named_buffers())
    shorter = {
        f"{prefix}positional_embedding": held[f"{prefix}positional_embedding"][:length],
        f"{prefix}attn_mask": held[f"{prefix}attn_mask"][:length, :length],
    }
    features: Tensor = functional_call(net, shorter, (None, ids))[1]
    return features


def normalised(pictures: NDArray[np.uint8]) -> Tensor:
    """(n, 3, 64, 64) float32 of (n, 64, 64, 3) uint8, as open_clip's preprocessing gives it."""
    mean, std = torch.tensor(PREPROCESS["mean"]), torch.tensor(PREPROCESS["std"])
    return ((torch.from_numpy(pictures) / 255 - mean) / std).permute(0, 3, 1, 2)  # channels last in memory
