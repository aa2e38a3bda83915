"""Names of CLIP models: what a profile's `models` may say."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.errors import ModelDamagedError, ModelMissingError, UnsupportedOptionError

CONFIG = "open_clip_config.json"
_HUB = "hf-hub:"
_CHECKPOINTS = (".safetensors", ".pt", ".pth", ".bin")


@dataclass(frozen=True, slots=True)
class Tagged:
    """`ARCHITECTURE/TAG`: weights that open_clip knows where to find. `config` is what it says of them."""

    architecture: str
    tag: str
    config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with `open_clip_config.json` and weights."""

    path: Path


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`ARCHITECTURE:FILE`."""

    architecture: str
    path: Path


@dataclass(frozen=True, slots=True)
class Repository:
    """`hf-hub:ORGANISATION/NAME`: a repository of the Hugging Face Hub laid out as such a folder."""

    id: str


Source = Tagged | Folder | Checkpoint | Repository


def parse(name: str) -> Source:
    """What a model's name means. Nothing is loaded.

    UnsupportedOptionError for a name that means nothing, with those that look like it; ModelMissingError for a folder
    or file that is not there; ModelDamagedError for a folder without a usable configuration.
    """
    if name.startswith(_HUB):
        return _repository(name)
    architecture, slash, tag = name.partition("/")
    config = _tag_config(architecture, tag) if slash else None
    if config:
        return Tagged(architecture, tag, config)
    path = Path(name).expanduser()
    if name and path.is_dir():
        read_config(path)
        return Folder(path.resolve())
    architecture, colon, file = name.partition(":")
    if colon and architecture in architectures():
        return _checkpoint(architecture, Path(file).expanduser())
    raise _unknown(name)


def architectures() -> list[str]:
    """Those that open_clip can build."""
    declare_missing_operators()
    import open_clip  # noqa: PLC0415

    return list(open_clip.list_models())


def known_pairs() -> list[str]:
    """Every `ARCHITECTURE/TAG` of open_clip."""
    declare_missing_operators()
    import open_clip  # noqa: PLC0415

    return [f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()]


def read_config(folder: Path) -> dict[str, Any]:
    """The content of the folder's `open_clip_config.json`. ModelDamagedError where it is missing or says no model."""
    file = folder / CONFIG
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelDamagedError(
            f"The folder {folder} is no open_clip model: it has no {CONFIG}. To load a bare checkpoint, name it as "
            "ARCHITECTURE:FILE."
        ) from error
    except (OSError, ValueError) as error:  # unreadable, not UTF-8, not JSON
        raise ModelDamagedError(f"{file} cannot be read: {error}.") from error
    model = content.get("model_cfg") if isinstance(content, dict) else None
    if not isinstance(model, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= model.keys():
        raise ModelDamagedError(f"{file} describes no model: “model_cfg” with its towers is missing.")
    return dict(content)


def _tags(architecture: str) -> list[str]:
    declare_missing_operators()
    import open_clip  # noqa: PLC0415

    return list(open_clip.list_pretrained_tags_by_model(architecture))


def _tag_config(architecture: str, tag: str) -> dict[str, Any]:
    """What open_clip says of a tag, which it knows in either case and with - for _; empty where it knows none."""
    declare_missing_operators()
    import open_clip  # noqa: PLC0415

    return dict(open_clip.pretrained.get_pretrained_cfg(architecture, tag))


def _repository(name: str) -> Repository:
    parts = name.removeprefix(_HUB).split("/")
    if len(parts) != 2 or not all(parts):
        raise UnsupportedOptionError(f"“{name[:80]}” is no repository: write it as hf-hub:ORGANISATION/NAME.")
    return Repository("/".join(parts))


def _checkpoint(architecture: str, path: Path) -> Checkpoint:
    if path.suffix not in _CHECKPOINTS:
        raise UnsupportedOptionError(f"{path} is no checkpoint of a known kind: {', '.join(_CHECKPOINTS)}.")
    if not path.is_file():
        raise ModelMissingError(
            f"There is no checkpoint {path}. Check the path that follows “{architecture}:”, or name weights that can "
            f"be fetched, as {architecture}/TAG."
        )
    return Checkpoint(architecture, path.resolve())


def _unknown(name: str) -> UnsupportedOptionError | ModelMissingError:
    """The error for a name that means nothing."""
    if name.startswith((".", "/", "~")) or "\\" in name:
        return ModelMissingError(f"There is no folder {name}.")
    architecture = name.partition("/")[0].partition(":")[0]
    tags = _tags(architecture)
    if tags:
        tag = name.removeprefix(architecture).lstrip("/:")
        near = difflib.get_close_matches(tag.lower(), tags, n=len(tags), cutoff=0.6)
        there = ", ".join(f"{architecture}/{one}" for one in dict.fromkeys([*near, *tags]))
        return UnsupportedOptionError(f"open_clip has no weights “{name[:80]}”. There are: {there}.")
    if architecture in architectures():
        return UnsupportedOptionError(
            f"open_clip has no weights for {architecture}: name a checkpoint as {architecture}:FILE."
        )
    near = difflib.get_close_matches(name, known_pairs(), n=3, cutoff=0.4)
    hint = f" Near it: {', '.join(near)}." if near else ""
    hint += " `interrogate models --all` lists them."
    return UnsupportedOptionError(
        f"There is no CLIP model “{name[:80]}”. Write ARCHITECTURE/TAG as open_clip does, a folder, or "
        f"ARCHITECTURE:FILE.{hint}"
    )
