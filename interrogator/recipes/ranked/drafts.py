"""Prompts that need no search: a caption and labels in CLIP Interrogator's own orders, cut where they no longer fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from interrogator.recipes.ranked.kit import Kit
from interrogator.recipes.ranked.shelf import Pick
from interrogator.wording import repeats

MEDIUM = "medium"
CLASSIC_GROUPS = {MEDIUM: 1, "artist": 1, "trending": 1, "movement": 1, "flavor": 3}
"""How many of each group the classic prompt has."""

_SINGLES = 8
"""Labels that are compared anew where one is to stand in the caption's place."""


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two commas: one label, or a medium and its artist."""

    text: str
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt: `head`, which is the caption alone or with the artist right behind it, and the parts after it."""

    head: Part
    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        """The whole prompt."""
        return ", ".join(text for text in (self.head.text, *(part.text for part in self.parts)) if text)

    @property
    def picks(self) -> tuple[Pick, ...]:
        """The labels in it, in order."""
        return tuple(pick for part in (self.head, *self.parts) for pick in part.picks)


def singles(kit: Kit, parts: Sequence[Part], sign: float = 1.0) -> tuple[Draft, ...]:
    """The parts of one label that are most similar to the image (least, with `sign` -1) among those that fit, each as a
    prompt: several, since labels kept in half precision do not tell for certain which of them is the first."""
    order = sorted(parts, key=lambda part: -sign * part.picks[0].similarity)
    fitting = (Draft(Part("", ()), (part,)) for part in order if kit.fits(part.text))
    return tuple(islice(fitting, _SINGLES))


def part_of(pick: Pick) -> Part:
    """The label alone."""
    return Part(pick.label.text, (pick,))


def fast(kit: Kit, caption: str, picks: Sequence[Pick], most: int) -> Draft:
    """The caption and the first labels, at most `most`, up to the first that does not fit."""
    return _cut(kit, Draft(Part(caption, ())), [part_of(pick) for pick in picks], most)


def classic(kit: Kit, caption: str, groups: dict[str, list[Pick]], most: int) -> Draft:
    """`{caption}, {medium} {artist}, {trending}, {movement}, {3 flavors}` with the nearest of each group, up to the
    first that does not fit; the medium is left out where the caption says it already, so that the artist follows the
    caption. Groups without a label are passed over."""
    medium, artist = (groups.get(name, [])[:1] for name in (MEDIUM, "artist"))
    head = Part(caption, ())
    if medium and caption and (caption.startswith(medium[0].label.text) or repeats(medium[0].label.text, caption)):
        medium = []
        if artist and most:
            behind = Part(f"{caption} {artist[0].label.text}", (artist[0],))
            if not kit.fits(behind.text):
                return Draft(head)
            head, artist = behind, []
    first = [*medium, *artist][:most]
    parts = [Part(" ".join(pick.label.text for pick in first), tuple(first))] if first else []
    parts += [part_of(pick) for name in ("trending", "movement", "flavor") for pick in groups.get(name, [])]
    return _cut(kit, Draft(head), parts, most)


def _cut(kit: Kit, draft: Draft, parts: Iterable[Part], most: int) -> Draft:
    """The draft with as many of the parts as fit and as have at most `most` labels together. Where there is nothing
    before it, a part that does not fit is passed over: better another than none."""
    for part in parts:
        longer = Draft(draft.head, (*draft.parts, part))
        if len(longer.picks) > most:
            break
        if kit.fits(longer.text):
            draft = longer
        elif draft.text:
            break
    return draft
