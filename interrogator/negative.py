"""Negative prompts: what a generator should keep out to come near the image.

Opposites of the cues first (they are what this picture is certainly not), then the flaws of pictures, then the labels
least like the image; chained downwards, so that each phrase lowers the similarity of the prompt with the image.
"""

from __future__ import annotations

from collections.abc import Sequence

from interrogator.engines import Report
from interrogator.ranking import Kit, Ranked, Scene, score_against
from interrogator.search import joined
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label

_COUNT = 20


def negative_phrases(kit: Kit, scene: Scene, *, style_only: bool, report: Report) -> tuple[list[Ranked], float]:
    """The phrases in order and the similarity of the whole. With `style_only`, flaws of what a picture shows (bodies,
    cropping) and labels of the subject are left out."""
    pool = _pool(kit, scene, style_only=style_only)
    score = score_against(kit, scene.image)
    alone = score("", [label.text for label in pool])
    chosen: list[Ranked] = []
    prompt, similarity = "", 2.0
    for done, (label, own) in enumerate(zip(pool, alone, strict=True)):
        report(Progress(Stage.SEARCH, done, len(pool)))
        longer = joined(prompt, label.text)
        if len(chosen) == _COUNT:
            break
        if not kit.fits(longer):
            continue
        lower = score(prompt, [label.text])[0]
        if lower < similarity:
            chosen.append(Ranked(label, own))
            prompt, similarity = longer, lower
    return chosen, similarity


def _pool(kit: Kit, scene: Scene, *, style_only: bool) -> Sequence[Label]:
    opposites = [
        Label(text, "opposite", style=True) for cue in scene.cues for text in kit.vocabulary.opposites.get(cue.text, ())
    ]
    flaws = [label for label in kit.vocabulary.negatives if label.style or not style_only]
    return list(dict.fromkeys([*opposites, *flaws]))
