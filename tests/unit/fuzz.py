"""Damaged image files without end: `make fuzz`, and fewer of them in the tests.

Whatever the bytes: an image or a typed error, parameters or none, in bounded memory and time. Which files are made
depends on the seed alone, so that a failure can be had again: its number is printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from fuzz_mutations import made
from fuzz_sources import texts, whole_files

from interrogator.errors import (
    EmptyImageError,
    ImageTooLargeError,
    InterrogatorError,
    MissingFrameError,
    UnreadableImageError,
)
from interrogator.images import Limits, open_image
from interrogator.metadata import read_parameters

FILES = 20_000
SEED = 1
MAX_GROWTH = 200_000_000
"""Bytes that the process may grow by: an image of the limit below, decoded and converted, and what parsers hold."""
MAX_SECONDS = 10.0
"""For one file; a machine that does other work is slow."""
LIMITS = Limits(pixels=4_000_000)
EXPECTED = (EmptyImageError, ImageTooLargeError, MissingFrameError, UnreadableImageError)
_ADDRESS_ROOM = 1_000_000_000
"""Bytes of address space beyond what is there: who asks for more is told that there is none, as in a small machine."""


@dataclass(slots=True)
class Outcome:
    """What came of a run. `answers` are "image" or the error's kind, `generators` the programs whose parameters were
    read, each with how often. `growth` at the highest and `held` at the end are bytes, `slowest` seconds."""

    files: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    generators: Counter[str] = field(default_factory=Counter)
    growth: int = 0
    held: int = 0
    slowest: float = 0.0


class FuzzError(Exception):
    """A file that made something else of it than an image or a typed error."""


def try_file(data: bytes) -> tuple[str, str]:
    """ "image", or the kind of the error that says why not, and the program whose parameters it carried, or "". Raises
    whatever is not expected."""
    answer, hidden = opened(data)
    carried = read_parameters(data, hidden)
    return answer, carried.generator if carried else ""


def opened(data: bytes) -> tuple[str, bytes]:
    """The answer, and what is hidden in the pixels. Of an animation the last picture is read, too: the way to it leads
    over all the others."""
    try:
        loaded = open_image(data, LIMITS)
        if loaded.frames > 1:
            open_image(data, LIMITS, frame=loaded.frames)
    except InterrogatorError as error:
        if not isinstance(error, EXPECTED) or not str(error).strip():
            raise FuzzError(f"{type(error).__name__} is not an answer to a file") from error
        return error.kind, b""
    return "image", loaded.hidden


def fuzz(files: int, seed: int = SEED) -> Outcome:
    """Tries so many files. Raises FuzzError, which names the file, at the first that is not answered as it should."""
    sources, written = list(whole_files().values()), texts()
    for source in sources:  # whole, so that what is loaded once is not taken for growth
        try_file(source)
    before = psutil.Process().memory_info().rss  # not the peak, which writing the sources may have set
    found = Outcome()
    for number in range(files):
        name = f"{seed}-{number}"
        data = made(sources, written, name)
        started = time.perf_counter()
        try:
            answer, generator = try_file(data)
        except Exception as error:
            raise FuzzError(f"file {name}: {type(error).__name__}: {error}") from error
        found.slowest = max(found.slowest, time.perf_counter() - started)
        found.growth = peak_bytes() - before
        if found.slowest > MAX_SECONDS or found.growth > MAX_GROWTH:
            raise FuzzError(f"file {name}: {found.slowest:.1f} s, {found.growth / 1e6:.0f} MB more than before")
        found.files += 1
        found.answers[answer] += 1
        if generator:
            found.generators[generator] += 1
    found.held = psutil.Process().memory_info().rss - before
    return found


def bound_address_space() -> None:
    """Makes an allocation fail that no bound on what was touched would notice; where the system can (Linux)."""
    if sys.platform == "linux":
        room = psutil.Process().memory_info().vms + _ADDRESS_ROOM
        resource.setrlimit(resource.RLIMIT_AS, (room, resource.getrlimit(resource.RLIMIT_AS)[1]))


def peak_bytes() -> int:
    """The most memory that this program had at any time, whoever took it: decoders are not Python. Where the system
    tells it of the program alone, for `ru_maxrss` begins with that of the process which started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Prints what came of it as JSON; ends with FuzzError where a file was not answered as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    bound_address_space()
    outcome = fuzz(arguments.files, arguments.seed)
    found = {
        "files": outcome.files,
        "answers": dict(outcome.answers.most_common()),
        "generators": dict(outcome.generators.most_common()),
        "growth_mb": round(outcome.growth / 1e6, 1),
        "held_mb": round(outcome.held / 1e6, 1),
        "slowest_s": round(outcome.slowest, 3),
    }
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
