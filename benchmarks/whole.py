"""A whole interrogation by the original and by ours, image by image, each row known as soon as it is finished."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from PIL import Image

from benchmarks.clip_models import HIDDEN_NOTE, Opened, Target, hidden_targets, open_model, open_tower, token_limit
from benchmarks.measure import Measured, bootstrap, measure
from benchmarks.original_side import look_at, open_original, quietly, ranked_tables, read_lists
from benchmarks.our_side import OurSide
from benchmarks.versus import Settings

MIN_FLAVORS, MAX_FLAVORS = 8, 32
ROUNDING = 1e-5
"""Two similarities closer than this are the same one (fp32)."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is run: `images` targets from number `first` on; `labels` None are all that the package has."""

    pool: int
    images: int
    first: int = 1
    labels: int | None = None
    methods: tuple[str, ...] = ("exact", "turbo", "best")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One image by the original and by one of our methods. Both similarities are by the original's own function.
    `why` says what differs where `exact` is not identical."""

    case: str
    model: str
    pool: int
    method: str
    original_s: float
    ours_s: float
    ratio: float
    original_cpu_s: float
    ours_cpu_s: float
    similarity_original: float
    similarity_ours: float
    identical: bool
    peak_mb_original: float
    peak_mb_ours: float
    prompt_original: str
    prompt_ours: str
    why: str = ""


def best(
    settings: Settings, extent: Extent, log: Path | None = None, image: tuple[Path, str] | None = None
) -> dict[str, Any]:
    """All rows, and their summary with `exact` (or the first method asked) at the top."""
    opened = open_model(settings.model, settings.device, settings.seed)
    print(f"best: {opened.note}" if image else f"best: {opened.note}; {HIDDEN_NOTE}")
    lists = read_lists(extent.labels, settings.seed)
    print(
        f"  {lists.count()} labels, pool {extent.pool}; the original's chunk_size is raised to the number of labels, "
        "so that its ranking is exact, too\n  embedding the labels for both sides ...",
        flush=True,
    )
    tower = open_tower(opened)
    with tempfile.TemporaryDirectory() as folder, quietly():
        embedded = measure(
            lambda: open_original(opened, lists, tower.embed, Path(folder), extent.pool), settings.device
        )
        print(f"  done in {embedded.seconds:.0f} s (not counted)", flush=True)
        interrogator = embedded.value
        tables = ranked_tables(interrogator)
        targets = (
            _look(interrogator, *image)
            if image
            else hidden_targets(opened, lists.flavors, extent.first + extent.images - 1, settings.seed)[
                extent.first - 1 :
            ]
        )
        rows = []
        for target in targets:
            for row in _image(interrogator, opened, tables, target, extent, settings.device):
                rows.append(row)
                if log is not None:
                    with log.open("a", encoding="utf-8") as lines:
                        lines.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
    return summary(rows)


def summary(rows: Sequence[Run]) -> dict[str, Any]:
    """The figures of each method over all images (medians of seconds, highest peaks), printed; the first method's are
    those of the run."""
    methods = {}
    for method in dict.fromkeys(row.method for row in rows):
        some = [row for row in rows if row.method == method]
        gains = [row.similarity_ours - row.similarity_original for row in some]
        gain = bootstrap(gains)
        original_s, ours_s = median(row.original_s for row in some), median(row.ours_s for row in some)
        cpu_ratio = median(row.original_cpu_s for row in some) / median(row.ours_cpu_s for row in some)
        methods[method] = {
            "images": len(some),
            "ratio": original_s / ours_s,
            "original_s": original_s,
            "ours_s": ours_s,
            "cpu_ratio": cpu_ratio,
            "identical": all(row.identical for row in some),
            "peak_mb_original": max(row.peak_mb_original for row in some),
            "peak_mb_ours": max(row.peak_mb_ours for row in some),
            "similarity_original": mean(row.similarity_original for row in some),
            "similarity_ours": mean(row.similarity_ours for row in some),
            "gain": [gain.mean, gain.low, gain.high],
            "above": sum(each > ROUNDING for each in gains),
            "not_below": sum(each >= -ROUNDING for each in gains),
        }
        _print_method(method, methods[method], sum(row.identical for row in some))
    return {**next(iter(methods.values())), "methods": methods, "runs": [asdict(row) for row in rows]}


def _print_method(name: str, figures: dict[str, Any], same: int) -> None:
    gain, low, high = figures["gain"]
    theirs, ours = (
        f"{figures[f'{side}_s']:.2f} s +{figures[f'peak_mb_{side}']:.0f} MB" for side in ("original", "ours")
    )
    print(
        f"  {name:6} over {figures['images']} images: {theirs} against {ours} = {figures['ratio']:.1f}x (medians; of "
        f"processor time {figures['cpu_ratio']:.1f}x)\n         similarity {gain:+.4f} [{low:+.4f}, {high:+.4f}]; "
        f"above on {figures['above']}; the same text on {same}",
        flush=True,
    )


def _image(
    interrogator: Any,
    opened: Opened,
    tables: dict[str, tuple[list[str], torch.Tensor]],
    target: Target,
    extent: Extent,
    device: str,
) -> Iterator[Run]:
    """The original on one target, then each method, with a tower and a recipe that know nothing yet."""
    features = look_at(interrogator, target.embedding)
    original: Measured[str] = measure(
        lambda: interrogator.interrogate(
            None, min_flavors=MIN_FLAVORS, max_flavors=MAX_FLAVORS, caption=target.caption
        ),
        device,
    )
    similarity = interrogator.similarity(features, original.value)
    print(
        f"  {target.name}: original {original.seconds:.1f} s ({original.cpu_seconds:.1f} s of processors), "
        f"similarity {similarity:.4f}",
        flush=True,
    )
    for method in extent.methods:
        tower = open_tower(opened)
        side = OurSide(opened, tower, tables, extent.pool)
        ours = measure(lambda: side.run(method, target.embedding, target.caption), device)  # noqa: B023 - called at once
        identical = ours.value == original.value
        row = Run(
            case=target.name,
            model=opened.name,
            pool=extent.pool,
            method=method,
            original_s=original.seconds,
            ours_s=ours.seconds,
            ratio=original.seconds / ours.seconds,
            original_cpu_s=original.cpu_seconds,
            ours_cpu_s=ours.cpu_seconds,
            similarity_original=similarity,
            similarity_ours=interrogator.similarity(features, ours.value),
            identical=identical,
            peak_mb_original=original.peak_mb,
            peak_mb_ours=ours.peak_mb,
            prompt_original=original.value,
            prompt_ours=ours.value,
            why=""
            if identical or method != "exact"
            else difference(original.value, ours.value, tower.count_tokens(original.value) - token_limit(opened)),
        )
        same = "the same text" if identical else row.why or f"{row.similarity_ours - similarity:+.4f}"
        print(
            f"    {method:6} {ours.seconds:8.2f} s  {row.ratio:6.1f}x  ({ours.cpu_seconds:.2f} s, "
            f"{original.cpu_seconds / ours.cpu_seconds:.1f}x)  similarity {row.similarity_ours:.4f}  {same}",
            flush=True,
        )
        yield row


def difference(original: str, ours: str, over: int) -> str:
    """What sets two prompts of the exact search apart; `over`: tokens of the original's beyond the limit."""
    if over > 0:
        return f"the original's prompt is {over} tokens too long: what follows them it never saw"
    pairs = zip(original.split(", "), ours.split(", "), strict=False)
    for number, (theirs, own) in enumerate(pairs, 1):
        if theirs != own:
            return f"differs from part {number} on: “{theirs}” against “{own}”"
    longer = "the original" if len(original) > len(ours) else "ours"
    return f"{longer} goes on where the other ends"


def _look(interrogator: Any, file: Path, caption: str) -> list[Target]:
    """A real image as a target, embedded by the original's own code."""
    with Image.open(file) as image:
        features = interrogator.image_to_features(image.convert("RGB"))
    return [Target(file.name, caption, torch.nn.functional.normalize(features[0].float().cpu(), dim=-1))]
