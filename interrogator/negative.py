"""Negative prompts: what a generator should keep out to come near the image.

Opposites of the cues first (what this picture is certainly not), then the flaws of pictures and those of the image's
kind, in the order of our lists; chained downwards: only what lowers the similarity of prompt and image is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from interrogator.engines import Report
from interrogator.ranking import Kit, Ranked, Scene, certain_kind, score_against
from interrogator.search import joined
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label
from interrogator.wording import repeats

_COUNT = 20


def negative_phrases(kit: Kit, scene: Scene, *, style_only: bool, report: Report) -> tuple[list[Ranked], float]:
    """The phrases in order and the similarity of the whole. With `style_only`, flaws of what the picture
    shows (bodies, wheels) are left out."""
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


def _pool(kit: Kit, scene: Scene, *, style_only: bool) -> list[Label]:
    vocabulary = kit.vocabulary
    opposites = [
        Label(text, "opposite", style=True) for cue in scene.cues for text in vocabulary.opposites.get(cue.text, ())
    ]
    kind = None if style_only else certain_kind(kit, scene)
    flaws = [label for label, kinds in vocabulary.flaws.items() if kind in kinds]
    said = [scene.caption, *(cue.text for cue in scene.cues)]
    pool = dict.fromkeys([*opposites, *_alternately(flaws, vocabulary.negatives)])
    return [label for label in pool if not repeats(label.text, *said)]


def _alternately(flaws: Sequence[Label], negatives: Sequence[Label]) -> list[Label]:
    """Two general flaws, then one of the kind, and so on: a negative prompt is short, both should be in it."""
    pairs = zip_longest(negatives[::2], negatives[1::2], flaws[: (len(negatives) + 1) // 2])
    return [label for trio in pairs for label in trio if label is not None]
