"""What is known of an image, the phrases that suit it best first, and which of them may stand together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from interrogator.engines import Engine
from interrogator.label_table import LabelTable
from interrogator.profiles import Profile
from interrogator.search import Score
from interrogator.vocabulary import Label, Vocabulary
from interrogator.wording import repeat_each_other, repeats, stems

_EXAMPLES = 2
"""How many of a kind's nearest examples speak for it."""

_SAME_WORD = 2
"""How often a prompt may say a word, the caption included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """All that prompts are made with; `table` holds `vocabulary.labels` in the engine's space, `kinds` the examples
    of what an image can be of."""

    engine: Engine
    vocabulary: Vocabulary
    table: LabelTable
    kinds: LabelTable
    profile: Profile

    def fits(self, prompt: str) -> bool:
        """Whether the prompt is short enough for the engine."""
        return self.engine.text.count_tokens(prompt) <= self.engine.token_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the engine says of one image. `image` and `subject` are (d,) float32 and L2-normalised; `subject` is the
    embedding of the caption, None where that is empty. `cues` are certain, so each may be used as it is."""

    caption: str
    cues: tuple[Label, ...]
    image: torch.Tensor
    subject: torch.Tensor | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A label with its cosine to the image, and whether it is certain (a cue) rather than likely."""

    label: Label
    similarity: float
    certain: bool = False


def rank(kit: Kit, scene: Scene, *, style_only: bool) -> list[Ranked]:
    """The labels that may be used, best first; equal ones in the order of the vocabulary.

    With `style_only` only style labels, by the direction that the image has beside its subject's. Left out: what
    repeats the caption, and what contradicts the caption or a cue.
    """
    direction = _beside(scene.image, scene.subject) if style_only else scene.image
    similarity = dict(zip(kit.table.labels, kit.table.similarities(scene.image).tolist(), strict=True))
    said = [scene.caption, *(cue.text for cue in scene.cues)]
    return [
        Ranked(label, similarity[label])
        for label, _ in kit.table.top_k(direction, len(kit.table.labels))
        if (label.style or not style_only)
        and not repeats(label.text, scene.caption)
        and not any(kit.vocabulary.contradict(label.text, text) for text in said)
    ]


def kinds_of(kit: Kit, scene: Scene) -> list[tuple[str, float]]:
    """The kinds that the image may be of with their similarity, best first: the mean of the two nearest examples.

    The caption, where there is one, counts as much as the image: it is what the engine is sure of.
    """
    direction = scene.image if scene.subject is None else scene.image + scene.subject
    direction = direction / direction.norm()
    examples: dict[str, list[float]] = {}
    for label, similarity in kit.kinds.top_k(direction, len(kit.kinds.labels)):
        examples.setdefault(label.group, []).append(similarity)
    means = {kind: sum(nearest[:_EXAMPLES]) / _EXAMPLES for kind, nearest in examples.items()}
    return sorted(means.items(), key=lambda item: -item[1])


def certain_kind(kit: Kit, scene: Scene) -> str | None:
    """The kind of the image, or None where it is in doubt."""
    profile = kit.profile
    (kind, similarity), (_, second), *_ = kinds_of(kit, scene)
    if not scene.caption:
        return kind if similarity >= profile.kind_unnamed else None
    ahead = similarity >= profile.kind_floor and similarity - second >= profile.kind_margin
    return kind if ahead or similarity >= profile.kind_sure else None


def of_kind(kit: Kit, ranked: Sequence[Ranked], kind: str) -> list[Ranked]:
    """Those of `ranked` that are for this kind.

    Similarity alone is no ground for a phrase: in a space of sentence embeddings it follows words (a bolete mushroom
    is near a volcano), so what our lists know of the kind decides, and similarity only orders.
    """
    return [one for one in ranked if kind in kit.vocabulary.suits[one.label]]


def together(kit: Kit, one: Label, other: Label) -> bool:
    """Whether the two phrases may stand in one prompt: they neither contradict nor repeat each other."""
    return not (kit.vocabulary.contradict(one.text, other.text) or repeat_each_other(one.text, other.text))


def has_room(kit: Kit, caption: str, chosen: Iterable[Ranked], candidate: Ranked) -> bool:
    """Whether the phrase's group may have one more, and none of its words would be said too often.

    Cues are certain: all of them may be in."""
    if candidate.certain:
        return True
    chosen = list(chosen)
    if sum(one.label.group == candidate.label.group for one in chosen) >= kit.profile.per_group:
        return False
    said = Counter(stems(caption))
    for one in chosen:
        said.update(stems(one.label.text))
    return all(said[word] < _SAME_WORD for word in stems(candidate.label.text))


def score_against(kit: Kit, image: torch.Tensor) -> Score:
    """The similarity of prompts with the image (d,), as a search asks for it."""

    def score(prefix: str, phrases: Sequence[str]) -> list[float]:
        similarities: list[float] = (kit.engine.text.continuations(prefix, phrases) @ image).tolist()
        return similarities

    return score


def _beside(image: torch.Tensor, subject: torch.Tensor | None) -> torch.Tensor:
    """The image's direction with the subject's projected out; the image's own where nothing is left or known."""
    if subject is None:
        return image
    rest = image - (image @ subject) * subject
    length = float(rest.norm())
    return rest / length if length > 1e-6 else image
