"""What a model's name may be, and what becomes of weights that are not what they should be."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from checkpoints import CLIP, make_clip, save_blip, save_clip
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize

from interrogator.engines.clip import known_models, load_clip
from interrogator.engines.clip.engine import ClipEngine
from interrogator.engines.clip.models import parameters
from interrogator.engines.clip.names import Tagged, parse
from interrogator.engines.clip.presence import clip_bytes
from interrogator.errors import ModelDamagedError, ModelMissingError, UnsupportedOptionError
from interrogator.profiles import ClipProfile

WEIGHTS = "open_clip_model.safetensors"


def _load(name: str | Path) -> ClipEngine:
    return load_clip(ClipProfile(name="test", models=(str(name),), captioner="none", device="cpu"))


@pytest.fixture
def architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small architecture that open_clip knows by name, and an empty cache of the Hub."""
    import open_clip.factory

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-tiny-test", CLIP)
    return "ViT-tiny-test"


def _embeds_as_it_should(engine: ClipEngine) -> None:
    import open_clip

    with torch.no_grad():
        expected = normalize(make_clip().encode_text(open_clip.tokenize(["a cat"])), dim=-1)
    torch.testing.assert_close(engine.text.embed(["a cat"]), expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("file", ["model.safetensors", "model.pt", "model.bin"])
def test_a_bare_checkpoint_is_loaded_into_its_architecture(file: str, architecture: str, tmp_path: Path) -> None:
    weights = make_clip().state_dict()
    if file.endswith(".safetensors"):
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, tmp_path / file)
    else:
        torch.save(
            {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in weights.items()}}, tmp_path / file
        )
    engine = _load(f"{architecture}:{tmp_path / file}")
    assert engine.name == f"clip {architecture}:{file}"
    _embeds_as_it_should(engine)


def test_a_tag_brings_its_preprocessing_and_activation(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip.pretrained

    tag = {
        "hf_hub": "somebody/tiny/",
        "mean": (0.5,) * 3,
        "std": (0.25,) * 3,
        "quick_gelu": True,
        "resize_mode": "squash",
    }
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, architecture, {"own": tag})
    with pytest.raises(ModelMissingError, match=f"{architecture}/own"):
        _load(f"{architecture}/own")
    commit = tmp_path / "hub" / "models--somebody--tiny" / "snapshots" / ("a" * 40)
    (commit.parent.parent / "refs").mkdir(parents=True)
    (commit.parent.parent / "refs" / "main").write_text("a" * 40)
    save_clip(commit)
    engine = _load(f"{architecture}/own")
    model = make_clip({**CLIP, "quick_gelu": True})
    picture = Image.effect_noise((32, 32), 80).convert("RGB")
    pixels = (
        torch.tensor(list(picture.tobytes()), dtype=torch.float32).view(32, 32, 3).permute(2, 0, 1) / 255 - 0.5
    ) / 0.25
    with torch.no_grad():
        expected = normalize(model.encode_image(pixels[None]), dim=-1)
    torch.testing.assert_close(engine.embed_images([picture]), expected, atol=2e-6, rtol=0)
    assert engine.models[0].squashes
    assert engine.name == f"clip {architecture}/own"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("VIT-L-14/openai", "There is no CLIP model “VIT-L-14/openai”.*Near it: ViT-L-14/openai"),
        ("ViT-L-14/opnai", "no weights “ViT-L-14/opnai”. There are: ViT-L-14/openai, "),
        ("ViT-B-32/Laion2b_e17", "There are: ViT-B-32/laion2b_e16, "),
        ("ViT-L-14", "no weights “ViT-L-14”. There are: ViT-L-14/openai, "),
        ("qwertyuiop", "There is no CLIP model “qwertyuiop”.*`interrogate models --all` lists them"),
        ("", "There is no CLIP model “”"),
        ("hf-hub:openai", "write it as hf-hub:ORGANISATION/NAME"),
        ("ViT-L-14:weights.exe", "no checkpoint of a known kind: .safetensors"),
    ],
)
def test_an_unknown_name_is_refused_with_what_is_near(name: str, sentence: str) -> None:
    with pytest.raises(UnsupportedOptionError, match=sentence):
        _load(name)


@pytest.mark.parametrize("name", ["/there/is/no/such/folder", "./none", "ViT-L-14:/there/is/no/such.pt"])
def test_a_path_that_leads_nowhere_is_missing(name: str) -> None:
    with pytest.raises(ModelMissingError, match=r"There is no folder|There is no checkpoint .*ViT-L-14/TAG"):
        _load(name)


def test_a_tag_may_be_spelt_as_open_clip_allows() -> None:
    first, second = parse("ViT-B-32/laion2b_s34b_b79k"), parse("ViT-B-32/Laion2B-s34B-b79K")
    assert isinstance(first, Tagged)
    assert isinstance(second, Tagged)
    assert first.config == second.config


def test_missing_weights_say_model_size_place_and_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelMissingError) as caught:
        load_clip(ClipProfile(name="sd1", models=("ViT-L-14/openai",)))
    assert str(caught.value) == (
        "The CLIP model ViT-L-14/openai (about 1.7 GB) is not on this machine. Fetch it with 'interrogate fetch sd1'; "
        f"it will be stored in {tmp_path / 'hub'}."
    )


def test_sizes_come_from_the_configuration(tmp_path: Path) -> None:
    folder = save_clip(tmp_path / "clip")
    assert parameters(str(folder)) == sum(value.numel() for value in make_clip().parameters())
    assert clip_bytes("ViT-L-14/openai") == 4 * 427_616_513
    assert clip_bytes("roberta-ViT-B-32/laion2b_s12b_b32k") is None


def test_what_is_known_is_listed_with_size_presence_and_problems(tmp_path: Path) -> None:
    folder = str(save_clip(tmp_path / "clip"))
    one = ClipProfile(name="one", models=(folder, "ViT-L-14/opnai"), captioner="none")
    first, second, *captioners = known_models([one, one])
    assert (first.name, first.kind, first.present, first.problem) == (folder, "clip", True, "")
    assert second.problem.startswith("open_clip has no weights")
    assert [row.name for row in captioners][:2] == ["blip-base", "blip-large"]
    assert {row.kind for row in captioners} == {"captioner"}
    assert all(row.bytes for row in captioners)


def test_everything_that_open_clip_knows_is_listed_on_demand() -> None:
    import open_clip

    names = [row.name for row in known_models(everything=True)]
    assert len(names) == len(set(names)) == len(open_clip.list_pretrained()) + 5
    assert names[:2] == ["blip-base", "blip-large"]


def _truncate(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


def _change(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def damage(weights: Path) -> None:
        tensors = load_file(weights)
        change(tensors)
        save_file(tensors, weights)

    return damage


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_truncate, "may be damaged or incomplete"),
        (lambda file: file.write_bytes(b""), "may be damaged or incomplete"),
        (lambda file: file.write_bytes(b"<!DOCTYPE html>" * 99), "may be damaged or incomplete"),
        (_change(lambda tensors: tensors.pop("ln_final.weight")), "not of the architecture"),
        (_change(lambda tensors: tensors.update({"ln_final.weight": torch.ones(7)})), "not of the architecture"),
        (_change(lambda tensors: tensors.update({"more": torch.ones(7)})), "not of the architecture"),
        (lambda file: file.unlink(), "a configuration but no weights: put them there as open_clip_model.safetensors"),
    ],
)
def test_weights_that_are_not_right_are_a_typed_error(
    damage: Callable[[Path], object], sentence: str, tmp_path: Path
) -> None:
    folder = save_clip(tmp_path / "clip")
    damage(folder / WEIGHTS)
    with pytest.raises(ModelDamagedError, match=sentence):
        _load(folder)


@pytest.mark.parametrize("change", [{"width": 48}, {"layers": 1}])
def test_a_checkpoint_of_another_architecture_is_told_from_damage(
    change: dict[str, int], architecture: str, tmp_path: Path
) -> None:
    file = tmp_path / "other.pt"
    torch.save(make_clip({**CLIP, "text_cfg": {**CLIP["text_cfg"], **change}}).state_dict(), file)
    with pytest.raises(ModelDamagedError, match=f"not of the architecture {architecture}:") as caught:
        _load(f"{architecture}:{file}")
    assert str(caught.value).count(str(file)) == 1


def test_a_pickle_that_would_run_code_is_not_run(architecture: str, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelDamagedError, match="cannot be loaded"):
        _load(f"{architecture}:{tmp_path / 'evil.pt'}")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "has no open_clip_config.json"),
        ("{", "cannot be read"),
        ("[]", "describes no model"),
        ('{"model_cfg": {"embed_dim": 3}}', "describes no model"),
        (json.dumps({"model_cfg": {**CLIP, "wings": 2}}), "cannot be loaded"),
    ],
)
def test_a_folder_without_a_usable_configuration_is_a_typed_error(
    content: str | None, sentence: str, tmp_path: Path
) -> None:
    folder = save_clip(tmp_path / "clip")
    file = folder / "open_clip_config.json"
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(ModelDamagedError, match=sentence):
        _load(folder)


def test_several_weights_without_a_usual_name_are_not_guessed_at(tmp_path: Path) -> None:
    folder = save_clip(tmp_path / "clip")
    (folder / WEIGHTS).rename(folder / "first.safetensors")
    _embeds_as_it_should(_load(folder))
    (folder / "second.safetensors").write_bytes((folder / "first.safetensors").read_bytes())
    with pytest.raises(ModelDamagedError, match="several weights"):
        _load(folder)


def test_a_foreign_tokenizer_is_taken_from_the_cache_without_a_connection(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip.factory

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    text = {**CLIP["text_cfg"], "hf_tokenizer_name": "somebody/tokenizer", "context_length": 16, "vocab_size": 64}
    text |= {"no_causal_mask": True, "pool_type": "last", "tokenizer_kwargs": {"clean": "canonicalize"}}
    config = {**CLIP, "text_cfg": text, "custom_text": True}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, architecture, config)
    weights = tmp_path / "weights.pt"
    torch.save(make_clip({**CLIP, "text_cfg": text, "custom_text": True}).state_dict(), weights)
    with pytest.raises(ModelMissingError, match="tokenizer and configuration somebody/tokenizer of the CLIP model"):
        _load(f"{architecture}:{weights}")
    commit = tmp_path / "hub" / "models--somebody--tokenizer" / "snapshots" / ("a" * 40)
    (commit.parent.parent / "refs").mkdir(parents=True)
    (commit.parent.parent / "refs" / "main").write_text("a" * 40)
    save_blip(commit)
    engine = _load(f"{architecture}:{weights}")
    assert engine.text.embed(["a cat on the table", "a dog"]).shape == (2, 32)
    assert engine.text.count_tokens("a cat on the table") <= engine.token_limit == 14


def test_a_text_tower_of_hugging_face_is_loaded_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import RobertaConfig

    small = RobertaConfig(
        vocab_size=64, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    small.save_pretrained(tmp_path / "roberta")
    text = {"hf_tokenizer_name": "own", "hf_pooler_type": "mean_pooler", "context_length": 16}
    here = {**CLIP, "text_cfg": {**text, "hf_model_name": str(tmp_path / "roberta"), "hf_model_pretrained": False}}
    folder = save_clip(tmp_path / "clip", here)
    for file in save_blip(tmp_path / "blip").glob("token*"):
        (folder / file.name).write_bytes(file.read_bytes())
    assert _load(folder).text.embed(["a cat", "a dog on a table"]).shape == (2, 32)
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["hf_model_name"] = "somebody/roberta"
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelMissingError, match="configuration somebody/roberta of the CLIP model"):
        _load(folder)


@pytest.mark.parametrize(
    "profile",
    [
        ClipProfile(name="custom", models=("ViT-L-14/openai",), captioner="none"),
        ClipProfile(name="sd2", models=("ViT-L-14/openai",), captioner="none"),
        ClipProfile(name="mine", models=("ViT-L-14/openai",), captioner="none"),
    ],
)
def test_missing_weights_of_models_that_were_named_are_fetched_by_their_names(profile: ClipProfile) -> None:
    with pytest.raises(ModelMissingError, match="'interrogate fetch --model ViT-L-14/openai --captioner none'"):
        load_clip(profile)


def test_missing_weights_that_have_a_plain_address_are_stored_where_open_clip_looks(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip.pretrained

    monkeypatch.setenv("HOME", str(tmp_path))
    tag = {"url": "https://example.org/tiny.pt"}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, architecture, {"plain": tag})
    with pytest.raises(ModelMissingError, match="stored in ") as caught:
        _load(f"{architecture}/plain")
    assert str(caught.value).endswith(f"it will be stored in {tmp_path / '.cache' / 'clip'}.")
