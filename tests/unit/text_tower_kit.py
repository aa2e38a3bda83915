"""Models and texts for the tests of the text towers: every family that open_clip builds, small and random."""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import CLIP, make_clip
from hypothesis import strategies as st
from torch.nn.functional import normalize

from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.text_tower import PrefixTextTower, open_text_tower

declare_missing_operators()
from open_clip.coca_model import CoCa  # noqa: E402
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer  # noqa: E402

EOT = 49407
VISION = CLIP["vision_cfg"]


def config(*, custom: bool = False, quick_gelu: bool = False, embed_dim: int = 32, **text: Any) -> dict[str, Any]:
    """The small CLIP with another text tower."""
    return {
        "embed_dim": embed_dim,
        "vision_cfg": VISION,
        "text_cfg": {**CLIP["text_cfg"], **text},
        "quick_gelu": quick_gelu,
        **({"custom_text": True} if custom else {}),
    }


CAUSAL: dict[str, dict[str, Any]] = {
    "CLIP": config(),
    "CLIP, quick_gelu": config(quick_gelu=True),
    "CLIP, context 16": config(context_length=16),
    "CLIP, context 32": config(context_length=32),
    "CLIP, pooled at an end id": config(pool_type="eos", eos_id=EOT),
    "CLIP, layer scale": config(ls_init_value=0.3),
    "CLIP, one layer": config(layers=1),
    "CustomTextCLIP": config(custom=True),
    "CustomTextCLIP, context 64": config(custom=True, context_length=64),
    "CustomTextCLIP, layer scale, quick_gelu": config(custom=True, ls_init_value=0.1, quick_gelu=True),
    "CustomTextCLIP, projection with bias": config(custom=True, proj_bias=True, embed_dim=24),
    "CustomTextCLIP, no projection": config(custom=True, proj_type="none"),
    "CustomTextCLIP, tanh gelu, other epsilon": config(
        custom=True, act_kwargs={"approximate": "tanh"}, norm_kwargs={"eps": 1e-3}
    ),
}
"""Text towers that are causal and pooled at the end token."""

OTHER: dict[str, dict[str, Any]] = {
    "not causal, pooled at the last position (SigLIP)": config(
        custom=True, no_causal_mask=True, pool_type="last", proj_bias=True, context_length=16
    ),
    "not causal, pooled at the end token (MobileCLIP)": config(no_causal_mask=True, context_length=16),
    "causal, pooled at the last position": config(pool_type="last", context_length=16),
    "causal, pooled at the first position": config(pool_type="first", context_length=16),
    "blocks of another kind": config(custom=True, qk_norm=True, scale_fc=True, context_length=16),
}
"""Those whose computing cannot be shared, or not as we do it."""


def make(configuration: dict[str, Any], seed: int = 0) -> Any:
    """The model, its biases and norms random too: open_clip makes them 0 and 1, which hides what is left out."""
    return shaken(make_clip(configuration, seed), seed)


def shaken(model: Any, seed: int = 0) -> Any:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model


def tokenizer_of(configuration: dict[str, Any]) -> Any:
    return SimpleTokenizer(context_length=configuration["text_cfg"]["context_length"])


def make_coca() -> tuple[Any, Any]:
    """CoCa and its tokenizer: a class token after the text."""
    torch.manual_seed(0)
    text = {**CLIP["text_cfg"], "context_length": 16, "embed_cls": True, "output_tokens": True}
    model = CoCa(
        embed_dim=32,
        multimodal_cfg={"context_length": 16, "width": 32, "heads": 2, "layers": 1, "vocab_size": 49408},
        text_cfg=text,
        vision_cfg={**VISION, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
    )
    return shaken(model.train(mode=False)), SimpleTokenizer(context_length=16)


def hf_tokenizer(folder: Path, context: int, *, end_pads: bool = False) -> HFTokenizer:
    """A Hugging Face tokenizer of words, read from a folder as open_clip reads those of the hub: [CLS] text [SEP].

    With `end_pads`, as SigLIP's: text [SEP], and [SEP] again as the padding.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    words = {
        word: number for number, word in enumerate([*special, *WORDS, *string.ascii_lowercase, *string.punctuation])
    }
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    around = "$A [SEP]" if end_pads else "[CLS] $A [SEP]"
    tokenizer.post_processor = TemplateProcessing(single=around, special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    names = {
        "pad_token": "[SEP]" if end_pads else "[PAD]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
    }
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return HFTokenizer(str(folder), context_length=context)


def make_hf(folder: Path, pooler: str) -> tuple[Any, Any]:
    """A CustomTextCLIP whose text tower is a small RoBERTa from transformers, and its tokenizer."""
    from transformers import RobertaConfig

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    RobertaConfig(vocab_size=200, pad_token_id=0, max_position_embeddings=40, **sizes).save_pretrained(folder)
    text = {"hf_model_name": str(folder), "hf_model_pretrained": False, "hf_pooler_type": pooler}
    model = make_clip({"embed_dim": 24, "vision_cfg": VISION, "text_cfg": text})
    return shaken(model), hf_tokenizer(folder, 24)


def encoded_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by each text that CLIP's tokenizer encodes from now on."""
    encoded: list[str] = []
    encode = SimpleTokenizer.encode

    def counting(tokenizer: SimpleTokenizer, text: str) -> list[int]:
        encoded.append(text)
        ids: list[int] = encode(tokenizer, text)
        return ids

    monkeypatch.setattr(SimpleTokenizer, "encode", counting)
    return encoded


def original(model: Any, tokenizer: Any, texts: list[str]) -> torch.Tensor:
    """What the model itself makes of the texts: (n, d) float32, normalised."""
    with torch.inference_mode():
        return normalize(model.encode_text(tokenizer(texts)).float(), dim=-1)


def whole(prefix: str, phrases: list[str]) -> list[str]:
    return [f"{prefix}, {phrase}" if prefix else phrase for phrase in phrases]


WORDS = ["a", "cat", "castle", "oil", "painting", "by", "greg", "trending", "on", "artstation", "4", "k", "of", "the"]
ODD = ["café", "cafÃ©", "&", "&amp;", "&#233;", "R&B", "日本", "😀", "“q”", "\u200b", "…", "ﬁsh", "Σ", "<end_of_text>"]
MARKS = [
    "!!!",
    ")",
    "(x)",
    "'s",
    "it's",
    ",",
    ".",
    "-",
    "#1",
    '"',
    "\t",
    "  ",
    "\n",
    "<b>",
    "<start_of_text",
    "\x1b[31m",
    "\\",
]


def texts(most: int = 9) -> st.SearchStrategy[str]:
    """Prompts: words, punctuation, lists, and what cleaning changes; sometimes anything at all."""
    parts = st.lists(st.sampled_from(WORDS * 3 + MARKS + ODD), max_size=most)
    spaced = st.builds(lambda parts, by: by.join(parts), parts, st.sampled_from([" ", " ", "", ", "]))
    return st.one_of(spaced, spaced, st.text(max_size=12))


EXACT = 2e-6
"""What embeddings may differ by: the rounding of float32."""


@cache
def causal(name: str) -> tuple[Any, Any, PrefixTextTower]:
    model, tokenizer = make(CAUSAL[name]), tokenizer_of(CAUSAL[name])
    tower = open_text_tower(model, tokenizer)
    assert isinstance(tower, PrefixTextTower)
    return model, tokenizer, tower


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    assert (found.shape, found.dtype, found.device.type) == (expected.shape, torch.float32, "cpu")
    return float((found - expected).abs().max()) if found.numel() else 0.0
