"""What goes through the layers of a causal tower together: texts in alphabetic order, what they share only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from interrogator.causal_text import Beginning, Growth, Piece
from interrogator.prompt_tokens import Ids, Shared, common

Places = list[int]
"""Where the embedding of a text belongs: more than one where texts are alike."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Growths, and the texts that follow beginnings. `ids` are those of the texts, one after another; `rows` says
    which token row each of these is: one that stands under the same beginning of a text is the same row."""

    growths: list[Growth]
    pieces: list[Piece]
    ids: list[int]
    rows: list[int]
    places: list[Places]


@dataclass(frozen=True, slots=True)
class _Text:
    """The ids of a text after its beginning."""

    beginning: Beginning
    tail: Ids
    places: Places


def batches(
    growths: Sequence[Growth], groups: Sequence[Shared], beginnings: Sequence[Beginning], rows: int
) -> Iterator[Batch]:
    """All of it, each distinct text once, in batches of at most `rows` token rows (or of one text or growth).

    `beginnings` are those of the groups' heads.
    """
    grown: list[Growth] = []
    texts: list[_Text] = []
    room = rows
    for growth in growths:
        if room < len(growth.tail) and grown:
            yield _batch(grown, texts)
            grown, room = [], rows
        grown.append(growth)
        room -= len(growth.tail)
    for group, beginning in zip(groups, beginnings, strict=True):
        before: Ids = ()
        for tail, places in _distinct(group):
            own = len(tail) - common(before, tail)
            if room < own and (grown or texts):
                yield _batch(grown, texts)
                grown, texts, room, own = [], [], rows, len(tail)
            texts.append(_Text(beginning, tail, places))
            room -= own
            before = tail
    if grown or texts:
        yield _batch(grown, texts)


def _distinct(group: Shared) -> list[tuple[Ids, Places]]:
    """The tails in order, those that begin alike beside each other."""
    places: dict[Ids, Places] = {}
    for tail, place in zip(group.tails, group.places, strict=True):
        places.setdefault(tail, []).append(place)
    return sorted(places.items())


def _batch(growths: list[Growth], texts: list[_Text]) -> Batch:
    """Texts of one length after one beginning make a piece."""
    batch = Batch(growths, [], [], [], [])
    first_texts: dict[int, int] = {}  # pieces of one beginning come together
    for number, text in enumerate(texts):
        first_texts.setdefault(id(text.beginning), number)
    known: dict[tuple[int, Ids], int] = {}

    def order(text: _Text) -> tuple[int, int]:
        return first_texts[id(text.beginning)], len(text.tail)

    for (first, length), alike in groupby(sorted(texts, key=order), key=order):
        some = list(alike)
        batch.pieces.append(Piece(some[0].beginning, len(some), length))
        for text in some:
            batch.ids.extend(text.tail)
            batch.rows.extend(known.setdefault((first, text.tail[:end]), len(known)) for end in range(1, length + 1))
            batch.places.append(text.places)
    return batch
