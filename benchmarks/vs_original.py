"""How fast the CLIP search is beside the package clip-interrogator 0.6.0, on one model object, in one run.

    python -m benchmarks.vs_original step [--model ViT-B-32] [--candidates 2048]
    python -m benchmarks.vs_original best [--model ViT-B-32] [--pool 256] [--images 10] [--full] [--log FILE]
    python -m benchmarks.vs_original table [--model ViT-B-32] [--labels 2048]

step   one step of the search: the similarities of a prompt with each of many phrases appended
best   a whole interrogation, both sides with the same label embeddings and caption; methods `exact` (the original's own
       search), `turbo` and `best`. A row is printed, and appended to --log as JSON, as soon as it is known
table  embedding the labels

`--quick` takes less than ten minutes on two cores; `--json` prints one object as the last line. `--model ARCHITECTURE`
takes random weights (and noisy embeddings of hidden prompts for images), `ARCHITECTURE/TAG` or a folder trained ones;
with those, `best --image FILE --caption TEXT` takes a real image.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interrogator.process_settings import prepare_process

if TYPE_CHECKING:
    from benchmarks.versus import Settings

STEPS = (("ViT-B-32", 2048), ("ViT-L-14", 256))
QUICK_STEPS = (("ViT-B-32", 256), ("ViT-L-14", 64))
QUICK_LABELS, QUICK_POOL, QUICK_TABLE = 4096, 64, 256
FULL_POOL, FULL_IMAGES = 2048, 2
METHODS = ("exact", "turbo", "best")


def main(words: list[str] | None = None) -> None:
    prepare_process()
    parser = _parser()
    arguments = parser.parse_args(words)
    if arguments.command == "best":  # hours may pass before they are needed
        if unknown := set(arguments.methods.split(",")) - set(METHODS):
            parser.error(f"unknown method {', '.join(sorted(unknown))}; there are {', '.join(METHODS)}")
        if arguments.image and not arguments.image.is_file():
            parser.error(f"there is no image {arguments.image}")
        if arguments.log:
            arguments.log.parent.mkdir(parents=True, exist_ok=True)
    outcome = {"step": _step, "best": _best, "table": _table}[arguments.command](arguments)
    if arguments.json:
        print(json.dumps({"command": arguments.command, **outcome}))


def _step(arguments: argparse.Namespace) -> dict[str, Any]:
    """One case after the other; the first one's figures are those of the run."""
    from benchmarks import versus  # noqa: PLC0415 - loads torch, after the threads are set

    cases: tuple[tuple[str, int], ...] = QUICK_STEPS if arguments.quick else STEPS
    if arguments.model:
        cases = ((arguments.model, cases[0][1]),)
    runs = []
    for model, candidates in cases:
        settings = _settings(arguments, model)
        runs.append(versus.step(settings, arguments.candidates or candidates, arguments.repeats))
    return {**runs[0], "runs": runs}


def _table(arguments: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import versus  # noqa: PLC0415

    settings = _settings(arguments, arguments.model or "ViT-B-32")
    return versus.table(settings, arguments.labels or (QUICK_TABLE if arguments.quick else 2048))


def _best(arguments: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import whole  # noqa: PLC0415

    settings = _settings(arguments, arguments.model or "ViT-B-32")
    pool, images, labels = 256, 10, None
    if arguments.quick:
        pool, images, labels = QUICK_POOL, 1, QUICK_LABELS
    elif arguments.full:
        pool, images = FULL_POOL, FULL_IMAGES
    return whole.best(
        settings,
        whole.Extent(
            pool=arguments.pool or pool,
            images=arguments.images or images,
            first=arguments.first,
            labels=arguments.labels or labels,
            methods=tuple(arguments.methods.split(",")),
        ),
        log=arguments.log,
        image=(arguments.image, arguments.caption) if arguments.image else None,
    )


def _settings(arguments: argparse.Namespace, model: str) -> Settings:
    from benchmarks.versus import Settings  # noqa: PLC0415

    return Settings(model=model, device=arguments.device, seed=arguments.seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.vs_original",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--model", help="of open_clip: ARCHITECTURE (random weights), ARCHITECTURE/TAG, or a folder")
    common.add_argument("--device", default="cpu", help="as torch names it (default cpu)")
    common.add_argument("--seed", type=int, default=0, help="of random weights, labels and targets")
    common.add_argument("--quick", action="store_true", help="smaller: less than ten minutes on two cores")
    common.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    commands = parser.add_subparsers(dest="command", required=True)
    step = commands.add_parser("step", parents=[common], help="one step of the search")
    step.add_argument("--candidates", type=int, help="phrases to choose from")
    step.add_argument("--repeats", type=int, default=1, help="runs of the original (default 1); ours has 3 or more")
    best = commands.add_parser("best", parents=[common], help="a whole interrogation")
    best.add_argument("--full", action="store_true", help=f"pool {FULL_POOL}, {FULL_IMAGES} images: hours")
    best.add_argument("--pool", type=int, help="labels that the search considers (default 256)")
    best.add_argument("--images", type=int, help="how many targets (default 10)")
    best.add_argument("--first", type=int, default=1, help="the target to begin with: go on where a run was cut off")
    best.add_argument("--labels", type=int, help="labels that are ranked (default: all of the package's)")
    best.add_argument("--methods", default=",".join(METHODS), help="some of: %(default)s")
    best.add_argument("--log", type=Path, help="append each row to this file, as JSON lines")
    best.add_argument("--image", type=Path, help="a real image, for trained weights")
    best.add_argument("--caption", default="a picture", help="its caption, given to both sides")
    table = commands.add_parser("table", parents=[common], help="embedding the labels")
    table.add_argument("--labels", type=int, help="how many (default 2048)")
    return parser


if __name__ == "__main__":
    main()
