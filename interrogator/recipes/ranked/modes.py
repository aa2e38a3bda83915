"""What each mode asks of the labels, and makes of them.

caption   the captioner alone; where it says nothing, the nearest label
classic   `{caption}, {medium} {artist}, {trending}, {movement}, {3 flavors}`, the nearest of each
fast      the caption and the nearest labels of any group that fit
turbo     lazy search over the nearest labels, then a round of local search; never less similar than the three above
best      turbo, then more local search, from the best prompt known, too; never less similar than the four above
negative  the flavors farthest from the image and the list of negatives, chained downwards: each phrase lowers the
          similarity
Classic and fast are those of CLIP Interrogator 0.6.0, over an exact ranking, but for this: a prompt is as long as it
may be (there, the length is that of words run together, and a full row counts as too long), and labels that only repeat
the caption are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from interrogator.recipes.ranked.drafts import CLASSIC_GROUPS, MEDIUM, Draft, Part, classic, fast, part_of, singles
from interrogator.recipes.ranked.searches import Known, begun, best, negative, turbo
from interrogator.recipes.ranked.shelf import Pick, Wish
from interrogator.recipes.ranked.study import Study
from interrogator.search import Found, Search
from interrogator.types import OWN, Mode

_FLAVOR = "flavor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a prompt is found: the most similar of `drafts` (the least, with `sign` -1) and, where there is a `search`,
    of what that finds. It is told of the drafts' similarities, and adds to a list what it found on its way that is to
    be compared as its end is. The phrases that it chooses are places in `parts`."""

    study: Study
    drafts: tuple[Draft, ...]
    search: Callable[[Known, list[Found]], Search] | None = None
    parts: tuple[Part, ...] = ()
    sign: float = 1.0

    def draft_of(self, found: Found) -> Draft:
        """What the search found, as a draft."""
        return Draft(Part(self.study.caption, ()), tuple(self.parts[place] for place in found.chosen))


def wishes(study: Study) -> list[Wish]:
    """The labels that the mode needs, a wish each; `plan` takes them in this order."""
    match study.task.options.mode:
        case Mode.CAPTION:
            return [] if study.caption else [study.wish(1)]
        case Mode.FAST:
            return [study.wish(study.most)]
        case Mode.CLASSIC:
            return _groups(study)
        case Mode.TURBO | Mode.BEST:
            return [study.wish(max(study.kit.profile.pool, study.most)), *_groups(study)]
        case Mode.NEGATIVE:
            return [study.wish(study.kit.profile.pool, _FLAVOR, reverse=True)]


def _groups(study: Study) -> list[Wish]:
    return [study.wish(count, group, repeating=group == MEDIUM) for group, count in CLASSIC_GROUPS.items()]


def plan(study: Study, picks: Sequence[list[Pick]]) -> Plan:
    """The way to a prompt with the labels that `wishes` asked for."""
    match study.task.options.mode:
        case Mode.CAPTION:
            return _drafted(study, _caption(study) if study.caption else fast(study.kit, "", picks[0], 1))
        case Mode.FAST:
            return _drafted(study, fast(study.kit, study.caption, picks[0], study.most))
        case Mode.CLASSIC:
            return _drafted(study, _classic(study, picks))
        case Mode.TURBO | Mode.BEST:
            return _searched(study, picks[0], _classic(study, picks[1:]))
        case Mode.NEGATIVE:
            return _negative(study, picks[0])


def _caption(study: Study) -> Draft:
    return Draft(Part(study.caption, ()))


def _classic(study: Study, picks: Sequence[list[Pick]]) -> Draft:
    return classic(study.kit, study.caption, dict(zip(CLASSIC_GROUPS, picks, strict=True)), study.most)


def _drafted(study: Study, *drafts: Draft | None) -> Plan:
    return Plan(study=study, drafts=tuple(draft for draft in drafts if draft and draft.text))


def _searched(study: Study, picks: Sequence[Pick], classic_draft: Draft) -> Plan:
    """The search of turbo or best over the first of the labels, from the caption or else the nearest label by itself.
    Its parts are followed by those of the drafts that are not among them."""
    pool = [part_of(pick) for pick in _first(picks, study.kit.profile.pool)]
    starts = (_caption(study),) if study.caption else singles(study.kit, pool)
    drafts = _drafted(study, *starts, classic_draft, fast(study.kit, study.caption, picks, study.most)).drafts
    parts = tuple(dict.fromkeys([*pool, *(part for draft in drafts for part in draft.parts)]))
    is_best = study.task.options.mode is Mode.BEST

    def search(known: Known, ends: list[Found]) -> Search:
        known = begun(known, len(starts))
        return best(study, parts, len(pool), known, ends) if is_best else turbo(study, parts[: len(pool)], known, ends)

    return Plan(study=study, drafts=drafts, search=search if starts else None, parts=parts)


def _first(picks: Sequence[Pick], count: int) -> Iterator[Pick]:
    """The first of the vocabulary's, and all of the asker's own."""
    for pick in picks:
        own = pick.label.group == OWN
        if own or count > 0:
            yield pick
        count -= not own


def _negative(study: Study, flavors: Sequence[Pick]) -> Plan:
    """The chain downwards over the flavors and the list of negatives, from the one of all that is least similar: the
    least of the table's first, which are compared anew."""
    texts = {pick.label.text.casefold() for pick in flavors}
    flaws = [pick for pick in study.kit.shelf.negatives(study.wish(0)) if pick.label.text.casefold() not in texts]
    parts = tuple(part_of(pick) for pick in (*flavors, *flaws))
    starts = singles(study.kit, parts, sign=-1.0)

    def search(known: Known, _ends: list[Found]) -> Search:
        return negative(study, parts, begun(known, len(starts), sign=-1.0))

    return Plan(
        study=study,
        drafts=starts,
        search=search if starts else None,
        parts=parts,
        sign=-1.0,
    )
