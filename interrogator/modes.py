"""The modes: how a prompt is made of a caption, cues and ranked phrases.

caption   what the engine names, alone
classic   caption, the best phrase of each group, all cues
fast      caption, the best phrases, several of a group, all cues
best      the deepest search over caption, cues and ranked phrases; never less similar than the three above
negative  see `interrogator.negative`
With style only the caption is left out and only style labels are ranked. Where neither subject nor kind is certain,
the cues alone are the prompt, or else the three nearest phrases: it is never empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from interrogator.engines import Report
from interrogator.errors import UnreadableImageError, UnsupportedOptionError
from interrogator.negative import negative_phrases
from interrogator.ranking import (
    Kit,
    Ranked,
    Scene,
    certain_kind,
    has_room,
    kinds_of,
    of_kind,
    rank,
    score_against,
    together,
)
from interrogator.search import Found, Problem, found, greedy, joined, refine
from interrogator.types import Mode, Phrase
from interrogator.vocabulary import GROUPS
from interrogator.wording import repeats

_FALLBACK_PHRASES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt, the phrases in it beside the caption, and its cosine with the image."""

    text: str
    phrases: tuple[Phrase, ...]
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One image on its way to a prompt: the caption as it will stand there, the cues as phrases, the labels for the
    nearest kind of image, best first, and the same where that kind is certain (else none)."""

    kit: Kit
    scene: Scene
    caption: str
    cues: tuple[Ranked, ...]
    nearest: tuple[Ranked, ...]
    likely: tuple[Ranked, ...]
    report: Report


def check(mode: Mode, *, style_only: bool) -> None:
    """UnsupportedOptionError where the two have no meaning together."""
    if mode is Mode.CAPTION and style_only:
        raise UnsupportedOptionError(
            "A caption is only the subject, which “style only” leaves out: nothing would be left. "
            "Choose another mode, or turn style only off."
        )


def compose(kit: Kit, scene: Scene, mode: Mode, *, style_only: bool, report: Report) -> Prompt:
    """The prompt of that mode, never empty and never over the engine's token limit.

    Raises UnsupportedOptionError as `check` does, UnreadableImageError where no phrase at all can be used (an empty
    vocabulary, a limit of no tokens), and what `report` raises.
    """
    check(mode, style_only=style_only)
    if mode is Mode.NEGATIVE:
        chosen, similarity = negative_phrases(kit, scene, style_only=style_only, report=report)
        text = joined(*(one.label.text for one in chosen))
    else:
        draft = _draft(kit, scene, style_only=style_only, report=report)
        if mode is Mode.BEST:
            chosen, best = _best(draft)
            text, similarity = best.prompt, best.similarity
        else:
            chosen = _choose(draft, mode)
            text = _text(draft, chosen)
            similarity = score_against(kit, scene.image)("", [text])[0]
    if not text:
        raise UnreadableImageError("I found nothing to say about that picture. Please try another one.")
    return _prompt(text, chosen, similarity)


def _draft(kit: Kit, scene: Scene, *, style_only: bool, report: Report) -> Draft:
    caption = "" if style_only else _shortened(kit, scene.caption)
    ranked = rank(kit, scene, style_only=style_only)
    nearest = of_kind(kit, ranked, kinds_of(kit, scene)[0][0])
    return Draft(
        kit=kit,
        scene=scene,
        caption=caption,
        cues=_cues(kit, scene, caption),
        nearest=tuple(nearest),
        likely=tuple(nearest) if certain_kind(kit, scene) else (),
        report=report,
    )


def _shortened(kit: Kit, caption: str) -> str:
    """The caption without the last words that are too many for the engine."""
    words = caption.split()
    while words and not kit.fits(" ".join(words)):
        words.pop()
    return " ".join(words)


def _cues(kit: Kit, scene: Scene, caption: str) -> tuple[Ranked, ...]:
    """All cues that fit, in the engine's order, no contradiction and no repetition among them."""
    if not scene.cues:
        return ()
    similarities = (kit.engine.text.embed([cue.text for cue in scene.cues]) @ scene.image).tolist()
    chosen: list[Ranked] = []
    for cue, similarity in zip(scene.cues, similarities, strict=True):
        fits = kit.fits(joined(caption, *(one.label.text for one in chosen), cue.text))
        if fits and not repeats(cue.text, caption) and all(together(kit, one.label, cue) for one in chosen):
            chosen.append(Ranked(cue, similarity, certain=True))
    return tuple(chosen)


def _choose(draft: Draft, mode: Mode) -> list[Ranked]:
    """The phrases of caption, classic and fast; the nearest ones where that would leave the prompt empty."""
    profile = draft.kit.profile
    chosen: list[Ranked] = []
    if mode is not Mode.CAPTION:
        per_group = 1 if mode is Mode.CLASSIC else profile.per_group
        chosen = _in_order(_first(draft, draft.likely, per_group, profile.max_phrases))
    if mode is not Mode.CAPTION or not draft.caption:
        chosen += draft.cues
    if draft.caption or chosen:
        return chosen
    return _in_order(_first(draft, draft.nearest, per_group=1, count=_FALLBACK_PHRASES))


def _in_order(chosen: list[Ranked]) -> list[Ranked]:
    """As a person would say it: what it is, where, its details, how it looks and feels."""
    order = list(GROUPS)
    return sorted(chosen, key=lambda one: order.index(one.label.group))


def _first(draft: Draft, ranked: Sequence[Ranked], per_group: int, count: int) -> list[Ranked]:
    """The first phrases that may stand together and beside the cues, at most `per_group` of a group."""
    chosen: list[Ranked] = []
    for one in ranked:
        if len(chosen) == count:
            break
        if (
            sum(other.label.group == one.label.group for other in chosen) < per_group
            and has_room(draft.kit, draft.caption, chosen, one)
            and all(together(draft.kit, other.label, one.label) for other in (*chosen, *draft.cues))
            and draft.kit.fits(_text(draft, [*chosen, one, *draft.cues]))
        ):
            chosen.append(one)
    return chosen


def _best(draft: Draft) -> tuple[list[Ranked], Found]:
    """The most similar of caption, classic, fast and a greedy search, refined phrase by phrase."""
    profile = draft.kit.profile
    starts = [_choose(draft, mode) for mode in (Mode.CAPTION, Mode.CLASSIC, Mode.FAST)]
    pool = list(dict.fromkeys([*draft.likely[: profile.pool], *chain.from_iterable(starts), *draft.cues]))
    problem = _problem(draft, pool)
    candidates = [greedy(problem)]
    candidates += [found(problem, [pool.index(one) for one in start]) for start in starts]
    best = max((one for one in candidates if one.prompt), key=lambda one: one.similarity, default=candidates[0])
    best = refine(problem, best, rounds=profile.refine_rounds, width=profile.refine_width)
    return [pool[place] for place in best.chosen], best


def _problem(draft: Draft, pool: Sequence[Ranked]) -> Problem:
    kit = draft.kit

    @cache
    def pair(one: int, other: int) -> bool:
        return together(kit, pool[one].label, pool[other].label)

    def admits(chosen: Sequence[int], candidate: int) -> bool:
        return has_room(kit, draft.caption, (pool[place] for place in chosen), pool[candidate]) and all(
            pair(place, candidate) for place in chosen
        )

    return Problem(
        caption=draft.caption,
        pool=tuple(one.label.text for one in pool),
        score=score_against(kit, draft.scene.image),
        fits=kit.fits,
        admits=admits,
        min_count=kit.profile.min_phrases,
        max_count=kit.profile.max_phrases + len(draft.cues),
        report=draft.report,
    )


def _text(draft: Draft, chosen: Sequence[Ranked]) -> str:
    return joined(draft.caption, *(one.label.text for one in chosen))


def _prompt(text: str, chosen: Sequence[Ranked], similarity: float) -> Prompt:
    phrases = tuple(Phrase(one.label.text, one.label.group, one.similarity) for one in chosen)
    return Prompt(text=text, phrases=phrases, similarity=similarity)
