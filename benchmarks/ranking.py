"""How fast labels are ranked: CLIP Interrogator's own `_merge_tables` and `LabelTable.rank` beside ours, in one run.

    python -m benchmarks.ranking [--quick] [--json] [--dimensions 512]

No model is needed: the labels are the package's real lists, their embeddings and the images' are random, and the same
on both sides (rounded to fp16, as the package keeps them). Each side runs in a process of its own, so that the peak of
memory is its own. The package merges its five tables anew for every image, as its `interrogate` does; it keeps 37
labels of every 2,048, and so misses some of the true first 2,048: the recall says how many it finds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import torch

K = 2048
BATCH = 64
GROUPS = ("artists", "flavors", "mediums", "movements", "trendings")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
    parser.add_argument("--dimensions", type=int, default=512, help="of the embeddings (default 512, as ViT-B-32)")
    parser.add_argument("--side", choices=("original", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    repeats = 3 if arguments.quick else 15
    if arguments.side:
        side = {"original": original, "ours": ours}[arguments.side]
        print(json.dumps(side(arguments.folder, arguments.dimensions, repeats)))
        return
    with tempfile.TemporaryDirectory() as folder:
        theirs, own = (child(side, folder, arguments) for side in ("original", "ours"))
    figures = compare(theirs, own)
    show(figures)
    if arguments.json:
        print(json.dumps(figures))


def child(side: str, folder: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ranking", "--side", side, "--folder", folder]
    command += ["--dimensions", str(arguments.dimensions)] + (["--quick"] if arguments.quick else [])
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side}:\n{done.stderr[-4000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def embeddings(labels: int, dimensions: int, seed: int) -> torch.Tensor:
    """(labels, dimensions) float32, L2-normalised, of numbers that fp16 has; made in pieces, which leaves no peak."""
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.empty(labels, dimensions)
    for rows in matrix.split(4096):
        random = torch.randn(rows.shape, generator=generator)
        rows.copy_((random / random.norm(dim=-1, keepdim=True)).half())
    return matrix


def timed(run: Callable[[], object], repeats: int) -> float:
    """Median of seconds; the first run, which warms up, does not count."""
    run()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return median(times)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def original(folder: Path, dimensions: int, repeats: int) -> dict[str, Any]:
    """The package as it is; its tables are made by hand, as reading a cache would leave them."""
    warnings.simplefilter("ignore")
    from interrogator.engines.torchvision_ops import declare_missing_operators  # noqa: PLC0415

    declare_missing_operators()
    from clip_interrogator import clip_interrogator as package  # noqa: PLC0415

    config = package.Config(clip_model_name="none/none", device="cpu", quiet=True, cache_path=None)
    engine = SimpleNamespace(config=config, clip_model=None, tokenize=None)
    data = Path(config.data_path)
    lists = {group: package.load_list(data, f"{group}.txt") for group in GROUPS[:-1]}
    lists["artists"] = [f"{form} {name}" for form in ("by", "inspired by") for name in lists["artists"]]
    from interrogator.mined import SITES  # noqa: PLC0415

    forms = ("{}", "trending on {}", "featured on {}", "{} contest winner")
    lists["trendings"] = [form.format(site) for form in forms for site in SITES]
    total = sum(map(len, lists.values()))
    vectors = embeddings(total, dimensions, seed=0)
    (folder / "labels.json").write_text(json.dumps([text for group in GROUPS for text in lists[group]]))
    tables, start = [], 0
    for group in GROUPS:
        table = package.LabelTable([], None, engine)
        table.labels = lists[group]
        table.embeds = list(vectors[start : start + len(lists[group])].numpy())
        start += len(lists[group])
        tables.append(table)
    queries = embeddings(BATCH, dimensions, seed=1)
    found: list[int] = []

    def rank_one() -> None:
        merged = package._merge_tables(tables, engine)
        merged.labels = range(total)  # places for labels: the same work, and equal texts stay apart
        found[:] = merged.rank(queries[:1], K)

    return {"seconds": timed(rank_one, repeats), "found": found, "peak_mb": peak_mb()}


def ours(folder: Path, dimensions: int, repeats: int) -> dict[str, Any]:
    from interrogator.label_table import LabelTable  # noqa: PLC0415
    from interrogator.vocabulary import Label  # noqa: PLC0415

    labels = [Label(text, "flavor", style=False) for text in json.loads((folder / "labels.json").read_text())]
    table = LabelTable(labels, embeddings(len(labels), dimensions, seed=0).half())  # as the CLIP engine keeps it
    queries = embeddings(BATCH, dimensions, seed=1)
    blocks = (table.matrix[start : start + 4096].double() for start in range(0, len(labels), 4096))
    cosines = torch.cat([block @ queries[0].double() for block in blocks]).float()
    exact = cosines.sort(descending=True, stable=True).indices[:K].tolist()
    one = timed(lambda: table.rank(queries[:1], K), repeats)
    peak_of_one = peak_mb()
    many = timed(lambda: table.rank(queries, K), max(2, repeats // 3)) / BATCH
    return {
        "seconds": one,
        "seconds_in_batch": many,
        "found": table.rank(queries[:1], K)[1][0].tolist(),
        "exact": exact,
        "labels": len(labels),
        "peak_mb": peak_of_one,
        "peak_mb_batch": peak_mb(),
    }


def compare(theirs: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    exact = set(own["exact"])
    return {
        "ratio": theirs["seconds"] / own["seconds"],
        "ratio_in_batch": theirs["seconds"] / own["seconds_in_batch"],
        "original_s": theirs["seconds"],
        "ours_s": own["seconds"],
        "ours_in_batch_s": own["seconds_in_batch"],
        "identical": own["found"] == own["exact"],
        "recall_original": len(exact & set(theirs["found"])) / K,
        "recall_ours": len(exact & set(own["found"])) / K,
        "labels": own["labels"],
        "peak_mb_original": theirs["peak_mb"],
        "peak_mb_ours": own["peak_mb"],
        "peak_mb_ours_in_batch": own["peak_mb_batch"],
    }


def show(figures: dict[str, Any]) -> None:
    def line(name: str, seconds: str, memory: str, target: str = "") -> None:
        print(f"{name:20} {figures[seconds] * 1e3:7.1f} ms an image, peak memory {figures[memory]:5.0f} MB{target}")

    print(f"the first {K} of {figures['labels']} labels, random embeddings, medians")
    line("original", "original_s", "peak_mb_original")
    line("ours", "ours_s", "peak_mb_ours", "  (target 25 ms)")
    line(f"ours, {BATCH} at once", "ours_in_batch_s", "peak_mb_ours_in_batch", "  (target 3 ms)")
    print(f"ratio {figures['ratio']:.1f}, in batches {figures['ratio_in_batch']:.1f}  (target 10)")
    print(f"of the true first {K}: original {figures['recall_original']:.1%}, ours {figures['recall_ours']:.1%}")
    print(f"ours is in the order of a stable sort: {figures['identical']}")


if __name__ == "__main__":
    main()
