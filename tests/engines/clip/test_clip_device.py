"""Device, precision and taking turns, decided from facts of machines that are not this one."""

from __future__ import annotations

import pytest

from interrogator.engines.clip.device import (
    Accelerator,
    Machine,
    choose_device,
    choose_precision,
    choose_wide_precision,
    look,
    swaps,
)
from interrogator.errors import UnsupportedOptionError

GB = 10**9
OLD = Accelerator("cuda:0", 4 * GB, 3 * GB, (5, 2))
BUSY = Accelerator("cuda:0", 24 * GB, 2 * GB, (8, 9), bf16=True)
IDLE = Accelerator("cuda:1", 24 * GB, 23 * GB, (8, 9), bf16=True)
TURING = Accelerator("cuda:0", 8 * GB, 7 * GB, (7, 5))
MPS = Accelerator("mps", 16 * GB, 9 * GB)
XPU = Accelerator("xpu:0", 16 * GB, 16 * GB, bf16=True)
NONE = Machine()


@pytest.mark.parametrize(
    ("machine", "device"),
    [
        (NONE, "cpu"),
        (Machine((MPS,)), "mps"),
        (Machine((XPU, MPS)), "mps"),
        (Machine((XPU,)), "xpu:0"),
        (Machine((TURING, MPS)), "cuda:0"),
        (Machine((BUSY, IDLE)), "cuda:1"),
    ],
)
def test_auto_takes_the_emptiest_cuda_device_then_mps_then_others_then_the_cpu(machine: Machine, device: str) -> None:
    assert choose_device("auto", machine) == device


def test_a_named_device_is_taken_as_named() -> None:
    machine = Machine((BUSY, IDLE, MPS))
    assert choose_device("cpu", machine) == "cpu"
    assert choose_device("cuda", machine) == "cuda:0"
    assert choose_device("cuda:1", machine) == "cuda:1"
    assert choose_device("mps", machine) == "mps"
    for asked, device in (("CPU", "cpu"), ("cpu:0", "cpu"), ("CUDA:1", "cuda:1"), ("Auto", "cuda:1")):
        assert choose_device(asked, machine) == device


def test_a_refusal_of_cuda_says_why_there_is_none() -> None:
    with pytest.raises(UnsupportedOptionError, match=r"Available: auto, cpu\. It is built without\.$"):
        choose_device("cuda", Machine(why_no_cuda="It is built without."))
    with pytest.raises(UnsupportedOptionError, match=r"Available: auto, cpu\.$"):
        choose_device("xpu", Machine(why_no_cuda="It is built without."))


@pytest.mark.parametrize("asked", ["cuda:2", "cuda", "xpu", "tpu", "", "cuda:x"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(asked: str) -> None:
    with pytest.raises(UnsupportedOptionError, match=r"not available on this machine\. Available: auto, mps, cpu\."):
        choose_device(asked, Machine((MPS,)))


@pytest.mark.parametrize(
    ("machine", "device", "precision"),
    [
        (NONE, "cpu", "fp32"),
        (Machine((BUSY, IDLE)), "cuda:1", "fp16"),
        (Machine((TURING,)), "cuda:0", "fp16"),
        (Machine((OLD,)), "cuda:0", "fp32"),
        (Machine((MPS,)), "mps", "fp16"),
        (Machine((BUSY,)), "cpu", "fp32"),
    ],
)
def test_auto_is_half_precision_on_an_accelerator_of_any_index(machine: Machine, device: str, precision: str) -> None:
    assert choose_precision("auto", device, machine) == precision


@pytest.mark.parametrize("asked", ["fp32", "fp16", "bf16"])
def test_a_named_precision_is_taken_as_named(asked: str) -> None:
    assert choose_precision(asked, "cpu", NONE) == asked


def test_what_exceeds_fp16_is_computed_in_bf16_or_fp32() -> None:
    assert choose_wide_precision("fp16", "cuda:1", Machine((BUSY, IDLE))) == "bf16"
    assert choose_wide_precision("fp16", "cuda:0", Machine((TURING,))) == "fp32"
    assert choose_wide_precision("fp32", "cpu", NONE) == "fp32"


def test_models_take_turns_where_they_do_not_fit_together() -> None:
    machine = Machine((BUSY, IDLE))
    assert not swaps(None, "cuda:1", machine, 6 * GB)
    assert swaps(None, "cuda:0", machine, 6 * GB)
    assert swaps(True, "cuda:1", machine, GB)
    assert not swaps(False, "cuda:0", machine, 100 * GB)


def test_on_a_cpu_models_never_take_turns() -> None:
    assert not swaps(True, "cpu", NONE, 100 * GB)
    assert not swaps(None, "cpu", Machine((IDLE,)), 100 * GB)


def test_looking_at_this_machine_gives_devices_that_torch_has() -> None:
    import torch

    assert bool(look().why_no_cuda) is not torch.cuda.is_available()
    for accelerator in look().accelerators:
        assert torch.zeros(1, device=accelerator.name).device.type == accelerator.name.partition(":")[0]
