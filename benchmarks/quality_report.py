"""Tables, the choice of parameters, and the drawing of `benchmarks.quality`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.measure import Interval, bootstrap
from benchmarks.quality_methods import EXACT, ORIGINAL, Trial

MEASURES = ("similarity", "judged", "precision", "recall")
CLOSE = 0.05
"""The parameters of `best` are the cheapest that lose at most this share of what the best ones gain over `exact`."""


def report(trials: Sequence[Trial]) -> dict[str, Any]:
    """A row a method, printed and returned: means, and the paired differences to the original (to the first method
    where it did not run)."""
    by_method = _by_method(trials)
    base = ORIGINAL if ORIGINAL in by_method else next(iter(by_method))
    print(
        f"  {'method':16} {'seconds':>8} {'texts':>7} {'tokens':>8}  " + "  ".join(f"{name:>26}" for name in MEASURES)
    )
    rows: list[dict[str, Any]] = []
    for name, some in by_method.items():
        row: dict[str, Any] = {
            "method": name,
            "images": len(some),
            "seconds": median(trial.seconds for trial in some),
            "texts": mean(trial.texts for trial in some),
            "tokens": mean(trial.tokens for trial in some),
            "phrases": mean(trial.phrases for trial in some),
        }
        cells = []
        for measure in MEASURES:
            gain = paired(some, by_method[base], measure)
            row[measure] = mean(getattr(trial, measure) for trial in some)
            row[f"{measure}_gain"] = [gain.mean, gain.low, gain.high]
            cells.append(f"{row[measure]:.4f} [{gain.low:+.4f},{gain.high:+.4f}]")
        row["above"] = sum(
            one.similarity > other.similarity + 1e-5 for one, other in zip(some, by_method[base], strict=True)
        )
        rows.append(row)
        print(
            f"  {name:16} {row['seconds']:8.3f} {row['texts']:7.0f} {row['tokens']:8.0f}  "
            + "  ".join(f"{cell:>26}" for cell in cells)
        )
    print(f"  in brackets: the 95% interval of the mean difference to `{base}`, paired by image")
    ours = next((row for row in rows if row["method"] == EXACT), rows[0])
    first = rows[0]
    return {
        "base": base,
        "methods": rows,
        "ratio": first["seconds"] / ours["seconds"],
        "original_s": first["seconds"] if base == ORIGINAL else None,
        "ours_s": ours["seconds"],
        "identical": _same_prompts(by_method, ORIGINAL, EXACT),
    }


def paired(some: Sequence[Trial], others: Sequence[Trial], measure: str) -> Interval:
    """The mean difference of a measure, image by image."""
    return bootstrap([getattr(one, measure) - getattr(other, measure) for one, other in zip(some, others, strict=True)])


def choose(trials: Sequence[Trial]) -> dict[str, str]:
    """The parameters of turbo and best, by the tokens that they compute: what a search costs on any machine.

    turbo: the cheapest that is not shown to lie below `exact` in similarity, or the highest where all are. best: the
    cheapest within `CLOSE` of the highest gain over `exact`.
    """
    by_method = _by_method(trials)
    cost = {name: mean(trial.tokens for trial in some) for name, some in by_method.items()}
    gain = {name: paired(some, by_method[EXACT], "similarity") for name, some in by_method.items()}
    turbo, best = ([name for name in by_method if name.startswith(mode)] for mode in ("turbo", "best"))
    level = [name for name in turbo if gain[name].high >= 0]
    top = max(gain[name].mean for name in best)
    near = [name for name in best if gain[name].mean >= top - CLOSE * abs(top)]
    chosen = {
        "turbo": min(level, key=cost.__getitem__) if level else max(turbo, key=lambda name: gain[name].mean),
        "best": min(near, key=cost.__getitem__),
    }
    for mode, name in chosen.items():
        interval = gain[name]
        print(
            f"  {mode}: {name} ({cost[name]:.0f} tokens; {interval.mean:+.4f} [{interval.low:+.4f}, "
            f"{interval.high:+.4f}] over exact)"
        )
    return chosen


def plot(outcome: dict[str, Any], note: str, file: Path) -> None:
    """Mean similarity against seconds, by the model that was searched with and by the judge."""
    import matplotlib as mpl  # noqa: PLC0415 - only where something is drawn

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    for axis, measure in zip(axes, ("similarity", "judged"), strict=True):
        for row in outcome["methods"]:
            _, low, high = row[f"{measure}_gain"]
            middle = row[measure] - row[f"{measure}_gain"][0]
            axis.errorbar(
                row["seconds"],
                row[measure],
                yerr=[[row[measure] - (middle + low)], [middle + high - row[measure]]],
                fmt="o",
                color=_colour(row["method"]),
                capsize=3,
            )
            axis.annotate(row["method"], (row["seconds"], row[measure]), (5, 4), textcoords="offset points", size=8)
        axis.set_xscale("log")
        axis.set_xlabel("seconds an image (median)")
        axis.set_ylabel("mean cosine, " + ("model searched with" if measure == "similarity" else "another model"))
    figure.suptitle(note, fontsize=9, wrap=True)
    figure.savefig(file, dpi=120)
    plt.close(figure)
    print(f"  drawn: {file}")


def _colour(method: str) -> str:
    colours = {
        ORIGINAL: "black",
        EXACT: "tab:gray",
        "lazy": "tab:blue",
        "turbo": "tab:blue",
        "local": "tab:red",
        "best": "tab:red",
        "beam": "tab:green",
    }
    return colours[method.partition(" ")[0]]


def _by_method(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    by_method: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_method[trial.method].append(trial)
    return dict(by_method)


def _same_prompts(by_method: dict[str, list[Trial]], one: str, other: str) -> int | None:
    """How many prompts two methods have in common; None where one of them did not run."""
    if one not in by_method or other not in by_method:
        return None
    return sum(mine.prompt == theirs.prompt for mine, theirs in zip(by_method[one], by_method[other], strict=True))
