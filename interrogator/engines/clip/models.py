"""CLIP models: from a name to an open_clip model with its preprocessing and tokenizer."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError

from interrogator.engines.clip.blank import Blank
from interrogator.engines.clip.device import Precision
from interrogator.engines.clip.names import CONFIG, Checkpoint, Folder, Repository, Source, Tagged, parse, read_config
from interrogator.engines.clip.offline import no_network, quiet
from interrogator.engines.clip.places import FOLDER_WEIGHTS, companions, find_weights, has_companion
from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.errors import ModelDamagedError, ModelMissingError

_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
_SAMPLES, _SAMPLE_BYTES = 64, 16_384  # of a file's content, for its identity
_LOADING_ERRORS = (
    RuntimeError,  # another architecture; torch's own archive damaged
    SafetensorError,
    pickle.UnpicklingError,
    OSError,
    EOFError,
    ValueError,
    TypeError,  # a configuration with fields that no model has
    KeyError,
    AttributeError,
    AssertionError,
    StopIteration,  # no tensor at all
)

_OTHER_ARCHITECTURE = ("size mismatch", "Missing key", "Unexpected key", "width changed")
"""What torch and open_clip say where tensors do not fit."""

Preprocess = Callable[[Image.Image], torch.Tensor]
Missing = Callable[..., ModelMissingError]
"""The error for a model that is not on this machine, by its name and, where only a part of it is not, the part's."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipModel:
    """A loaded model in evaluation mode. `preprocess` gives (3, h, w) float32. `identity` tells its weights from any
    others."""

    name: str
    model: torch.nn.Module
    preprocess: Preprocess
    tokenizer: Any  # open_clip's: texts -> (n, context) ids
    precision: Precision
    identity: str
    squashes: bool  # the whole image is squeezed into a square; else its middle is cut out


def is_here(name: str) -> bool:
    """Whether all of the model is on this machine. Errors as `interrogator.engines.clip.names.parse`."""
    source = parse(name)
    return find_weights(source) is not None and all(map(has_companion, companions(source)))


def load_model(name: str, precision: Precision, missing: Missing) -> ClipModel:
    """The model of that name on the CPU. Nothing is downloaded: `missing(name)` is raised where it is not here.

    UnsupportedOptionError for an unknown name; ModelDamagedError where its weights are damaged, incomplete or of
    another architecture.
    """
    source = parse(name)
    weights = find_weights(source)
    if weights is None and isinstance(source, Folder):
        raise ModelDamagedError(
            f"The folder {source.path} has a configuration but no weights: put them there as {FOLDER_WEIGHTS[0]}."
        )
    if weights is None:
        raise missing(name)
    for companion in companions(source):
        if not has_companion(companion):
            raise missing(name, companion)
    arguments = _arguments(source, weights)
    declare_missing_operators()
    import open_clip  # noqa: PLC0415

    with no_network(), quiet():
        try:
            with Blank():
                model, _, preprocess = open_clip.create_model_and_transforms(
                    **arguments, precision=precision, device="cpu", weights_only=True, require_pretrained=True
                )
            tokenizer = open_clip.get_tokenizer(_tokenizer_name(source))
        except _LOADING_ERRORS as error:
            raise ModelDamagedError(_explain(source, name, weights, error)) from error
    return ClipModel(
        name=_shown(source, name),
        model=model.train(mode=False).requires_grad_(requires_grad=False),
        preprocess=preprocess,
        tokenizer=tokenizer,
        precision=precision,
        identity=identity(weights),
        squashes=model.visual.preprocess_cfg["resize_mode"] == "squash",
    )


def identity(file: Path) -> str:
    """16 hexadecimal digits that change with the file's content: its size and pieces of it all over are hashed, so
    that a copy is the same and ten gigabytes take no time."""
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as stream:
        for piece in range(_SAMPLES + 1):
            stream.seek(max(0, size - _SAMPLE_BYTES) * piece // _SAMPLES)
            digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:16]


def parameters(name: str) -> int | None:
    """How many numbers the model has, from its configuration alone; None where that does not say.

    Errors as `interrogator.engines.clip.names.parse`.
    """
    source = parse(name)
    declare_missing_operators()
    import open_clip  # noqa: PLC0415
    from open_clip.coca_model import CoCa  # noqa: PLC0415
    from open_clip.model import CLIP, CustomTextCLIP  # noqa: PLC0415

    if isinstance(source, Repository):
        return None
    config = (
        read_config(source.path)["model_cfg"]
        if isinstance(source, Folder)
        else open_clip.get_model_config(source.architecture)
    )
    if "hf_model_name" in config["text_cfg"]:
        return None
    custom = config.pop("custom_text", False)
    kind = CoCa if custom and "multimodal_cfg" in config else CustomTextCLIP if custom else CLIP
    with torch.device("meta"):  # shapes without memory
        model = kind(**config)
    count: int = sum(parameter.numel() for parameter in model.parameters())
    return count


def _arguments(source: Source, weights: Path) -> dict[str, Any]:
    """Of `open_clip.create_model_and_transforms`."""
    match source:
        case Folder() | Repository():
            return {"model_name": f"local-dir:{weights.parent}"}
        case Checkpoint():
            return {"model_name": source.architecture, "pretrained": str(weights)}
        case Tagged():
            # Given a file open_clip takes neither preprocessing nor activation from the tag. Given a tag it would
            # only warn that the activation is another than the weights were trained with.
            return {
                "model_name": source.architecture,
                "pretrained": str(weights),
                **{f"image_{key}": source.config[key] for key in _PREPROCESSING if key in source.config},
                "force_quick_gelu": bool(source.config.get("quick_gelu", False)),
            }


def _tokenizer_name(source: Source) -> str:
    match source:
        case Folder():
            return f"local-dir:{source.path}"
        case Repository():
            return f"hf-hub:{source.id}"
        case Tagged() | Checkpoint():
            return source.architecture


def _shown(source: Source, name: str) -> str:
    """The name as people see it: without the folders of this machine."""
    match source:
        case Folder():
            return source.path.name
        case Checkpoint():
            return f"{source.architecture}:{source.path.name}"
        case Tagged() | Repository():
            return name


def _explain(source: Source, name: str, weights: Path, error: Exception) -> str:
    match source:  # a path is in `weights` already
        case Folder():
            model = f"that {CONFIG} beside them describes"
        case Checkpoint():
            model = source.architecture
        case Tagged() | Repository():
            model = name
    text = str(error)
    if any(sign in text for sign in _OTHER_ARCHITECTURE):
        return (
            f"The weights {weights} are not of the architecture {model}: their tensors have other names or shapes. "
            "Name the architecture that they were trained as."
        )
    reason = " ".join(text.split())[:200] or type(error).__name__
    of = "" if isinstance(source, Folder) else f" of {model}"
    return f"The weights {weights}{of} cannot be loaded; they may be damaged or incomplete: {reason}"
