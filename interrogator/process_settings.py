"""How a process that computes waits for its threads, what it does with memory that it has freed, and when it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl.h
_KEPT = 256 << 20  # bytes
_LARGEST = 32 << 20  # bytes: the most that glibc takes for it


def prepare_process() -> None:
    """Settle both; call it before torch is first imported."""
    let_threads_sleep()
    keep_freed_memory()


def let_threads_sleep() -> None:
    """Let OpenMP's threads sleep, not spin, where they wait; call it before torch is first imported.

    Spinning steals the cores that the other threads need as soon as anything else runs: with one other busy process on
    two cores an image took 3 s in place of 0.25 s, and 15 s with four. Where the machine is idle it makes no difference
    that `benchmarks/lite_speed.py` shows. Whoever sets OMP_WAIT_POLICY keeps their choice.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def keep_freed_memory() -> None:
    """Let glibc keep up to 256 MB of freed memory for the next batch; elsewhere, nothing.

    A layer's results are some 10 MB: given back to the system after each, their pages are zeroed anew for the next,
    which took a tenth of the time of a search step on a CPU.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP, _LARGEST)
        mallopt(_TRIM, _KEPT)


def end_with_parent() -> None:
    """Let Linux kill this process when the one that started it has ended; elsewhere, nothing.

    The end of stdin says the same to a process that runs. To one that is stopped, or hangs in foreign code, nothing but
    the kernel can say it: it would keep its memory for ever. It is the thread that counts, so start the process from
    one that lives as long as it is wanted.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL)
