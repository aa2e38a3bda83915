"""How many pictures of a folder the classifier takes for unfit to be shown to everyone, by threshold, and which.

    python -m benchmarks.safety FOLDER [--json]

Of a folder of pictures that are fit, each one above the threshold is a false alarm. What it misses is not measured.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from interrogator.cli.inputs import find_images, read_image
from interrogator.errors import InterrogatorError
from interrogator.images import open_image
from interrogator.safety import load_rater

THRESHOLDS = (0.3, 0.5, 0.7, 0.8, 0.9)
SHOWN = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
    arguments = parser.parse_args()
    rate = load_rater()
    scores: dict[str, float] = {}
    seconds = 0.0
    for path in find_images([str(arguments.folder)]).images:
        try:
            image = open_image(read_image(path)).image
        except InterrogatorError as error:
            print(f"{path}: {error}")
            continue
        started = time.perf_counter()
        [scores[path]] = rate([image])
        seconds += time.perf_counter() - started
    above = {str(least): sum(score >= least for score in scores.values()) for least in THRESHOLDS}
    print(f"{len(scores)} pictures, {1000 * seconds / max(len(scores), 1):.0f} ms each")
    for least, count in above.items():
        print(f"from {least}: {count} ({count / max(len(scores), 1):.1%})")
    for path, score in sorted(scores.items(), key=lambda item: -item[1])[:SHOWN]:
        print(f"{score:.3f} {path}")
    if arguments.json:
        print(json.dumps({"pictures": len(scores), "above": above, "seconds": seconds / max(len(scores), 1)}))


if __name__ == "__main__":
    main()
