"""The tables of `benchmarks.lite_quality`: results counted by source and kind, against the targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.lite_scoring import Label, Outcome, Score, wilson

NO_SUBJECT = "none"
RIGHT_TARGET, WRONG_TARGET = 0.65, 0.15
ENOUGH_IMAGES, ENOUGH_SOURCES = 60, 4


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the labels file."""

    source: str
    path: str
    sha256: str
    kind: str
    label: Label


@dataclass(frozen=True, slots=True)
class Answer:
    """What one system said of one image."""

    caption: str
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One image with the engine's answer and the baseline's, scored."""

    row: Row
    answer: Answer
    score: Score
    baseline_answer: Answer
    baseline: Score


def summary(scores: Sequence[Score]) -> dict[str, float | int | list[float]]:
    """Counts, shares and 95% intervals of one system."""
    counts, total = Counter(scored.outcome for scored in scores), len(scores)
    false_words = [len(scored.false_words) for scored in scores]
    return {
        "images": total,
        "right": counts[Outcome.RIGHT],
        "wrong": counts[Outcome.WRONG],
        "none": counts[Outcome.NONE],
        "right_share": counts[Outcome.RIGHT] / max(total, 1),
        "wrong_share": counts[Outcome.WRONG] / max(total, 1),
        "right_interval": list(wilson(counts[Outcome.RIGHT], total)),
        "wrong_interval": list(wilson(counts[Outcome.WRONG], total)),
        "right_in_caption": sum(scored.in_caption for scored in scores),
        "false_words": sum(false_words),
        "images_with_false_words": sum(count > 0 for count in false_words),
    }


def groups(results: Sequence[Result], key: Callable[[Result], str]) -> dict[str, list[Result]]:
    """Results by source or kind, in alphabetical order."""
    found: dict[str, list[Result]] = {}
    for result in sorted(results, key=key):
        found.setdefault(key(result), []).append(result)
    return found


def report(results: Sequence[Result], labelled: int) -> dict[str, object]:
    """The object that `--json` prints."""
    photographs = [result for result in results if result.row.kind != NO_SUBJECT]
    empty = [result for result in results if result.row.kind == NO_SUBJECT]
    overall = summary([result.score for result in photographs])
    by_source = groups(photographs, lambda result: result.row.source)
    enough = len(photographs) >= ENOUGH_IMAGES and len(by_source) >= ENOUGH_SOURCES
    shares = [result.score.outcome for result in photographs]
    met = shares.count(Outcome.RIGHT) >= RIGHT_TARGET * len(shares) and (
        shares.count(Outcome.WRONG) <= WRONG_TARGET * len(shares)
    )
    return {
        **overall,
        "labelled": labelled,
        "enough": enough,
        "passed": met if enough else None,
        "targets": {"right_share": RIGHT_TARGET, "wrong_share": WRONG_TARGET},
        "sources": {name: summary([result.score for result in part]) for name, part in by_source.items()},
        "kinds": {
            name: summary([result.score for result in part])
            for name, part in groups(photographs, lambda result: result.row.kind).items()
        },
        "baseline": summary([result.baseline for result in photographs]),
        "no_subject": {
            "images": len(empty),
            "named": sum(result.score.outcome is Outcome.WRONG for result in empty),
            "baseline_named": sum(result.baseline.outcome is Outcome.WRONG for result in empty),
        },
    }


def print_results(results: Sequence[Result], labelled: int) -> None:
    """Tables for a person."""
    photographs = [result for result in results if result.row.kind != NO_SUBJECT]
    for title, key in (("source", lambda result: result.row.source), ("kind", lambda result: result.row.kind)):
        print(f"\n{title:<12} images   right   wrong    none   false words in phrases")
        for name, part in groups(photographs, key).items():
            print(_line(name, [result.score for result in part]))
    print()
    print(_line("lite", [result.score for result in photographs]))
    print(_line("top-1 class", [result.baseline for result in photographs]))
    engine = summary([result.score for result in photographs])
    print(f"\nright by the caption alone: {engine['right_in_caption']} of {len(photographs)}")
    empty = [result for result in results if result.row.kind == NO_SUBJECT]
    if empty:
        lite = sum(result.score.outcome is Outcome.WRONG for result in empty)
        plain = sum(result.baseline.outcome is Outcome.WRONG for result in empty)
        print(f"images without a subject where one is named: lite {lite}, top-1 {plain}, of {len(empty)}")
    print(f"images found: {len(results)} of {labelled} labelled")
    for word, target, sign in (("right", RIGHT_TARGET, ">="), ("wrong", WRONG_TARGET, "<=")):
        share = float(str(engine[f"{word}_share"]))
        low, high = wilson(int(str(engine[word])), len(photographs))
        met = share >= target if word == "right" else share <= target
        verdict = "PASS" if met else "FAIL"
        print(f"{word}: {share:.1%} (95% interval {low:.1%} to {high:.1%}), target {sign} {target:.0%}: {verdict}")


def _line(name: str, scores: Sequence[Score]) -> str:
    counts, total = Counter(scored.outcome for scored in scores), len(scores)
    shares = "  ".join(f"{counts[outcome] / max(total, 1):6.1%}" for outcome in Outcome)
    false_words = sum(len(scored.false_words) for scored in scores)
    return f"{name:<12} {total:>6}  {shares}   {false_words:>4}"


def print_answers(results: Sequence[Result]) -> None:
    """Every image's answer and the verdict on it."""
    for result in results:
        named = ", ".join(result.score.named) or "-"
        print(f"{result.score.outcome:<6} {result.row.source}:{result.row.path.rpartition('/')[2]}")
        print(f"       caption {result.answer.caption!r} names: {named}")
        print(f"       phrases {', '.join(result.answer.phrases)}; false: {', '.join(result.score.false_words) or '-'}")
        print(f"       {result.baseline.outcome}: {result.baseline_answer.caption}")
