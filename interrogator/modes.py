"""The modes: how a prompt is made of a caption, cues and ranked phrases.

caption   what the engine names, alone
classic   caption, the best phrase of each group, all cues
fast      caption, the best phrases, several of a group, all cues
best      the deepest search over caption, cues and ranked phrases; never less similar than the three above
negative  see `interrogator.negative`
With style only the caption is left out and only style labels are ranked. Where neither subject nor kind is certain,
the cues alone are the prompt; where there is none either, what is true of any picture: it is never empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from interrogator.engines import Report
from interrogator.errors import UnreadableImageError, UnsupportedOptionError
from interrogator.negative import negative_phrases
from interrogator.ranking import Kit, Ranked, Scene, Study, has_room, rank, study, study_for_negative, together
from interrogator.search import STEP, Found, Problem, found, greedy, joined, refine
from interrogator.types import Mode, Phrase
from interrogator.vocabulary import GROUPS, Label
from interrogator.wording import repeat_each_other, repeats

_TRUE_OF_ANY_PICTURE = Label("shapes and colors", "composition", style=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt, the phrases in it beside the caption, and its cosine with the image."""

    text: str
    phrases: tuple[Phrase, ...]
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One image on its way to a prompt: the caption as it will stand there, the cues as phrases, the labels for its
    kind, best first (none where the kind is in doubt)."""

    study: Study
    caption: str
    cues: tuple[Ranked, ...]
    likely: tuple[Ranked, ...]
    report: Report

    @property
    def kit(self) -> Kit:
        """What the prompt is made with."""
        return self.study.kit


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
        chosen, similarity = negative_phrases(study_for_negative(kit, scene), style_only=style_only, report=report)
        text = joined(*(one.label.text for one in chosen))
    else:
        studied = study(kit, scene)
        draft = _draft(studied, style_only=style_only, report=report)
        if mode is Mode.BEST:
            chosen, best = _best(draft)
            text, similarity = best.prompt, best.similarity
        else:
            chosen = _choose(draft, mode)
            text = _text(draft, chosen)
            similarity = studied.score("", [text])[0]
    if not text:
        raise UnreadableImageError("I found nothing to say about that picture. Please try another one.")
    return _prompt(text, chosen, similarity)


def _draft(studied: Study, *, style_only: bool, report: Report) -> Draft:
    caption = "" if style_only else _shortened(studied.kit, studied.scene.caption)
    likely = rank(studied, style_only=style_only)
    cues = _fitting_cues(studied, caption, studied.scene.cues)
    if not (caption or cues or likely):
        cues = _fitting_cues(studied, caption, [_TRUE_OF_ANY_PICTURE])
    return Draft(study=studied, caption=caption, cues=cues, likely=tuple(likely), report=report)


def _shortened(kit: Kit, caption: str) -> str:
    """The caption without the last words that are too many for the engine."""
    words = caption.split()
    while words and not kit.fits(" ".join(words)):
        words.pop()
    return " ".join(words)


def _fitting_cues(studied: Study, caption: str, cues: Sequence[Label]) -> tuple[Ranked, ...]:
    """All cues for which there is room, in their order, no contradiction and no repetition among them."""
    if not cues:
        return ()
    kit = studied.kit
    chosen: list[Ranked] = []
    for cue, similarity in zip(cues, studied.score("", [cue.text for cue in cues]), strict=True):
        fits = kit.fits(joined(caption, *(one.label.text for one in chosen), cue.text))
        clashes = any(
            kit.vocabulary.contradict(one.label.text, cue.text) or repeat_each_other(one.label.text, cue.text)
            for one in chosen
        )
        if fits and not clashes and not repeats(cue.text, caption):
            chosen.append(Ranked(cue, similarity, certain=True))
    return tuple(chosen)


def _choose(draft: Draft, mode: Mode) -> list[Ranked]:
    """The phrases of caption, classic and fast. A caption that says nothing is made up for by cues or else a phrase."""
    profile = draft.kit.profile
    if mode is Mode.CAPTION:
        return [] if draft.caption else list(draft.cues) or _first(draft, per_group=1, count=1)
    per_group = 1 if mode is Mode.CLASSIC else profile.per_group
    return [*_in_order(_first(draft, per_group, profile.max_phrases)), *draft.cues]


def _in_order(chosen: Sequence[Ranked]) -> list[Ranked]:
    """As a person would say it: what it is, where, its details, how it looks and feels; cues last, as they came."""
    order = list(GROUPS)
    return sorted(chosen, key=lambda one: len(order) if one.certain else order.index(one.label.group))


def _first(draft: Draft, per_group: int, count: int) -> list[Ranked]:
    """The first phrases that may stand together and beside the cues, at most `per_group` of a group."""
    chosen: list[Ranked] = []
    for one in draft.likely:
        if len(chosen) == count:
            break
        if (
            sum(other.label.group == one.label.group for other in chosen) < per_group
            and all(together(draft.kit, other.label, one.label) for other in (*chosen, *draft.cues))
            and draft.kit.fits(_text(draft, [*chosen, one, *draft.cues]))
        ):
            chosen.append(one)
    return chosen


def _best(draft: Draft) -> tuple[list[Ranked], Found]:
    """The most similar of caption, classic, fast and a greedy search, refined phrase by phrase; in reading order where
    the engine finds that no worse."""
    profile = draft.kit.profile
    starts = [_choose(draft, mode) for mode in (Mode.CAPTION, Mode.CLASSIC, Mode.FAST)]
    pool = list(dict.fromkeys([*draft.likely[: profile.pool], *chain.from_iterable(starts), *draft.cues]))
    problem = _problem(draft, pool)
    candidates = [greedy(problem)]
    candidates += [found(problem, [pool.index(one) for one in start]) for start in starts]
    best = max((one for one in candidates if one.prompt), key=lambda one: one.similarity, default=candidates[0])
    best = refine(problem, best, rounds=profile.refine_rounds, width=profile.refine_width)
    ordered = found(problem, [pool.index(one) for one in _in_order([pool[place] for place in sorted(best.chosen)])])
    if ordered.similarity >= best.similarity - STEP and draft.kit.fits(ordered.prompt):
        best = ordered
    return [pool[place] for place in best.chosen], best


def _problem(draft: Draft, pool: Sequence[Ranked]) -> Problem:
    kit = draft.kit

    @cache
    def pair(one: int, other: int) -> bool:
        both_certain = pool[one].certain and pool[other].certain
        return both_certain or together(kit, pool[one].label, pool[other].label)

    def admits(chosen: Sequence[int], candidate: int) -> bool:
        return has_room(kit, (pool[place] for place in chosen), pool[candidate]) and all(
            pair(place, candidate) for place in chosen
        )

    return Problem(
        caption=draft.caption,
        pool=tuple(one.label.text for one in pool),
        score=draft.study.score,
        fits=kit.fits,
        admits=admits,
        min_count=kit.profile.min_phrases,
        max_count=kit.profile.most_phrases + len(draft.cues),
        report=draft.report,
    )


def _text(draft: Draft, chosen: Sequence[Ranked]) -> str:
    return joined(draft.caption, *(one.label.text for one in chosen))


def _prompt(text: str, chosen: Sequence[Ranked], similarity: float) -> Prompt:
    phrases = tuple(Phrase(one.label.text, one.label.group, one.similarity) for one in chosen)
    return Prompt(text=text, phrases=phrases, similarity=similarity)
