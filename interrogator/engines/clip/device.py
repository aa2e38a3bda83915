"""Which device computes, in which precision, and whether it holds all models at once.

Looking at the machine (`look`) is apart from deciding, so that the decisions are pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import psutil
import torch

from interrogator.errors import UnsupportedOptionError

Precision = Literal["fp32", "fp16", "bf16"]
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
BYTES: dict[Precision, int] = {"fp32": 4, "fp16": 2, "bf16": 2}

_WORKING_MEMORY = 1_500_000_000  # bytes beside the weights: activations, the label matrix, the runtime itself
_HALF_SINCE = (5, 3)  # compute capability from which CUDA computes fp16 natively


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator. `memory` and `free` in bytes; `capability` is CUDA's, (0, 0) where that means nothing."""

    name: str  # as torch names it: "cuda:1", "xpu:0", "mps"
    memory: int
    free: int
    capability: tuple[int, int] = (0, 0)
    bf16: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine computes with, beside its CPU."""

    accelerators: tuple[Accelerator, ...] = ()
    why_no_cuda: str = ""  # a sentence, where there is no CUDA device

    def find(self, device: str) -> Accelerator | None:
        """The accelerator of that name; None for the CPU."""
        return next((one for one in self.accelerators if one.name == device), None)


def look() -> Machine:
    """The accelerators that torch can use now."""
    found: list[Accelerator] = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        free, memory = torch.cuda.mem_get_info(index)
        capability = torch.cuda.get_device_capability(index)
        found.append(Accelerator(f"cuda:{index}", memory, free, capability, bf16=capability >= (8, 0)))
    for index in range(torch.xpu.device_count() if torch.xpu.is_available() else 0):
        memory = int(torch.xpu.get_device_properties(index).total_memory)
        found.append(Accelerator(f"xpu:{index}", memory, memory, bf16=True))
    if torch.backends.mps.is_available():  # shares the machine's memory
        shared = psutil.virtual_memory()
        found.append(Accelerator("mps", shared.total, shared.available))
    return Machine(tuple(found), _why_no_cuda())


def choose_device(asked: str, machine: Machine) -> str:
    """The device's full name ("cuda" becomes "cuda:0"), whatever its case. "auto": the CUDA device with most free
    memory, else mps, else another accelerator, else the CPU.

    UnsupportedOptionError where what is asked for is not here.
    """
    name = asked.strip().lower()
    if name == "auto":
        return _best(machine)
    if name in ("cpu", "cpu:0"):
        return "cpu"
    kind, _, index = name.partition(":")
    names = [one.name for one in machine.accelerators]
    wanted = name if kind == "mps" or index else f"{kind}:0"
    if wanted in names:
        return wanted
    there = ", ".join([*names, "cpu"])
    why = f" {machine.why_no_cuda}" if kind == "cuda" and machine.why_no_cuda else ""
    raise UnsupportedOptionError(
        f"The device “{asked[:40]}” is not available on this machine. Available: auto, {there}.{why}"
    )


def choose_precision(asked: str, device: str, machine: Machine) -> Precision:
    """What CLIP is computed in. "auto": fp32 on a CPU and on CUDA devices without native fp16, else fp16, in which
    OpenAI's weights are published."""
    if asked in DTYPES:
        return asked
    accelerator = machine.find(device)
    if accelerator is None:
        return "fp32"
    old = device.startswith("cuda") and accelerator.capability < _HALF_SINCE
    return "fp32" if old else "fp16"


def choose_wide_precision(clip: Precision, device: str, machine: Machine) -> Precision:
    """What a captioner is computed in whose activations exceed the range of fp16: as CLIP, but bf16 for fp16 where
    the device has it, else fp32."""
    if clip != "fp16":
        return clip
    accelerator = machine.find(device)
    return "bf16" if accelerator and accelerator.bf16 else "fp32"


def swaps(asked: bool | None, device: str, machine: Machine, weights: int) -> bool:
    """Whether models take turns on the device: as asked, else where `weights` (bytes, of all models) and working memory
    exceed what is free there. Never on a CPU: there is nowhere else to put them."""
    accelerator = machine.find(device)
    if accelerator is None:
        return False
    return weights + _WORKING_MEMORY > accelerator.free if asked is None else asked


def _why_no_cuda() -> str:
    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None and torch.version.hip is None:
        return f"The torch that is installed ({torch.__version__}) is built without CUDA: install one with it."
    return f"torch {torch.__version__} sees no CUDA card: check the card and its driver with nvidia-smi."


def _best(machine: Machine) -> str:
    cuda = [one for one in machine.accelerators if one.name.startswith("cuda")]
    if cuda:
        return max(cuda, key=lambda one: one.free).name
    others = sorted(machine.accelerators, key=lambda one: one.name != "mps")
    return others[0].name if others else "cpu"
