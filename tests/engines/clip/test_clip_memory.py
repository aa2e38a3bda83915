"""When memory runs out: real torch.OutOfMemoryErrors, raised above a batch size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from checkpoints import save_blip, save_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from interrogator.engines.clip import load_clip
from interrogator.engines.clip.engine import ClipEngine
from interrogator.engines.clip.memory import (
    BatchSize,
    Part,
    Residency,
    in_batches,
    is_out_of_memory,
    move_text,
    retrying,
)
from interrogator.errors import DeviceMemoryError
from interrogator.profiles import ClipProfile


class Short(nn.Module):
    """A module whose device has memory for `room` rows of its input."""

    def __init__(self, inner: nn.Module, room: int) -> None:
        super().__init__()
        self.inner = inner
        self.room = room
        self.largest = 0

    def forward(self, rows: torch.Tensor, *args: object, **kwargs: object) -> object:
        if rows.shape[0] > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        self.largest = max(self.largest, rows.shape[0])
        return self.inner(rows, *args, **kwargs)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A CLIP and a captioner."""
    base = tmp_path_factory.mktemp("models")
    return save_clip(base / "clip"), save_blip(base / "blip", seed=1)


@pytest.fixture
def engine(folders: tuple[Path, Path]) -> ClipEngine:
    """Loaded anew: tests change it."""
    return load_clip(ClipProfile(name="test", models=(str(folders[0]),), captioner=str(folders[1]), device="cpu"))


def _pictures(count: int) -> list[Image.Image]:
    return [Image.effect_noise((30, 30), 10 + 7 * number).convert("RGB") for number in range(count)]


@settings(max_examples=12, deadline=None)
@given(count=st.integers(0, 40), size=st.integers(1, 40), room=st.integers(1, 40))
def test_every_item_is_computed_once_and_in_order_whatever_the_memory(count: int, size: int, room: int) -> None:
    def compute(items: Sequence[int]) -> list[int]:
        if len(items) > room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return [2 * item for item in items]

    assert in_batches(range(count), BatchSize(size), compute) == [2 * item for item in range(count)]


def test_a_halved_batch_is_restored_after_a_while() -> None:
    batch = BatchSize(8, patience=3)
    assert batch.halve()
    assert batch.halve()
    assert batch.size == 2
    sizes = []
    for _ in range(8):
        batch.worked()
        sizes.append(batch.size)
    assert sizes == [2, 2, 4, 4, 4, 8, 8, 8]


def test_one_item_that_does_not_fit_is_a_typed_error() -> None:
    def compute(_items: Sequence[int]) -> list[int]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(DeviceMemoryError, match="too little memory"):
        in_batches([1, 2, 3], BatchSize(2), compute)


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    def compute() -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        retrying(BatchSize(8), compute)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB, max allowed: 9.07 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_a_lack_of_memory_is_known_by_type_or_text(error: Exception) -> None:
    assert is_out_of_memory(error)


def test_this_machines_own_allocator_is_understood() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_images_that_do_not_fit_together_are_embedded_in_halves(engine: ClipEngine) -> None:
    pictures = _pictures(40)
    expected = engine.embed_images(pictures)
    short = Short(engine.models[0].model.visual, room=5)
    engine.models[0].model.visual = short
    torch.testing.assert_close(engine.embed_images(pictures), expected, atol=2e-6, rtol=0)
    assert short.largest == 4


def test_captions_that_do_not_fit_together_are_made_in_halves(engine: ClipEngine) -> None:
    pictures = _pictures(10)
    expected = engine.captions(pictures)
    assert engine.captioner
    inner = engine.captioner.model.vision_model
    engine.captioner.model.vision_model = _Vision(inner, room=3)
    assert engine.captions(pictures) == expected


class _Vision(nn.Module):
    """As `Short`, for BLIP's vision tower, which takes its input by name."""

    def __init__(self, inner: nn.Module, room: int) -> None:
        super().__init__()
        self.inner, self.room = inner, room

    def forward(self, pixel_values: torch.Tensor, **kwargs: object) -> object:
        if pixel_values.shape[0] > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.inner(pixel_values=pixel_values, **kwargs)


@pytest.mark.parametrize("prefix", ["", "a cat on a table"])
def test_texts_that_do_not_fit_together_are_embedded_in_fewer_rows(engine: ClipEngine, prefix: str) -> None:
    phrases = [f"number {number} of many words" for number in range(200)]
    expected = engine.text.continuations(prefix, phrases)
    full = engine.text.tower.rows
    model = engine.models[0].model
    model.ln_final = Short(model.ln_final, room=20)  # reads one row a text
    _limit_rows(engine, 150)
    torch.testing.assert_close(engine.text.continuations(prefix, phrases), expected, atol=2e-6, rtol=0)
    assert engine.text.tower.rows < full


def test_texts_are_embedded_in_full_batches_again_once_there_is_memory_again(engine: ClipEngine) -> None:
    full = engine.text.tower.rows
    tower = engine.text.tower
    whole = tower.embed
    _limit_rows(engine, full // 4)
    engine.text.embed(["a cat"])
    assert tower.rows == full // 4
    tower.embed = whole
    for _ in range(32):
        engine.text.embed(["a cat"])
        assert tower.rows <= full
    engine.text.embed(["a cat"])
    assert tower.rows == full


def test_joint_towers_share_what_memory_there_is(tmp_path: Path) -> None:
    models = tuple(str(save_clip(tmp_path / name, seed=seed)) for seed, name in enumerate(("one", "two")))
    joint = load_clip(ClipProfile(name="test", models=models, captioner="none", device="cpu"))
    asks = [("a cat", ["red", "blue"]), ("", ["a dog"])]
    expected = joint.text.continue_all(asks)
    _limit_rows(joint, 100)
    for found, wanted in zip(joint.text.continue_all(asks), expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=2e-6, rtol=0)
    assert joint.text.tower.rows <= 100


def _limit_rows(engine: ClipEngine, room: int) -> None:
    """Memory for at most `room` rows: more raise, whatever the tower calls."""
    tower = engine.text.tower
    for name in ("embed", "continuations", "continue_all"):
        setattr(tower, name, _limited(tower, getattr(tower, name), room))


def _limited(tower: object, method: Callable[..., object], room: int) -> Callable[..., object]:
    def call(*args: object) -> object:
        if tower.rows > room:  # type: ignore[attr-defined]
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return method(*args)

    return call


def _part(name: str, moves: list[tuple[str, str]]) -> Part:
    return Part(name, lambda device: moves.append((name, device.type)))


def test_parts_that_take_turns_are_alone_on_the_device() -> None:
    moves: list[tuple[str, str]] = []
    residency = Residency(torch.device("meta"), swap=True)
    captioner, vision, text, other = (
        residency.add(_part(name, moves)) for name in ("captioner", "vision", "text", "other")
    )
    assert moves == []
    with residency.using(captioner):
        assert moves == [("captioner", "meta")]
    with residency.using(vision):
        assert moves[1:] == [("captioner", "cpu"), ("vision", "meta")]
    with residency.using(text, other):
        assert moves[3:] == [("vision", "cpu"), ("text", "meta"), ("other", "meta")]
    with residency.using(text):
        assert len(moves) == 6
    assert residency.resident == [text, other]


def test_parts_that_fit_together_are_brought_once() -> None:
    moves: list[tuple[str, str]] = []
    residency = Residency(torch.device("meta"), swap=False)
    first, second = (residency.add(_part(name, moves)) for name in ("first", "second"))
    with residency.using(first), residency.using(second):
        pass
    assert moves == [("first", "meta"), ("second", "meta")]


def test_a_part_that_does_not_fit_is_a_typed_error() -> None:
    def move(device: torch.device) -> None:
        if device.type != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(DeviceMemoryError, match="too little memory for the vision tower"):
        Residency(torch.device("meta"), swap=False).add(Part("the vision tower", move))


def test_the_text_tower_moves_without_the_vision_tower(engine: ClipEngine) -> None:
    model = engine.models[0].model
    move_text(model, torch.device("meta"))
    assert {value.device.type for value in model.visual.parameters()} == {"cpu"}
    others = [value for name, value in model.state_dict(keep_vars=True).items() if not name.startswith("visual.")]
    assert {value.device.type for value in [*others, *model.buffers(recurse=False)]} == {"meta"}


def test_an_engine_whose_models_take_turns_gives_the_same(folders: tuple[Path, Path], engine: ClipEngine) -> None:
    pictures = _pictures(3)
    expected = engine.captions(pictures), engine.embed_images(pictures), engine.text.embed(["a cat"])
    turns = ClipEngine(engine.models, engine.captioner, Residency(torch.device("cpu"), swap=True))
    assert turns.captions(pictures) == expected[0]
    assert [part.name for part in turns.residency.resident] == [str(folders[1])]
    torch.testing.assert_close(turns.embed_images(pictures), expected[1])
    assert [part.name for part in turns.residency.resident] == ["the vision tower of clip"]
    torch.testing.assert_close(turns.text.embed(["a cat"]), expected[2])
    assert [part.name for part in turns.residency.resident] == ["the text tower of clip"]
