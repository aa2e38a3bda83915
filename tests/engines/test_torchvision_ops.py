"""The cure for a torchvision whose operators do not load, in a process that has imported nothing yet."""

from __future__ import annotations

import subprocess
import sys

IMPORTS = "import timm, open_clip, torchvision"
CURE = "from interrogator.engines.torchvision_ops import declare_missing_operators as cure, operator_exists as exists"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_torchvision_timm_and_open_clip_can_be_imported_after_it() -> None:
    assert run(f"{CURE}; cure(); cure(); print(exists('nms'), exists('qnms'), exists('nothing'))") == "True True False"
    run(f"{CURE}; cure(); {IMPORTS}; cure()")


def test_an_operator_that_exists_is_left_alone() -> None:
    code = (
        "import torch; library = torch.library.Library('torchvision', 'FRAGMENT');"
        "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor');"
        f"{CURE}; cure(); print(exists('nms'))"
    )
    assert run(code) == "True"
