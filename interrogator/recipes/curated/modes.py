"""The modes: how a prompt is made of a caption, cues and ranked phrases.

caption   what the engine names, alone
classic   caption, the best phrase of each group, all cues
fast      caption, the best phrases, several of a group, all cues
turbo     a greedy search over caption, cues and ranked phrases
best      the deepest search over the same; never less similar than the four above
negative  see `interrogator.recipes.curated.negative`
With style only the caption is left out and only style labels are ranked; with a subject of the person's own, that takes
the caption's place beside them. Where neither subject nor kind is certain,
the cues alone are the prompt; where there is none either, what is true of any picture: it is never empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import torch

from interrogator.engines import Report, SharedTextTower
from interrogator.errors import InterrogatorError, UnsupportedOptionError
from interrogator.recipes import Prompt, Scene, Task
from interrogator.recipes.curated.negative import negative_phrases
from interrogator.recipes.curated.ranking import Kit, Ranked, Study, has_room, rank, study, study_for_negative, together
from interrogator.recipes.extras import extra_labels, merged
from interrogator.recipes.shortening import shortened
from interrogator.search import STEP, Found, Problem, Search, Widths, exact, found, joined, local, solve
from interrogator.types import OWN, Group, Mode, Options, Phrase
from interrogator.vocabulary import GROUPS, Label
from interrogator.wording import repeat_each_other, repeats, small, word_finder

_TRUE_OF_ANY_PICTURE = Label("shapes and colors", "composition", style=True)


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


class Curated:
    """The `Recipe`: images one by one, for an engine whose texts cost next to nothing."""

    looks_at_captions = True

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def compose(self, tasks: Sequence[Task]) -> list[Prompt | InterrogatorError]:
        """As `Recipe.compose`."""
        return [self._outcome(task) for task in tasks]

    def _outcome(self, task: Task) -> Prompt | InterrogatorError:
        options = task.options
        try:
            return compose(self._kit, task.scene, options, task.report)
        except InterrogatorError as error:
            return error

    @property
    def text(self) -> SharedTextTower:
        """As `Recipe.text`."""
        return self._kit.engine.text

    def target(self, scene: Scene, mode: Mode) -> torch.Tensor:
        """As `Recipe.target`."""
        return (study_for_negative if mode is Mode.NEGATIVE else study)(self._kit, scene).target

    def nearest(self, scene: Scene, options: Options, top: int) -> tuple[Group, ...]:
        """As `Recipe.nearest`, the groups in the order of the vocabulary."""
        table, has_blocked = self._kit.table, word_finder(small(options.blocked))
        groups: dict[str, list[tuple[str, float]]] = {}
        for label, similarity in table.top_k(scene.image, len(table.labels)):
            nearest = groups.setdefault(label.group, [])
            if len(nearest) < top and (label.style or not options.of_style) and not has_blocked(label.text.casefold()):
                nearest.append((label.text, similarity))
        return tuple(Group(name, tuple(groups[name])) for name in GROUPS if groups.get(name))


def compose(kit: Kit, scene: Scene, options: Options, report: Report) -> Prompt:
    """The prompt of the options' mode, never empty and never over the engine's token limit.

    Raises UnsupportedOptionError where no phrase at all can be used (all of them blocked, or an empty vocabulary), and
    what `report` raises.
    """
    caption, mode, blocked = "", options.mode, small(options.blocked)
    if mode is Mode.NEGATIVE:
        studied = study_for_negative(kit, scene, blocked)
        chosen, similarity = negative_phrases(studied, style_only=options.style_only, report=report)
        text = joined(*(one.label.text for one in chosen))
    else:
        studied = study(kit, scene, blocked)
        draft = _draft(studied, options, report)
        caption = draft.caption
        if mode in (Mode.BEST, Mode.TURBO):
            chosen, best = _best(draft) if mode is Mode.BEST else _turbo(draft)
            text, similarity = best.prompt, best.similarity
        else:
            chosen = _choose(draft, mode)
            text = _text(draft, chosen)
            similarity = studied.score("", [text])[0]
    if not text:
        raise UnsupportedOptionError("Nothing is left that could be said. Please leave out fewer phrases.")
    phrases = tuple(Phrase(one.label.text, one.label.group, one.similarity) for one in chosen)
    return Prompt(text=text, caption=caption, phrases=phrases, similarity=similarity)


def _draft(studied: Study, options: Options, report: Report) -> Draft:
    caption = "" if options.style_only else shortened(options.subject or studied.scene.caption, studied.kit.fits)
    likely = rank(studied, style_only=options.of_style, subject=options.subject)
    likely = _with_extras(studied, options, caption, likely)
    cues = _fitting_cues(studied, caption, studied.scene.cues)
    if not (caption or cues or likely):
        cues = _fitting_cues(studied, caption, [_TRUE_OF_ANY_PICTURE])
    return Draft(study=studied, caption=caption, cues=cues, likely=tuple(likely), report=report)


def _with_extras(studied: Study, options: Options, caption: str, likely: list[Ranked]) -> list[Ranked]:
    """The asker's own phrases among those for the image's kind: such as are no farther from the image than those are on
    the average, since all are somewhat near."""
    kit = studied.kit
    said = [caption, *(cue.text for cue in studied.scene.cues)]
    labels = [
        label
        for label in extra_labels(options, caption)
        if not any(kit.vocabulary.contradict(label.text, text) for text in said)
    ]
    if not labels or not likely:
        return likely
    own = [
        Ranked(label, similarity)
        for label, similarity in zip(labels, studied.score("", [label.text for label in labels]), strict=True)
    ]
    least = sum(one.similarity for one in likely) / len(likely)
    near = [one for one in own if one.similarity >= least]
    return merged(likely, near, {one: one.similarity for one in (*likely, *near)})


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
        clashes = clashes or kit.vocabulary.contradict(cue.text, caption)
        if fits and not clashes and not repeats(cue.text, caption) and not studied.leaves_out(cue.text):
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
    order = [*GROUPS, OWN]
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
    """The most similar of caption, classic, fast and turbo, refined phrase by phrase; in reading order where the
    engine finds that no worse."""
    profile = draft.kit.profile
    starts = _starts(draft)
    pool, problem = _searched(draft, starts)
    candidates = [_solve(draft, exact(problem))]
    candidates += [_solve(draft, found(problem, [pool.index(one) for one in start])) for start in starts]
    best = max((one for one in candidates if one.prompt), key=lambda one: one.similarity, default=candidates[0])
    width = profile.refine_width
    widths = Widths(replace=width, probe=width, append=len(pool), rounds=profile.refine_rounds)
    best = _solve(draft, local(problem, best, widths=widths))
    in_order = _in_order([pool[place] for place in sorted(best.chosen)])
    ordered = _solve(draft, found(problem, [pool.index(one) for one in in_order]))
    if ordered.similarity >= best.similarity - STEP and draft.kit.fits(ordered.prompt):
        best = ordered
    return [pool[place] for place in best.chosen], best


def _turbo(draft: Draft) -> tuple[list[Ranked], Found]:
    """What a greedy search finds in the pool of `_best`, as it finds it."""
    pool, problem = _searched(draft, _starts(draft))
    greedy = _solve(draft, exact(problem))
    return [pool[place] for place in greedy.chosen], greedy


def _starts(draft: Draft) -> list[list[Ranked]]:
    return [_choose(draft, mode) for mode in (Mode.CAPTION, Mode.CLASSIC, Mode.FAST)]


def _searched(draft: Draft, starts: Sequence[Sequence[Ranked]]) -> tuple[list[Ranked], Problem]:
    """What turbo and best choose from: the first ranked phrases, those of the other modes, and the cues."""
    first = draft.likely[: draft.kit.profile.pool]
    pool = list(dict.fromkeys([*first, *chain.from_iterable(starts), *draft.cues]))
    return pool, _problem(draft, pool)


def _solve(draft: Draft, search: Search) -> Found:
    return solve(search, draft.study.score, draft.report)


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
        fits=kit.fit,
        admits=admits,
        min_count=kit.profile.min_phrases,
        max_count=kit.profile.most_phrases + len(draft.cues) - (0 if draft.caption else 1),
    )


def _text(draft: Draft, chosen: Sequence[Ranked]) -> str:
    return joined(draft.caption, *(one.label.text for one in chosen))
