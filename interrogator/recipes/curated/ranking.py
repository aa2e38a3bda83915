"""What is known of an image, what prompts are compared with, the phrases that suit it best first, and which of them
may stand together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import normalize

from interrogator.engines import Engine
from interrogator.label_table import LabelTable
from interrogator.profiles import LiteProfile
from interrogator.recipes import Scene
from interrogator.search import joined
from interrogator.vocabulary import Label, Vocabulary
from interrogator.wording import repeats, share_word, word_finder

_EXAMPLES = 2
"""How many of a kind's nearest examples speak for it."""

_LEAST_WEIGHT = 0.05
"""Of a phrase for the image's kind, however far from the image it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """All that prompts are made with; `table` holds `vocabulary.labels` in the engine's space, `kinds` the examples
    of what an image can be of."""

    engine: Engine
    vocabulary: Vocabulary
    table: LabelTable
    kinds: LabelTable
    profile: LiteProfile

    def fits(self, prompt: str) -> bool:
        """Whether the prompt is short enough for the engine."""
        return self.engine.text.count_tokens(prompt) <= self.engine.token_limit

    def fit(self, prefix: str, phrases: Sequence[str]) -> list[bool]:
        """Whether the prompt of each phrase after the prefix is short enough, as a search asks for it."""
        return [self.fits(joined(prefix, phrase)) for phrase in phrases]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One image, studied: its kind, None where that is in doubt, and `target` (d,), L2-normalised, what prompts and
    phrases are compared with; see `study`. No phrase with one of the words of `blocked` is used."""

    kit: Kit
    scene: Scene
    kind: str | None
    target: torch.Tensor
    blocked: frozenset[str] = frozenset()

    def leaves_out(self, text: str) -> bool:
        """Whether the text has one of the blocked words."""
        return bool(self.blocked) and word_finder(self.blocked)(text.casefold())

    def score(self, prefix: str, phrases: Sequence[str]) -> list[float]:
        """The cosine of the target and each prompt `f"{prefix}, {phrase}"`, as a search asks for it."""
        similarities: list[float] = (self.kit.engine.text.continuations(prefix, phrases) @ self.target).tolist()
        return similarities


@dataclass(frozen=True, slots=True)
class Ranked:
    """A label with its cosine to the target, and whether it is certain (a cue) rather than likely."""

    label: Label
    similarity: float
    certain: bool = False


def study(kit: Kit, scene: Scene, blocked: frozenset[str] = frozenset()) -> Study:
    """The kind of the image, and its target by pseudo relevance feedback (Rocchio 1971).

    An image's embedding alone may say little more than its subject: that of the lite engine is made of class names, so
    that any phrase beside the name would only lead away from it. What is known to belong to the picture is therefore
    added to it: target = normalize(image + feedback * phrases + cue_feedback * cues), each term of length 1. `phrases`
    is the mean over the groups of the vocabulary of the mean of the group's phrases for the image's kind, weighted by
    their cosines with the image, so that no group counts more for having more phrases; nothing where the kind is in
    doubt. The weights are the profile's; 0 leaves an image's own embedding as it is.
    """
    kind = certain_kind(kit, scene)
    target = scene.image
    if kind:
        target = target + kit.profile.feedback * _of_the_kind(kit, scene.image, kind)
    if scene.cues:
        cues = kit.engine.text.embed([cue.text for cue in scene.cues]).sum(0)
        target = target + kit.profile.cue_feedback * normalize(cues, dim=-1)
    return Study(kit=kit, scene=scene, kind=kind, target=normalize(target, dim=-1), blocked=blocked)


def study_for_negative(kit: Kit, scene: Scene, blocked: frozenset[str] = frozenset()) -> Study:
    """As `study`, with Rocchio's other term: target = normalize(image - flaw_feedback * flaws), `flaws` being the mean
    of the vocabulary's negatives, of length 1. What belongs to the picture has no part in it: it is made of phrases,
    and all phrases, flaws too, have their manner of speaking in common.
    """
    target = scene.image
    if kit.vocabulary.negatives:
        flaws = kit.engine.text.embed([label.text for label in kit.vocabulary.negatives]).sum(0)
        target = target - kit.profile.flaw_feedback * normalize(flaws, dim=-1)
    kind = certain_kind(kit, scene)
    return Study(kit=kit, scene=scene, kind=kind, target=normalize(target, dim=-1), blocked=blocked)


def _of_the_kind(kit: Kit, image: torch.Tensor, kind: str) -> torch.Tensor:
    """(d,), of length 1: what the phrases for this kind say together."""
    groups: dict[str, list[int]] = {}
    for row, label in enumerate(kit.table.labels):
        if kind in kit.vocabulary.suits[label]:
            groups.setdefault(label.group, []).append(row)
    weights = kit.table.similarities(image).clamp(min=_LEAST_WEIGHT)
    means = [normalize(weights[rows] @ kit.table.matrix[rows], dim=-1) for rows in groups.values()]
    return normalize(torch.stack(means).sum(0), dim=-1)


def rank(study: Study, *, style_only: bool, subject: str = "") -> list[Ranked]:
    """The labels for the image's kind, nearest to the target first; equal ones in the order of the vocabulary. None
    where the kind is in doubt.

    Similarity alone is no ground for a phrase: in a space of sentence embeddings it follows words (a bolete mushroom
    is near a volcano), so what our lists know of the kind decides, and similarity only orders. With `style_only` only
    style labels, by the direction that the target has beside the subject's. Left out: what repeats the caption, or
    `subject` which stands in its place; what contradicts either or a cue; and what has a blocked word.
    """
    kit, scene = study.kit, study.scene
    direction = _beside(study.target, scene.subject) if style_only else study.target
    similarity = dict(zip(kit.table.labels, kit.table.similarities(study.target).tolist(), strict=True))
    said = [subject or scene.caption, *(cue.text for cue in scene.cues)]
    return [
        Ranked(label, similarity[label])
        for label, _ in kit.table.top_k(direction, len(kit.table.labels))
        if study.kind in kit.vocabulary.suits[label]
        and (label.style or not style_only)
        and not repeats(label.text, scene.caption, subject)
        and not study.leaves_out(label.text)
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


def together(kit: Kit, one: Label, other: Label) -> bool:
    """Whether the two phrases may stand in one prompt: they do not contradict each other and share no word."""
    return not (kit.vocabulary.contradict(one.text, other.text) or share_word(one.text, other.text))


def has_room(kit: Kit, chosen: Iterable[Ranked], candidate: Ranked) -> bool:
    """Whether the phrase's group may have one more. Cues are certain: all of them may be in."""
    same = sum(one.label.group == candidate.label.group for one in chosen)
    return candidate.certain or same < kit.profile.per_group


def _beside(target: torch.Tensor, subject: torch.Tensor | None) -> torch.Tensor:
    """The target's direction with the subject's projected out; the target's own where nothing is left or known."""
    if subject is None:
        return target
    rest = target - (target @ subject) * subject
    length = float(rest.norm())
    return rest / length if length > 1e-6 else target
