"""clip-interrogator 0.6.0 itself, around a model and labels of ours: nothing is fetched and nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from interrogator.engines.torchvision_ops import declare_missing_operators

AUTOCAST = [
    pytest.mark.filterwarnings("ignore:`torch.cuda.amp.autocast:FutureWarning"),
    pytest.mark.filterwarnings("ignore:CUDA is not available or torch_xla is imported:UserWarning"),
]
"""`pytestmark` of tests that run it: it asks for autocast of an accelerator, as torch wrote it once, on any machine."""


def make_original(
    model: torch.nn.Module,
    folder: Path,
    *,
    architecture: str = "ViT-B-32",
    preprocess: Any = None,
    **lists: Sequence[str],
) -> Any:
    """`clip_interrogator.Interrogator` with this open_clip model, no captioner and the labels of `lists` (`artists`,
    `flavors`, `mediums`, `movements`, `negative`), written to `folder` for it; a list left out has one label.

    Its own constructor runs, so that its label tables are embedded by its own code: keep the lists short.
    `architecture` gives the tokenizer alone. `preprocess` turns an image into the model's input, where images are
    given to it.
    """
    declare_missing_operators()
    import clip_interrogator

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("artists", "flavors", "mediums", "movements", "negative"):
        labels = lists.get(name, (f"one of the {name}",))
        (folder / f"{name}.txt").write_text("\n".join(labels), encoding="utf-8")
    config = clip_interrogator.Config(
        caption_model_name=None,
        clip_model_name=f"{architecture}/random",
        cache_path=None,
        download_cache=False,
        data_path=str(folder),
        device="cpu",
        quiet=True,
    )
    config.clip_model = model
    config.clip_preprocess = preprocess
    return clip_interrogator.Interrogator(config)
