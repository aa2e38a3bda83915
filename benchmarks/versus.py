"""One step, and the embedding of labels: the original and ours on one model object."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.clip_models import CAPTIONS, HIDDEN_NOTE, Opened, encode, hidden_targets, open_model, open_tower
from benchmarks.measure import Measured, measure, middle
from benchmarks.original_side import (
    ONE_OF_EACH,
    look_at,
    open_original,
    package,
    quietly,
    read_lists,
    recorded,
)

OUR_REPEATS = 3
PREFIX_PHRASES = 3
"""Phrases that the prompt of `step` has before the one to be found."""
TOLERANCE = {"cpu": 2e-6, "cuda": 5e-3}
"""Largest difference of two equal similarities: fp32 on a CPU, fp16 on an accelerator."""
HALF_STEP = 2.0**-11
"""Spacing of fp16 numbers below 1: the original keeps its embeddings so."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every command has. `model` as `clip_models.open_model` takes it."""

    model: str
    device: str = "cpu"
    seed: int = 0

    @property
    def tolerance(self) -> float:
        return TOLERANCE["cpu" if self.device == "cpu" else "cuda"]


def step(settings: Settings, candidates: int, repeats: int = 1) -> dict[str, Any]:
    """The similarities of a prompt with each of `candidates` flavors appended; ours begins each time with a tower that
    knows nothing (no tokens, no prefix), and once more with what it then knows."""
    opened = open_model(settings.model, settings.device, settings.seed)
    print(f"step: {opened.note}; {HIDDEN_NOTE}")
    phrases, prompt = _phrases(candidates, settings.seed)
    embedding = hidden_targets(opened, phrases, 1, settings.seed)[0].embedding
    texts = [f"{prompt}, {phrase}" for phrase in phrases]

    def ours() -> Any:
        tower = open_tower(opened)
        return measure(lambda: tower.continuations(prompt, phrases) @ embedding, settings.device), tower

    ours()  # both sides: the first touch of the weights is not what is measured
    encode(opened, texts[:8])
    our_runs, towers = zip(*(ours() for _ in range(max(OUR_REPEATS, repeats))), strict=True)
    again = measure(lambda: towers[-1].continuations(prompt, phrases) @ embedding, settings.device)
    our = middle(our_runs)
    original, similarities, choice = _original_step(settings, opened, embedding, texts, repeats)
    difference = float((similarities - our.value).abs().max())
    same = texts.index(choice) == int(our.value.argmax())
    outcome = {
        "model": settings.model,
        "candidates": candidates,
        **_figures(original, our),
        "ours_again_s": again.seconds,
        "same_choice": same,
        "largest_difference": difference,
        "identical": same and difference <= settings.tolerance,
    }
    print(f"  {candidates} candidates after “{prompt}”")
    _print_sides(outcome, repeats, len(our_runs))
    print(f"  ours with tokens and prefix known: {again.seconds:.3f} s")
    print(f"  same choice: {_yes(same)}; largest difference of the similarities {difference:.1e}", flush=True)
    return outcome


def table(settings: Settings, labels: int) -> dict[str, Any]:
    """Embedding `labels` flavors: the original's LabelTable constructor, in its own chunks, and our text tower."""
    opened = open_model(settings.model, settings.device, settings.seed)
    print(f"table: {opened.note}")
    texts = _phrases(labels, settings.seed)[0]
    tower = open_tower(opened)
    tower.embed(texts[:8])
    ours = middle([measure(lambda: open_tower(opened).embed(texts), settings.device) for _ in range(OUR_REPEATS)])
    with tempfile.TemporaryDirectory() as folder, quietly():
        interrogator = open_original(opened, ONE_OF_EACH, lambda some: encode(opened, some), Path(folder), 1)
        original = measure(lambda: package().LabelTable(texts, None, interrogator), settings.device)
    theirs = torch.stack([torch.from_numpy(row) for row in original.value.embeds]).float()
    difference = float((theirs - ours.value.half().float()).abs().max())
    outcome = {
        "model": settings.model,
        "labels": labels,
        **_figures(original, ours),
        "original_ms_a_label": 1000 * original.seconds / labels,
        "ours_ms_a_label": 1000 * ours.seconds / labels,
        "largest_difference": difference,
        "identical": difference <= max(HALF_STEP, settings.tolerance),
    }
    print(f"  {labels} labels")
    _print_sides(outcome, 1, OUR_REPEATS)
    print(f"  a label: {outcome['original_ms_a_label']:.1f} ms against {outcome['ours_ms_a_label']:.2f} ms")
    print(f"  largest difference of the embeddings, both as fp16: {difference:.1e}", flush=True)
    return outcome


def _original_step(
    settings: Settings, opened: Opened, embedding: torch.Tensor, texts: list[str], repeats: int
) -> tuple[Measured[str], torch.Tensor, str]:
    """Its `rank_top`; the similarities that it had on the way, (n,) float32; and the text it chose."""
    with tempfile.TemporaryDirectory() as folder, quietly():
        interrogator = open_original(opened, ONE_OF_EACH, lambda some: encode(opened, some), Path(folder), 1)
        features = look_at(interrogator, embedding)
        with recorded(opened.model) as outputs:
            runs = [measure(lambda: interrogator.rank_top(features, texts), settings.device) for _ in range(repeats)]
    original = middle(runs)
    return original, outputs[0].float().cpu() @ embedding, original.value


def _phrases(count: int, seed: int) -> tuple[list[str], str]:
    """`count` flavors of the package, and a prompt of a caption and some others."""
    flavors = read_lists().flavors
    places = torch.randperm(len(flavors), generator=torch.Generator().manual_seed(seed)).tolist()
    chosen = [flavors[place] for place in places[: count + PREFIX_PHRASES]]
    return chosen[PREFIX_PHRASES:], ", ".join([CAPTIONS[0], *chosen[:PREFIX_PHRASES]])


def _figures(original: Measured[Any], ours: Measured[Any]) -> dict[str, float]:
    return {
        "original_s": original.seconds,
        "ours_s": ours.seconds,
        "ratio": original.seconds / ours.seconds,
        "original_cpu_s": original.cpu_seconds,
        "ours_cpu_s": ours.cpu_seconds,
        "cpu_ratio": original.cpu_seconds / ours.cpu_seconds,
        "peak_mb_original": original.peak_mb,
        "peak_mb_ours": ours.peak_mb,
    }


def _print_sides(outcome: dict[str, Any], original_runs: int, our_runs: int) -> None:
    for side, runs in (("original", original_runs), ("ours", our_runs)):
        seconds, cpu, peak = (outcome[key] for key in (f"{side}_s", f"{side}_cpu_s", f"peak_mb_{side}"))
        print(
            f"  {side:8}  {seconds:9.3f} s  {cpu:9.3f} s of processors  extra peak memory {peak:6.0f} MB  "
            f"(median of {runs})"
        )
    print(f"  ratio     {outcome['ratio']:9.1f} x  {outcome['cpu_ratio']:9.1f} x")


def _yes(fact: bool) -> str:
    return "yes" if fact else "NO"
