"""Captioners of every kind, from folders as `save_pretrained` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import save_blip, save_blip2, save_clip, save_git
from PIL import Image
from safetensors.torch import load_file, save_file

from interrogator.engines.clip.captioners import CAPTIONERS, NEW_TOKENS, Captioner, load_captioner
from interrogator.engines.clip.device import Accelerator, Machine, Precision
from interrogator.errors import ModelDamagedError, ModelMissingError, UnsupportedOptionError

SAVERS = {"blip": save_blip, "blip2": save_blip2, "git": save_git}


def _load(folder: Path | str, precision: Precision = "fp32", device: str = "cpu") -> Captioner:
    captioner = load_captioner(str(folder), precision, device, Machine(), ModelMissingError)
    assert captioner
    return captioner


def _pictures() -> list[Image.Image]:
    noise = [Image.effect_noise((60, 40), 40 * number + 5).convert("RGB") for number in range(3)]
    return [*noise, Image.new("RGB", (1, 1), "red"), Image.new("RGB", (300, 20), "blue")]


@pytest.mark.parametrize("kind", SAVERS)
def test_a_folder_is_loaded_by_what_its_configuration_says(kind: str, tmp_path: Path) -> None:
    captioner = _load(SAVERS[kind](tmp_path / "captioner", seed=1))
    pictures = _pictures()
    together = captioner.describe(pictures)
    assert len(together) == 5
    assert len(set(together)) > 1
    assert together == [captioner.describe([picture])[0] for picture in pictures]
    assert captioner.version.startswith("captioner fp32 ")


@pytest.mark.parametrize("kind", SAVERS)
def test_the_caption_is_what_the_model_itself_generates(kind: str, tmp_path: Path) -> None:
    import transformers

    folder = SAVERS[kind](tmp_path / "captioner", seed=2)
    picture = _pictures()[0]
    found = _load(folder).describe([picture])[0].split()
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    with torch.no_grad():
        ids = model.generate(**processor(images=picture, return_tensors="pt"), max_new_tokens=NEW_TOKENS)
    said = processor.batch_decode(ids, skip_special_tokens=True)[0].split()
    assert {word.strip(",") for word in found} <= {word.strip(",") for word in said}
    assert len(found) <= NEW_TOKENS


def test_no_captioner_is_none() -> None:
    assert load_captioner("none", "fp32", "cpu", Machine(), ModelMissingError) is None


def test_git_is_computed_in_fp32_and_blip_as_clip_is(tmp_path: Path) -> None:
    blip, git = _load(save_blip(tmp_path / "blip"), "bf16"), _load(save_git(tmp_path / "git"), "bf16")
    assert next(blip.model.parameters()).dtype == torch.bfloat16
    assert next(git.model.parameters()).dtype == torch.float32


def test_a_language_model_that_exceeds_fp16_is_computed_in_bf16(tmp_path: Path) -> None:
    folder = save_blip2(tmp_path / "blip2")
    cuda = Machine((Accelerator("cuda:1", 1, 1, (8, 0), bf16=True),))
    config = json.loads((folder / "config.json").read_text())
    assert config["text_config"]["model_type"] == "opt"
    captioner = load_captioner(str(folder), "fp16", "cuda:1", cuda, ModelMissingError)
    assert captioner
    assert captioner.model.language_model.dtype == torch.float16


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnsupportedOptionError, match=r"no captioner “blip-huge”. Available: blip-base, .*, none"):
        _load("blip-huge")


def test_a_known_name_that_is_not_here_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    for name in CAPTIONERS:
        with pytest.raises(ModelMissingError, match=name):
            _load(name)


@pytest.mark.parametrize("lost", ["config.json", "processor_config.json", "tokenizer.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_an_error_that_names_one(lost: str, tmp_path: Path) -> None:
    folder = save_blip(tmp_path / "blip")
    (folder / lost).unlink()
    with pytest.raises(ModelDamagedError, match="processor_config" if "processor" in lost else lost):
        _load(folder)


def _truncate(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-1000])


def _lose(weights: Path) -> None:
    tensors = load_file(weights)
    tensors.pop(sorted(tensors)[5])
    save_file(tensors, weights, metadata={"format": "pt"})


def _reshape(weights: Path) -> None:
    tensors = load_file(weights)
    key = sorted(tensors)[5]
    tensors[key] = torch.zeros(3, 3)
    save_file(tensors, weights, metadata={"format": "pt"})


@pytest.mark.parametrize("damage", [_truncate, _lose, _reshape, lambda file: file.write_bytes(b"nothing of the kind")])
def test_damaged_weights_are_a_typed_error(damage: Callable[[Path], None], tmp_path: Path) -> None:
    folder = save_blip(tmp_path / "blip")
    damage(folder / "model.safetensors")
    with pytest.raises(ModelDamagedError, match="blip"):
        _load(folder)


def test_a_folder_of_something_else_is_an_error(tmp_path: Path) -> None:
    folder = save_blip(tmp_path / "blip")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelDamagedError, match="no captioner that is known here: blip, blip-2, git"):
        _load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelDamagedError, match="cannot be read"):
        _load(folder)
    with pytest.raises(ModelDamagedError, match=r"config\.json is missing\. .* save_pretrained"):
        _load(save_clip(tmp_path / "clip"))


def test_a_pickle_that_would_run_code_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    folder = save_blip(tmp_path / "blip")
    (folder / "model.safetensors").unlink()
    torch.save({"weights": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelDamagedError, match="cannot be loaded"):
        _load(folder)
    assert not (tmp_path / "ran").exists()


def test_weights_of_the_older_format_are_loaded_too(tmp_path: Path) -> None:
    folder = save_blip(tmp_path / "blip", seed=1)
    pictures = _pictures()
    expected = _load(folder).describe(pictures)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    assert _load(folder).describe(pictures) == expected
