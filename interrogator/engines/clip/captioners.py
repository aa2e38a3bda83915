"""Captioners: BLIP, BLIP-2 and GIT through transformers, by name or from a folder."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError

from interrogator.engines.clip.device import DTYPES, Machine, Precision, choose_wide_precision
from interrogator.engines.clip.models import Missing, identity
from interrogator.engines.clip.offline import no_network, quiet
from interrogator.engines.clip.places import find_captioner, lacks
from interrogator.engines.clip.repeats import without_repeats
from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.errors import ModelDamagedError, UnsupportedOptionError

NONE = "none"
DEFAULT = "blip-large"
NEW_TOKENS = 32
"""The most that a caption has; CLIP Interrogator's number."""
_KINDS = {
    "blip": "BlipForConditionalGeneration",
    "blip-2": "Blip2ForConditionalGeneration",
    "git": "GitForCausalLM",
}
"""`model_type` of config.json and the class of transformers that loads it."""
_WIDE = ("t5",)
"""Language models whose activations exceed fp16."""
_LOADING_ERRORS = (RuntimeError, OSError, ValueError, KeyError, TypeError, SafetensorError, pickle.UnpicklingError)


@dataclass(frozen=True, slots=True)
class Known:
    """A captioner by name. `bytes` of its download, as CLIP Interrogator's source states them."""

    repository: str
    bytes: int


CAPTIONERS = {
    "blip-base": Known("Salesforce/blip-image-captioning-base", 990_000_000),
    "blip-large": Known("Salesforce/blip-image-captioning-large", 1_900_000_000),
    "blip2-2.7b": Known("Salesforce/blip2-opt-2.7b", 15_500_000_000),
    "blip2-flan-t5-xl": Known("Salesforce/blip2-flan-t5-xl", 15_770_000_000),
    "git-large-coco": Known("microsoft/git-large-coco", 1_580_000_000),
}


class Captioner:
    """A loaded captioner, on the CPU until it is moved."""

    def __init__(self, name: str, model: torch.nn.Module, processor: Any, version: str) -> None:
        self.name = name
        self.model = model
        self.version = version
        self._processor = processor

    def move(self, device: torch.device) -> None:
        """Move the model to a device."""
        self.model.to(device)

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """One caption an image: greedy, at most `NEW_TOKENS`, without immediate repetitions."""
        first = next(self.model.parameters())
        pixels = self._processor(images=list(images), return_tensors="pt")["pixel_values"]
        with torch.inference_mode(), quiet():
            ids = self.model.generate(  # type: ignore[operator] # of transformers, on a class chosen by name
                pixel_values=pixels.to(first.device, first.dtype),
                max_new_tokens=NEW_TOKENS,
                do_sample=False,
                num_beams=1,
            )
        texts: list[str] = self._processor.batch_decode(ids, skip_special_tokens=True)
        return [without_repeats(text).strip(" ,;") for text in texts]


def locate(name: str) -> Path | None:
    """The folder of a captioner; None where a known one is not on this machine.

    UnsupportedOptionError for an unknown name; ModelDamagedError for a folder that lacks something.
    """
    known = CAPTIONERS.get(name)
    if known:
        return find_captioner(known.repository)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise UnsupportedOptionError(
            f"There is no captioner “{name[:80]}”. Available: {', '.join([*CAPTIONERS, NONE])}, or a folder."
        )
    missing = lacks(folder)
    if missing:
        raise ModelDamagedError(
            f"The captioner's folder {folder} is not complete: {missing} is missing. It should hold what "
            "save_pretrained of transformers writes, for the model and for its processor."
        )
    return folder


def load_captioner(
    name: str, precision: Precision, device: str, machine: Machine, missing: Missing
) -> Captioner | None:
    """The captioner of that name on the CPU; None for "none". Nothing is downloaded: `missing(name)` is raised where a
    known one is not on this machine. Other errors as `locate`, and ModelDamagedError where it cannot be loaded."""
    if name == NONE:
        return None
    folder = locate(name)
    if folder is None:
        raise missing(name)
    config = _config(folder)
    chosen = _precision(config, precision, device, machine)
    declare_missing_operators()
    import transformers  # noqa: PLC0415 - seconds, and only where captions are asked for

    kind = getattr(transformers, _KINDS[config["model_type"]])
    with no_network(), quiet():
        try:
            model, about = kind.from_pretrained(
                folder, dtype=DTYPES[chosen], local_files_only=True, output_loading_info=True
            )
            processor = transformers.AutoProcessor.from_pretrained(  # type: ignore[no-untyped-call] # as it is
                folder, local_files_only=True
            )
        except _LOADING_ERRORS as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelDamagedError(
                f"The captioner in {folder} cannot be loaded; it may be damaged or incomplete: {reason}"
            ) from error
    lost = sorted(set(about["missing_keys"]) & {key for key, _ in model.named_parameters()})
    if lost:
        raise ModelDamagedError(f"The captioner in {folder} lacks weights, among them {lost[0]}.")
    version = f"{name if name in CAPTIONERS else folder.name} {chosen} {_identity(folder)}"
    return Captioner(name, model.train(mode=False).requires_grad_(requires_grad=False), processor, version)


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelDamagedError(f"{file} cannot be read: {error}.") from error
    kind = content.get("model_type") if isinstance(content, dict) else None
    if kind not in _KINDS:
        raise ModelDamagedError(f"{file} describes no captioner that is known here: {', '.join(_KINDS)}.")
    return dict(content)


def _precision(config: dict[str, Any], clip: Precision, device: str, machine: Machine) -> Precision:
    """As CLIP; GIT is small and computed in fp32, as CLIP Interrogator does."""
    if config["model_type"] == "git":
        return "fp32"
    language = str(config.get("text_config", {}).get("model_type", ""))
    return choose_wide_precision(clip, device, machine) if language in _WIDE else clip


def _identity(folder: Path) -> str:
    weights = sorted([*folder.glob("model*.safetensors"), *folder.glob("pytorch_model*.bin")])
    return identity(weights[0]) if weights else ""
