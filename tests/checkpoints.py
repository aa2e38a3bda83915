"""Small random models in the real formats: an open_clip folder, a BLIP folder as `save_pretrained` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from interrogator.engines.torchvision_ops import declare_missing_operators

CLIP: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 3},
}
"""An open_clip model configuration: ViT, causal text tower."""


def make_clip(config: dict[str, Any] = CLIP, seed: int = 0) -> torch.nn.Module:
    """The open_clip model of that configuration, random but the same for a seed, in evaluation mode."""
    declare_missing_operators()
    from open_clip.model import CLIP as Plain  # noqa: N811
    from open_clip.model import CustomTextCLIP

    torch.manual_seed(seed)
    custom = config.get("custom_text") or "hf_model_name" in config["text_cfg"]
    cfg = {key: value for key, value in config.items() if key != "custom_text"}
    model: torch.nn.Module = (CustomTextCLIP if custom else Plain)(**cfg)
    return model.train(mode=False)


def save_clip(folder: Path, config: dict[str, Any] = CLIP, seed: int = 0) -> Path:
    """`folder` with `open_clip_config.json` and `open_clip_model.safetensors`, as open_clip's hub folders are."""
    folder.mkdir(parents=True, exist_ok=True)
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    preprocess = {"mean": mean, "std": std, "interpolation": "bicubic", "resize_mode": "shortest"}
    content = {"model_cfg": config, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(content), encoding="utf-8")
    weights = {name: tensor.contiguous() for name, tensor in make_clip(config, seed).state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


_WORDS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("a", "cat", "dog", "red", "blue", "on", "in", "with", "the", "man", "woman", "sitting", "table", ",", "street"),
)
_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 16,
    "initializer_range": 0.5,  # so that images differ in what is said of them
}
_LANGUAGE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 0.5,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "pad_token_id": 0,
}


def _tokenizer() -> Any:
    from transformers import BertTokenizer

    return BertTokenizer(vocab={word: place for place, word in enumerate(_WORDS)})


def _square() -> Any:
    from transformers import BlipImageProcessor

    return BlipImageProcessor(size={"height": 32, "width": 32})


def _save(folder: Path, model: Any, processor: Any, shards: str = "1GB") -> Path:
    from interrogator.engines.clip.offline import quiet

    with quiet():
        model.save_pretrained(folder, max_shard_size=shards)
        processor.save_pretrained(folder)
    return folder


def save_blip(folder: Path, seed: int = 0, shards: str = "1GB") -> Path:
    """`folder` with a random BLIP captioner as `save_pretrained` writes it, in files of at most `shards`."""
    declare_missing_operators()
    from transformers import BlipConfig, BlipForConditionalGeneration, BlipProcessor

    torch.manual_seed(seed)
    text = {
        **_LANGUAGE,
        "vocab_size": len(_WORDS) + 2,
        "encoder_hidden_size": 32,
        "intermediate_size": 64,
        "projection_dim": 16,
        "max_position_embeddings": 64,
        "sep_token_id": 3,
    }
    vision = {**_VISION, "projection_dim": 16}
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=16, image_text_hidden_size=16)
    return _save(folder, BlipForConditionalGeneration(config), BlipProcessor(_square(), _tokenizer()), shards)


def save_git(folder: Path, seed: int = 0) -> Path:
    """`folder` with a random GIT captioner as `save_pretrained` writes it."""
    declare_missing_operators()
    from transformers import CLIPImageProcessor, GitConfig, GitForCausalLM, GitProcessor

    torch.manual_seed(seed)
    config = GitConfig(
        vision_config=_VISION,
        **{**_LANGUAGE, "vocab_size": len(_WORDS), "intermediate_size": 64, "max_position_embeddings": 64},
    )
    pixels = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return _save(folder, GitForCausalLM(config), GitProcessor(pixels, _tokenizer()))


def save_blip2(folder: Path, seed: int = 0) -> Path:
    """`folder` with a random BLIP-2 captioner (OPT for its language) as `save_pretrained` writes it."""
    declare_missing_operators()
    from transformers import Blip2Config, Blip2ForConditionalGeneration, Blip2Processor

    torch.manual_seed(seed)
    between = {
        **_LANGUAGE,
        "vocab_size": len(_WORDS) + 1,
        "intermediate_size": 64,
        "encoder_hidden_size": 32,
        "cross_attention_frequency": 1,
    }
    language = {
        **_LANGUAGE,
        "model_type": "opt",
        "vocab_size": len(_WORDS) + 1,
        "ffn_dim": 64,
        "max_position_embeddings": 128,
        "word_embed_proj_dim": 32,
    }
    config = Blip2Config(
        vision_config=_VISION,
        qformer_config=between,
        text_config=language,
        num_query_tokens=4,
        image_token_index=len(_WORDS),
    )
    model = Blip2ForConditionalGeneration(config)
    return _save(folder, model, Blip2Processor(_square(), _tokenizer(), num_query_tokens=4))
