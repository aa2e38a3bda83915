"""When memory is short: batches that are halved and restored, models that take turns on the device."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch

from interrogator.errors import DeviceMemoryError

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 16
"""Good batches after which a halved size is doubled again."""
_ALLOCATOR_TEXTS = (
    "out of memory",  # CUDA, MPS, XPU
    "can't allocate memory",  # the CPU's
    "not enough memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)


class BatchSize:
    """How many items are computed at once: halved when memory runs out, doubled again after a time without."""

    def __init__(self, size: int, least: int = 1, patience: int = _PATIENCE) -> None:
        self.size = size
        self._full, self._least, self._patience = size, least, patience
        self._good = 0

    def halve(self) -> bool:
        """Whether there was something to halve."""
        self._good = 0
        if self.size <= self._least:
            return False
        self.size = max(self.size // 2, self._least)
        return True

    def worked(self) -> None:
        """A batch was computed."""
        self._good += 1
        if self._good >= self._patience and self.size < self._full:
            self.size, self._good = min(self.size * 2, self._full), 0


def in_batches(items: Sequence[T], batch: BatchSize, compute: Callable[[Sequence[T]], Sequence[R]]) -> list[R]:
    """`compute` over all items, at most `batch.size` at once; one result an item, in order.

    DeviceMemoryError where memory does not do for a single one.
    """
    results: list[R] = []

    def following() -> Sequence[R]:
        return compute(items[len(results) : len(results) + batch.size])

    while len(results) < len(items):
        results += retrying(batch, following)
    return results


def retrying(batch: BatchSize, compute: Callable[[], R], forget: Callable[[], None] | None = None) -> R:
    """`compute()`, again with half of `batch.size` as long as memory runs out, after
    `forget()` where there is something to forget. DeviceMemoryError at the least size."""
    while True:
        try:
            result = compute()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            batch.worked()
            return result
        # Outside of the handler: the error's traceback holds the tensors that must be freed.
        halved = batch.halve()
        if forget:
            forget()
        free_memory()
        if not halved:
            raise DeviceMemoryError(
                "The device has too little memory for this model, even for one item at a time. Set low_memory in the "
                "profile, or choose a smaller model or captioner, or the device “cpu”."
            )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, by the error's type or an allocator's text."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return any(known in text for known in _ALLOCATOR_TEXTS)


def free_memory() -> None:
    """Give back what torch keeps for later."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if torch.xpu.is_available():
        torch.xpu.empty_cache()


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Something that is moved between devices as one."""

    name: str
    move: Callable[[torch.device], None]


class Residency:
    """Which parts are on the device: all of them, or, where they take turns, those in use and no other."""

    def __init__(self, device: torch.device, *, swap: bool) -> None:
        self.device = device
        self.swap = swap
        self.resident: list[Part] = []

    def add(self, part: Part) -> Part:
        """Put a part on the device at once, unless parts take turns."""
        if not self.swap:
            self._bring(part)
        return part

    @contextmanager
    def using(self, *parts: Part) -> Iterator[None]:
        """Within it the parts are on the device. They stay there afterwards, until others need the room."""
        if self.swap and any(part not in self.resident for part in parts):
            for part in [one for one in self.resident if one not in parts]:
                part.move(torch.device("cpu"))
                self.resident.remove(part)
            free_memory()
            for part in parts:
                if part not in self.resident:
                    self._bring(part)
        yield

    def _bring(self, part: Part) -> None:
        try:
            part.move(self.device)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise DeviceMemoryError(
                f"The device {self.device} has too little memory for {part.name}. Set low_memory in the profile, or "
                "choose a smaller model or captioner, or the device “cpu”."
            ) from error
        self.resident.append(part)


def move_text(model: torch.nn.Module, device: torch.device) -> None:
    """Move everything of an open_clip model but its vision tower."""
    rest = torch.nn.Module()  # the same tensors, in the same places
    rest._parameters, rest._buffers = model._parameters, model._buffers
    rest._modules = {name: child for name, child in model._modules.items() if name != "visual"}
    rest.to(device)


def weight_bytes(module: torch.nn.Module) -> int:
    """Bytes of parameters and buffers."""
    tensors = [*module.parameters(), *module.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
