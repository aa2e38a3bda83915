"""How fast the lite profile is: a cold start to the first answer in a new process, then seconds an image by mode.

    python -m benchmarks.lite_speed [--json] [--images 8]

The images are drawn here (2 megapixels, all different, so that nothing is answered from memory).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from interrogator.request import Request
from interrogator.types import Interrogation, Mode, Options

if TYPE_CHECKING:
    from interrogator.pipeline import Pipeline

MODES = ("caption", "classic", "fast", "best", "negative")
SIZE = (1632, 1224)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
    parser.add_argument("--images", type=int, default=8, help="images for each mode (default 8)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.images)))
        return
    with tempfile.TemporaryDirectory() as cache:
        first, second = (start(arguments.images, cache) for _ in range(2))
    figures = {
        "first_start_seconds": first["first_answer"],
        "start_seconds": second["first_answer"],
        "seconds_an_image": second["modes"],
        "peak_memory_mb": second["memory"],
    }
    print(f"first start to an answer  {figures['first_start_seconds']:6.2f} s  (nothing cached; target < 10)")
    print(f"later start to an answer  {figures['start_seconds']:6.2f} s")
    for mode, seconds in second["modes"].items():
        print(f"{mode:24}  {seconds:6.3f} s an image" + ("  (target < 1)" if mode == "fast" else ""))
    print(f"peak memory               {figures['peak_memory_mb']:6.0f} MB")
    if arguments.json:
        print(json.dumps(figures))


def start(images: int, cache: str) -> dict[str, Any]:
    """A new process with that cache; its first answer counts from before the interpreter started."""
    command = [sys.executable, "-m", "benchmarks.lite_speed", "--child", "--images", str(images)]
    environment = {**os.environ, "INTERROGATOR_CACHE": cache, "LITE_SPEED_START": repr(time.time())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(images: int) -> dict[str, Any]:
    """In the child: load, answer once, then every mode on images of its own."""
    from interrogator.pipeline import load_pipeline  # noqa: PLC0415 - the import is part of what is measured

    pipeline = load_pipeline()
    ask(pipeline, picture(0), "fast")
    first_answer = time.time() - float(os.environ["LITE_SPEED_START"])
    modes = {}
    for number, mode in enumerate(MODES):
        pictures = [picture(1 + number * images + i) for i in range(images)]
        began = time.perf_counter()
        for one in pictures:
            ask(pipeline, one, mode)
        modes[mode] = (time.perf_counter() - began) / images
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return {"first_answer": first_answer, "modes": modes, "memory": peak}


def ask(pipeline: Pipeline, image: bytes, mode: str) -> None:
    (outcome,) = pipeline.run([Request(image=image, options=Options(mode=Mode(mode)))])
    if not isinstance(outcome, Interrogation):
        raise SystemExit(f"{mode}: {outcome}")


def picture(seed: int) -> bytes:
    """A JPEG of soft coloured clouds."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


if __name__ == "__main__":
    main()
