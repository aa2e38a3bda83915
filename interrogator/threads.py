"""How the threads of torch wait for each other."""

from __future__ import annotations

import os


def let_threads_sleep() -> None:
    """Let OpenMP's threads sleep, not spin, where they wait; call it before torch is first imported.

    Spinning steals the cores that the other threads need as soon as anything else runs: with one other busy process on
    two cores an image took 3 s in place of 0.25 s, and 15 s with four. Where the machine is idle it makes no difference
    that `benchmarks/lite_speed.py` shows. Whoever sets OMP_WAIT_POLICY keeps their choice.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
