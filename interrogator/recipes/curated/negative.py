"""Negative prompts: what a generator should keep out to come near the image.

A chain downwards: of each list the phrase that lowers the similarity most is appended while one lowers it. First the
opposites of the cues (what this picture is certainly not), then flaws of what the picture shows, then flaws of any
picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from interrogator.engines import Report
from interrogator.recipes.curated.ranking import Ranked, Study
from interrogator.search import NOTHING, Found, Problem, exact, solve
from interrogator.vocabulary import Label
from interrogator.wording import repeat_each_other, repeats

_COUNT = 20
_OF_THE_KIND = 5
"""How many flaws of what the picture shows: those of any picture must have room too."""


def negative_phrases(study: Study, *, style_only: bool, report: Report) -> tuple[list[Ranked], float]:
    """The phrases in order and the similarity of the whole. With `style_only`, flaws of what the picture
    shows (bodies, wheels) are left out."""
    vocabulary = study.kit.vocabulary
    opposites = [
        Label(text, "opposite", style=True)
        for cue in study.scene.cues
        for text in vocabulary.opposites.get(cue.text, ())
    ]
    flaws = [] if style_only else [label for label, kinds in vocabulary.flaws.items() if study.kind in kinds]
    chosen: list[Label] = []
    end = NOTHING
    for labels, most in ((opposites, _COUNT), (flaws, _OF_THE_KIND), (vocabulary.negatives, _COUNT)):
        pool = _usable(study, labels, chosen)
        end = _downwards(study, end, pool, min(most, _COUNT - len(chosen)), report)
        chosen += [pool[place] for place in end.chosen]
    if not chosen:
        return [], 0.0
    similarities = study.score("", [label.text for label in chosen])
    return [Ranked(label, own) for label, own in zip(chosen, similarities, strict=True)], end.similarity


def _usable(study: Study, labels: Sequence[Label], chosen: Sequence[Label]) -> list[Label]:
    """Those that neither the picture nor the prompt says already, and that are not blocked."""
    said = [study.scene.caption, *(cue.text for cue in study.scene.cues), *(label.text for label in chosen)]
    return [
        label for label in dict.fromkeys(labels) if not (repeats(label.text, *said) or study.leaves_out(label.text))
    ]


def _downwards(study: Study, start: Found, pool: Sequence[Label], most: int, report: Report) -> Found:
    def admits(chosen: Sequence[int], candidate: int) -> bool:
        return not any(repeat_each_other(pool[place].text, pool[candidate].text) for place in chosen)

    problem = Problem(
        caption=start.prompt,
        pool=tuple(label.text for label in pool),
        fits=study.kit.fit,
        admits=admits,
        max_count=most if start.prompt else most - 1,
    )
    return solve(exact(problem, start=replace(start, chosen=()), reverse=True), study.score, report)
