"""What each prompt search is worth: similarity against time, and whether what it found is true of the picture.

    python -m benchmarks.quality [--images 100] [--plot FILE.png] [--json]
    python -m benchmarks.quality --tune [--images 40]
    python -m benchmarks.quality --random

Scenes that are drawn here (`benchmarks.scenes`), with two small CLIPs trained on others of them: one is searched with,
the other judges the prompts, and so do the phrases that are known to be true. The original is the package
clip-interrogator, its own `chain`, on the same model object, pool and caption. Differences to it are paired, image by
image, with 95% bootstrap intervals. `--tune` compares parameters of the searches on scenes apart from those reported.
`--random` takes two small random models and hidden prompts in place of scenes: it shows speed and search alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from interrogator.process_settings import prepare_process


def main(words: list[str] | None = None) -> None:
    prepare_process()
    arguments = _parser().parse_args(words)
    from benchmarks import quality_cases, quality_report  # noqa: PLC0415 - load torch, after the threads are set
    from benchmarks.quality_methods import METHODS, TUNED, try_all  # noqa: PLC0415

    make = quality_cases.random_cases if arguments.random else quality_cases.scene_cases
    sort = "tuning" if arguments.tune else "held out"
    bench = make(sort, arguments.images or (40 if arguments.tune else 100), arguments.pool)
    print(f"quality: {bench.note}", flush=True)
    methods = TUNED if arguments.tune else METHODS
    if arguments.methods:
        methods = {name: method for name, method in methods.items() if name in arguments.methods.split(",")}
    trials = try_all(bench, methods, log=arguments.log)
    outcome = quality_report.report(trials)
    if arguments.tune:
        outcome["chosen"] = quality_report.choose(trials)
    if arguments.plot:
        quality_report.plot(outcome, bench.note, arguments.plot)
    if arguments.json:
        print(json.dumps(outcome))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", type=int, help="how many (default 100; 40 with --tune)")
    parser.add_argument(
        "--pool", type=int, default=512, help="phrases that a search considers (default: all, up to 512)"
    )
    parser.add_argument("--methods", help="only these, by name, divided by commas")
    parser.add_argument("--tune", action="store_true", help="compare parameters, and choose those of turbo and best")
    parser.add_argument("--random", action="store_true", help="two small random models and hidden prompts")
    parser.add_argument("--plot", type=Path, help="draw similarity against time")
    parser.add_argument("--log", type=Path, help="append each trial to this file, as JSON lines")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    return parser


if __name__ == "__main__":
    main()
