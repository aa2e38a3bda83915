"""The CLIP engine as the pipeline uses it: small random models in the real formats, through open_clip's own code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import CLIP, make_clip, save_blip, save_clip
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize

from interrogator.engines.clip import load_clip
from interrogator.engines.clip.engine import ClipEngine
from interrogator.errors import CancelledError, NotFiniteError, UnsupportedOptionError
from interrogator.profiles import ClipProfile
from interrogator.types import Progress, Stage

OTHER = {**CLIP, "embed_dim": 48, "text_cfg": {**CLIP["text_cfg"], "width": 64, "heads": 4, "layers": 2}}
TEXTS = ["a cat", "a very red dog, oil on canvas, trending on artstation", "é & ü", "", "word " * 200]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two CLIP models of different widths, and a captioner."""
    base = tmp_path_factory.mktemp("models")
    return save_clip(base / "one"), save_clip(base / "two", OTHER, seed=1), save_blip(base / "blip", seed=1)


def _profile(*models: Path, captioner: object = "none", **more: object) -> ClipProfile:
    return ClipProfile(name="test", models=tuple(map(str, models)), captioner=str(captioner), device="cpu", **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def engine(folders: tuple[Path, Path, Path]) -> ClipEngine:
    one, _, blip = folders
    return load_clip(_profile(one, captioner=blip))


@pytest.fixture(scope="module")
def joint(folders: tuple[Path, Path, Path]) -> ClipEngine:
    return load_clip(_profile(*folders[:2]))


def _pictures() -> list[Image.Image]:
    noise = [Image.effect_noise(size, 80).convert("RGB") for size in ((60, 40), (31, 97), (224, 224))]
    return [*noise, Image.new("RGB", (1, 1), "red"), Image.new("RGB", (300, 20), "blue"), Image.new("RGB", (5, 5))]


def test_images_are_embedded_as_open_clip_does(engine: ClipEngine, folders: tuple[Path, Path, Path]) -> None:
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folders[0]}")
    pictures = _pictures()
    with torch.no_grad():
        expected = normalize(model.eval().encode_image(torch.stack([preprocess(one) for one in pictures])), dim=-1)
    found = engine.embed_images(pictures)
    assert found.dtype == torch.float32
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)


def test_texts_are_embedded_as_open_clip_does(engine: ClipEngine) -> None:
    import open_clip

    with torch.no_grad():
        expected = normalize(make_clip().encode_text(open_clip.tokenize(TEXTS)), dim=-1)
    torch.testing.assert_close(engine.text.embed(TEXTS), expected, atol=2e-6, rtol=0)


def test_a_joint_cosine_is_the_mean_of_the_models(joint: ClipEngine, folders: tuple[Path, Path, Path]) -> None:
    pictures = _pictures()
    each = [load_clip(_profile(folder)) for folder in folders[:2]]
    mean = sum(one.embed_images(pictures) @ one.text.embed(TEXTS).T for one in each) / 2
    found = joint.embed_images(pictures) @ joint.text.embed(TEXTS).T
    assert joint.embed_images(pictures).shape == (6, 32 + 48)
    torch.testing.assert_close(found, mean, atol=2e-6, rtol=0)
    torch.testing.assert_close(joint.embed_images(pictures).norm(dim=-1), torch.ones(6))
    assert joint.name == "clip one + two"


def test_an_image_is_embedded_alike_whatever_its_batch(engine: ClipEngine) -> None:
    pictures = _pictures() * 8
    together = engine.embed_images(pictures)
    for place in (0, 7, 40):
        torch.testing.assert_close(engine.embed_images([pictures[place]])[0], together[place], atol=2e-6, rtol=0)
    assert engine.embed_images([]).shape == (0, 32)


def test_a_very_long_image_is_embedded_by_its_middle(engine: ClipEngine) -> None:
    long = Image.new("RGB", (60_000, 2), "white")
    long.paste((0, 0, 200), (29_000, 0, 31_000, 2))
    square = Image.new("RGB", (64, 64), (0, 0, 200))
    torch.testing.assert_close(engine.embed_images([long]), engine.embed_images([square]), atol=1e-5, rtol=0)


def test_images_of_other_modes_are_taken_as_rgb(engine: ClipEngine) -> None:
    grey = Image.effect_noise((40, 40), 80)
    torch.testing.assert_close(engine.embed_images([grey]), engine.embed_images([grey.convert("RGB")]))


def test_captions_come_one_an_image_and_alike_in_any_batch(engine: ClipEngine) -> None:
    pictures = _pictures()
    captions = engine.captions(pictures)
    assert captions == [engine.captions([picture])[0] for picture in pictures]
    assert len(set(captions)) > 1
    assert engine.captions([]) == []


def test_without_a_captioner_captions_are_empty(joint: ClipEngine) -> None:
    assert joint.captions(_pictures()) == [""] * 6
    assert joint.cues(_pictures()[:2]) == [[], []]


def test_loading_reports_part_by_part(folders: tuple[Path, Path, Path]) -> None:
    events: list[Progress] = []
    load_clip(_profile(*folders[:2], captioner=folders[2]), events.append)
    assert events == [Progress(Stage.LOAD, done, 3) for done in range(4)]


def test_embedding_labels_reports_and_can_be_stopped(joint: ClipEngine) -> None:
    events: list[Progress] = []
    joint.text.embed([f"label {number}" for number in range(300)], events.append)
    assert events[-1] == Progress(Stage.LABELS, 300, 300)
    assert [event.done for event in events] == sorted(event.done for event in events)

    def stop(_event: Progress) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        joint.text.embed(["a cat"], stop)


def test_the_version_tells_weights_and_precision_apart(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    same = save_clip(tmp_path / "one")
    other = save_clip(tmp_path / "other", seed=5)
    first = load_clip(_profile(folders[0]))
    assert load_clip(_profile(same)).version == first.version
    assert load_clip(_profile(other)).version != first.version
    assert load_clip(_profile(same, precision="bf16")).version != first.version


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_on_request_stays_near(folders: tuple[Path, Path, Path], precision: str) -> None:
    half = load_clip(_profile(folders[0], captioner=folders[2], precision=precision))
    full = load_clip(_profile(folders[0]))
    pictures = _pictures()
    found = half.embed_images(pictures)
    assert found.dtype == torch.float32
    assert float((found * full.embed_images(pictures)).sum(-1).min()) > 0.99
    texts = half.text.embed(TEXTS)
    assert texts.dtype == torch.float32
    assert float((texts * full.text.embed(TEXTS)).sum(-1).min()) > 0.99
    assert len(half.captions(pictures)) == 6


def test_low_memory_on_a_cpu_changes_nothing(folders: tuple[Path, Path, Path], engine: ClipEngine) -> None:
    low = load_clip(_profile(folders[0], captioner=folders[2], low_memory=True))
    assert not low.residency.swap
    pictures = _pictures()
    assert low.captions(pictures) == engine.captions(pictures)
    assert torch.equal(low.embed_images(pictures), engine.embed_images(pictures))


def test_a_profile_without_models_is_refused() -> None:
    with pytest.raises(UnsupportedOptionError, match="names no models"):
        load_clip(_profile())


def test_loading_says_nothing_on_the_terminal(folders: tuple[Path, Path, Path]) -> None:
    program = (
        "from interrogator.engines.clip import load_clip; from interrogator.profiles import ClipProfile; import sys\n"
        "from PIL import Image\n"
        "engine = load_clip(ClipProfile(name='x', models=(sys.argv[1],), captioner=sys.argv[2], device='cpu'))\n"
        "engine.captions([Image.new('RGB', (9, 9))]); engine.embed_images([Image.new('RGB', (9, 9))])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(folders[0]), str(folders[2])],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
    )
    assert ran.stdout == ""
    assert ran.stderr == ""


def test_importing_the_package_imports_no_torch() -> None:
    program = "import sys, interrogator.engines.clip; print(json.dumps('torch' in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", f"import json; {program}"], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) is False


def _overflowing(folder: Path, weight: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Path:
    """A checkpoint with one weight changed, that fp32 can compute with and fp16 cannot."""
    path = save_clip(folder) / "open_clip_model.safetensors"
    weights = load_file(path)
    save_file({**weights, weight: change(weights[weight]).contiguous()}, path)
    return folder


def test_an_image_that_gives_no_numbers_is_refused_with_what_to_set(tmp_path: Path) -> None:
    """A pixel's weight of 36,000 is within fp16; what a picture makes of it is not, but for one of the mean colour."""
    model = _overflowing(tmp_path / "loud", "visual.conv1.weight", lambda weight: weight * 1e6)
    plain, noise = Image.new("RGB", (32, 32), (123, 117, 104)), Image.effect_noise((32, 32), 80)
    half = load_clip(_profile(model, precision="fp16"))
    assert half.embed_images([plain]).isfinite().all()
    with pytest.raises(NotFiniteError, match=r"loud.* an image in fp16.* precision to “bf16” or “fp32”"):
        half.embed_images([plain, noise])
    assert load_clip(_profile(model)).embed_images([plain, noise]).isfinite().all()


def test_a_text_that_gives_no_numbers_is_refused_however_it_is_asked_for(tmp_path: Path) -> None:
    def loud_cat(weight: torch.Tensor) -> torch.Tensor:
        import open_clip

        (cat,) = open_clip.get_tokenizer("ViT-B-32").encode("cat")
        return weight.index_fill(0, torch.tensor([cat]), 1e5)

    model = _overflowing(tmp_path / "loud", "token_embedding.weight", loud_cat)
    half = load_clip(_profile(model, precision="fp16")).text
    assert half.embed(["a dog"]).isfinite().all()
    asked = (
        lambda: half.embed(["a dog", "a cat"]),
        lambda: half.continuations("a dog", ["a cat"]),
        lambda: half.continue_all([("a dog", ["a cow"]), ("", ["cat", "dog"])]),
    )
    for ask in asked:
        with pytest.raises(NotFiniteError, match=r"loud.* a text in fp16.* precision to “bf16” or “fp32”"):
            ask()
    assert load_clip(_profile(model)).text.embed(["a cat"]).isfinite().all()


def test_weights_that_are_no_numbers_themselves_are_told_to_be_fetched_again(tmp_path: Path) -> None:
    model = _overflowing(tmp_path / "damaged", "ln_final.weight", lambda weight: weight * float("nan"))
    with pytest.raises(NotFiniteError, match=r"fp32.*damaged"):
        load_clip(_profile(model)).text.embed(["a cat"])
