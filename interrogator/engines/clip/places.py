"""Where weights are on this machine: folders, the Hugging Face Hub's cache, open_clip's own. Nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import huggingface_hub.constants
from huggingface_hub import try_to_load_from_cache

from interrogator.engines.clip.names import CONFIG, Checkpoint, Folder, Repository, Source, Tagged, read_config
from interrogator.errors import ModelDamagedError

FOLDER_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
"""Names that open_clip looks for in a folder, in its order."""
HUB_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""Weights of a repository that names none, the safe format first."""
PROCESSOR = ("processor_config.json", "preprocessor_config.json")
TOKENIZER = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
_TRANSFORMERS_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_INDEX = ".index.json"


def hub_cache() -> Path:
    """The folder in which the Hub's files are kept: `HF_HUB_CACHE`, or `hub` of `HF_HOME`."""
    return Path(huggingface_hub.constants.HF_HUB_CACHE)


def url_cache() -> Path:
    """Where open_clip keeps what comes from a plain address."""
    return Path("~/.cache/clip").expanduser()


def store_of(source: Source) -> Path:
    """Where the weights of a model are put that are fetched."""
    return url_cache() if isinstance(source, Tagged) and hub_weights(source) is None else hub_cache()


def cached(repository: str, names: Sequence[str]) -> Path | None:
    """The first of these files that the Hub's cache holds."""
    for name in names:
        path = try_to_load_from_cache(repository, name, cache_dir=hub_cache())
        if isinstance(path, str):
            return Path(path)
    return None


def hub_weights(source: Tagged) -> tuple[str, tuple[str, ...]] | None:
    """Repository and names of the weights, the safe format first; None where they are elsewhere."""
    repository, _, name = str(source.config.get("hf_hub", "")).rpartition("/")
    if not repository:
        return None
    if not name:
        return repository, HUB_WEIGHTS
    stem, dot, suffix = name.rpartition(".")
    return repository, (f"{stem}.safetensors", name) if dot and suffix in ("bin", "pth") else (name,)


def find_weights(source: Source) -> Path | None:
    """The file with a CLIP model's weights; None where it is not on this machine.

    ModelDamagedError for a folder with several of which none has a usual name.
    """
    match source:
        case Checkpoint():
            return source.path
        case Folder():
            return _in_folder(source.path)
        case Repository():
            return cached(source.id, HUB_WEIGHTS) if cached(source.id, [CONFIG]) else None
        case Tagged():
            return _tagged(source)


def companions(source: Source) -> list[str]:
    """Repositories with the tokenizer and the configuration of a text tower that is not open_clip's own. A folder has
    its tokenizer in itself."""
    keys = ("hf_model_name",) if isinstance(source, Folder) else ("hf_model_name", "hf_tokenizer_name")
    text = _model_config(source).get("text_cfg", {})
    return sorted({str(text[key]) for key in keys if text.get(key) and not Path(text[key]).is_dir()})


def has_companion(repository: str) -> bool:
    """Whether the cache holds what is needed of it."""
    return cached(repository, ["config.json", "tokenizer_config.json", "open_clip_config.json"]) is not None and (
        cached(repository, TOKENIZER) is not None
    )


def find_captioner(repository: str) -> Path | None:
    """The folder of a captioner in the Hub's cache, where it is complete."""
    config = cached(repository, ["config.json"])
    return config.parent if config and not lacks(config.parent) else None


def lacks(folder: Path) -> str:
    """What a folder that `save_pretrained` wrote lacks, in words; "" where it is complete."""
    if not (folder / "config.json").is_file():
        return "config.json"
    if not any((folder / name).is_file() for name in PROCESSOR):
        return "preprocessor_config.json"
    if not any((folder / name).is_file() for name in TOKENIZER):
        return "tokenizer.json"
    for name in _TRANSFORMERS_WEIGHTS:
        if (folder / name).is_file():
            return ""
        if (folder / (name + _INDEX)).is_file():
            missing = [part for part in shards(folder / (name + _INDEX)) if not (folder / part).is_file()]
            return missing[0] if missing else ""
    return _TRANSFORMERS_WEIGHTS[0]


def shards(index: Path) -> list[str]:
    """The files that an index of weights names. ModelDamagedError where it is none."""
    try:
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelDamagedError(f"{index} is no index of weights: delete it and fetch the model again.") from error
    return sorted({str(name) for name in names})


def _tagged(source: Tagged) -> Path | None:
    hub = hub_weights(source)
    if hub:
        return cached(*hub)
    url = str(source.config.get("url", ""))
    file = url_cache() / url.rpartition("/")[2]
    return file if url and file.is_file() else None


def _in_folder(folder: Path) -> Path | None:
    for name in FOLDER_WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    others = sorted(path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin", ".pth"))
    if len(others) > 1:
        names = ", ".join(path.name for path in others)
        raise ModelDamagedError(f"{folder} has several weights ({names}): name one of them {FOLDER_WEIGHTS[0]}.")
    return others[0] if others else None


def _model_config(source: Source) -> dict[str, Any]:
    if isinstance(source, Folder):
        return dict(read_config(source.path)["model_cfg"])
    if isinstance(source, Repository):
        file = cached(source.id, [CONFIG])
        return dict(read_config(file.parent)["model_cfg"]) if file else {}
    import open_clip  # noqa: PLC0415

    return dict(open_clip.get_model_config(source.architecture) or {})
