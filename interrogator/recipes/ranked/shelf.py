"""The labels that a prompt may have, and which of them are nearest to an image."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch

from interrogator.engines import TextTower
from interrogator.label_table import LabelTable
from interrogator.mined import MinedVocabulary, Tag
from interrogator.types import Options
from interrogator.vocabulary import Label
from interrogator.wording import repeats, small, stems, word_finder

ORDER = ("medium", "artist", "movement", "trending", "flavor")
"""The groups as CLIP Interrogator shows them; others follow."""

_SPARE = 16
"""How many more labels are ranked than are wanted: some of them may only repeat the caption."""

_REMEMBERED = 16_384
"""Labels whose words are kept: the same few thousand are near to most images."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A label that was chosen for an image, with its own cosine to it."""

    label: Label
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The `count` labels of `groups` (of any, where empty) that the options allow and that are nearest to `direction`
    (d,), L2-normalised; farthest from it with `reverse`. None that only repeats `said`. `image` (d,), L2-normalised, is
    what their similarities are told of."""

    image: torch.Tensor
    direction: torch.Tensor
    options: Options
    count: int
    groups: Collection[str] = ()
    said: str = ""
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    """What decides whether a label may be used at all."""

    artists: bool
    unsafe: bool
    of_style: bool
    blocked: frozenset[str]
    groups: frozenset[str]

    @classmethod
    def of(cls, wish: Wish) -> _Choice:
        options = wish.options
        blocked = small(options.blocked)
        return cls(options.artists, options.unsafe, options.of_style, blocked, frozenset(wish.groups))


class Shelf:
    """`table` holds the vocabulary's labels, in its order; `text` embeds the negatives when they are first needed."""

    def __init__(self, vocabulary: MinedVocabulary, table: LabelTable, text: TextTower) -> None:
        if table.labels != vocabulary.labels:
            raise ValueError("the table is of other labels than the vocabulary")
        self._flaws = vocabulary.negatives
        self._text = text
        self._table = table
        self._tags = vocabulary.tags
        self._texts = [label.text.casefold() for label in vocabulary.labels]
        self._allowed = lru_cache(maxsize=64)(self._find_allowed)
        self._stems = lru_cache(maxsize=_REMEMBERED)(stems)
        self.groups = in_order(label.group for label in vocabulary.labels)

    def nearest(self, wishes: Sequence[Wish]) -> list[list[Pick]]:
        """The labels of each wish, best first; equal ones in the order of the vocabulary. Fewer where there are no
        more. Wishes for the same sort of label are ranked together."""
        alike: dict[tuple[_Choice, bool], list[int]] = {}
        for index, wish in enumerate(wishes):
            alike.setdefault((_Choice.of(wish), wish.reverse), []).append(index)
        picks: dict[int, list[Pick]] = {}
        for (choice, _), indices in alike.items():
            found = self._ranked([wishes[index] for index in indices], self._allowed(choice))
            picks.update(zip(indices, found, strict=True))
        return [picks[index] for index in range(len(wishes))]

    def negatives(self, wish: Wish) -> list[Pick]:
        """All phrases for negative prompts, in their order, but those that the wish's options leave out or that only
        repeat what is said."""
        has_blocked = word_finder(_Choice.of(wish).blocked)
        similarities = (self._flaw_rows @ wish.image).tolist()
        return [
            Pick(label, own)
            for label, own in zip(self._flaws, similarities, strict=True)
            if (label.style or not wish.options.of_style)
            and not has_blocked(label.text.casefold())
            and not repeats(label.text, wish.said)
        ]

    @cached_property
    def _flaw_rows(self) -> torch.Tensor:
        return self._text.embed([label.text for label in self._flaws])

    def _ranked(self, wishes: Sequence[Wish], mask: torch.Tensor) -> list[list[Pick]]:
        """The picks of wishes for labels of the same `mask`."""
        there = int(mask.sum())
        asked = min(max(wish.count for wish in wishes) + _SPARE, there)
        if not there:
            return [[] for _ in wishes]
        directions = torch.stack([wish.direction for wish in wishes])
        among = None if there == len(mask) else mask
        _, places = self._table.rank(directions, asked, among, reverse=wishes[0].reverse)
        picks = [self._distinct(row, wish) for row, wish in zip(places.tolist(), wishes, strict=True)]
        short = [i for i, wish in enumerate(wishes) if len(picks[i]) < wish.count] if asked < there else []
        for i in short:  # rare: very many of the nearest only repeat the caption
            _, places = self._table.rank(directions[i : i + 1], there, among, reverse=wishes[i].reverse)
            picks[i] = self._distinct(places[0].tolist(), wishes[i])
        return picks

    def _distinct(self, ranked: Iterable[int], wish: Wish) -> list[Pick]:
        """The first that say something new: not what another says, whatever its case, and not only what is `said`."""
        said = stems(wish.said)
        kept: dict[str, int] = {}
        for place in ranked:
            if len(kept) >= wish.count:
                break
            text = self._texts[place]
            if text not in kept and not (said and self._repeats(text, said)):
                kept[text] = place
        rows = list(kept.values())
        similarities = self._table.similarities(wish.image, rows).tolist()
        return [Pick(self._table.labels[place], own) for place, own in zip(rows, similarities, strict=True)]

    def _repeats(self, text: str, said: frozenset[str]) -> bool:
        """As `wording.repeats`, for very many texts."""
        words = self._stems(text)
        return bool(words) and words <= said

    def _find_allowed(self, choice: _Choice) -> torch.Tensor:
        """(n,) bool: which labels may be used."""
        tags = {Tag.STYLE, Tag.ARTIST} if choice.of_style else set(Tag)
        if not choice.artists:
            tags.discard(Tag.ARTIST)
        if not choice.unsafe:
            tags.discard(Tag.UNSAFE)
        groups = {label.group for label in self._table.labels} if not choice.groups else choice.groups
        groups = groups if choice.artists else groups - {"artist"}
        has_blocked = word_finder(choice.blocked)
        labels = zip(self._table.labels, self._texts, self._tags, strict=True)
        return torch.tensor(
            [tag in tags and label.group in groups and not has_blocked(text) for label, text, tag in labels],
            dtype=torch.bool,
        )


def in_order(groups: Iterable[str]) -> tuple[str, ...]:
    """Each group once, those of `ORDER` first, the others as they come."""
    there = dict.fromkeys(groups)
    return (*(name for name in ORDER if name in there), *(name for name in there if name not in ORDER))
