"""Prompts as token ids: how long they are, and which ids the continuations of one prompt share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Protocol

import torch
from ftfy.badness import is_bad
from torch import Tensor

from interrogator.engines.torchvision_ops import declare_missing_operators

if TYPE_CHECKING:
    from open_clip.tokenizer import SimpleTokenizer

Ids = tuple[int, ...]
Asks = Sequence[tuple[str, Sequence[str]]]
"""Prefixes, each with the phrases that may continue it."""

End = Callable[[Sequence[int]], int]
"""From a whole row of ids to how many of them the tower reads: after the pooled position, nothing matters to it."""

_REMEMBERED = 262_144  # phrases whose ids are kept: more than CLIP Interrogator's 112k labels; some 200 bytes each
_BETWEEN = ", "  # what parts the phrases of a prompt
_ENTITY = re.compile(r"&(?! |$)")  # what may begin an HTML entity


@dataclass(frozen=True, slots=True)
class Shared:
    """Texts that begin alike: the ids of text `places[i]` are `head + tails[i]`, special tokens included and nothing
    after the pooled one. No tail is empty."""

    head: Ids
    tails: Sequence[Ids]
    places: Sequence[int]


class PromptTokens(Protocol):
    """What a text tower asks of a tokenizer."""

    limit: int  # tokens of a prompt, special ones not counted

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, however many; special ones not counted."""

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`counts` of the texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""

    def whole(self, texts: Sequence[str]) -> list[Ids]:
        """The ids that a causal tower reads, special ones included, cut as the tokenizer cuts what is too long."""

    def continued(self, prefix: str, phrases: Sequence[str]) -> list[Shared]:
        """The same of the texts of `lengths`, grouped by what they share; each place occurs once."""

    def same_as(self, other: PromptTokens) -> bool:
        """Whether the other gives the same ids for every text."""


def open_tokens(tokenizer: Any, context: int, end: End = len) -> PromptTokens:
    """`tokenizer` is one of open_clip's; `context` is the model's length, special tokens included."""
    declare_missing_operators()
    from open_clip.tokenizer import SimpleTokenizer  # noqa: PLC0415

    if type(tokenizer) is SimpleTokenizer and tokenizer.reduction_fn is None:
        return SplitTokens(tokenizer, context, end)
    return WholeTokens(tokenizer, context, end)


def continuation(prefix: str, phrase: str) -> str:
    """The text that `TextTower.continuations` embeds; unlike `interrogator.search.joined`, of an empty phrase, too."""
    return f"{prefix}{_BETWEEN}{phrase}" if prefix else phrase


def split_by_ask(embedded: Tensor, asks: Asks) -> list[Tensor]:
    """The rows of each ask, of those of all one after another."""
    return list(torch.split(embedded, [len(phrases) for _, phrases in asks]))


def share(sequences: Sequence[Ids], places: Sequence[int]) -> Shared:
    """Grouped by the longest beginning that all have, at least one id less than the shortest of them.

    One sequence alone shares its first id: a state kept for the rest would serve nothing else.
    """
    least = min(map(len, sequences)) - 1
    alike = common(min(sequences), max(sequences)) if len(sequences) > 1 else 1
    head = sequences[0][: min(least, alike)]
    return Shared(head, [ids[len(head) :] for ids in sequences], places)


def common(one: Ids, other: Ids) -> int:
    """How many ids the two begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class SplitTokens:
    """CLIP's own byte-pair tokenizer, whose ids can be put together from those of a prefix and of a phrase.

    It cleans a text (ftfy, HTML entities, white space, case) and then splits it by an expression that never matches
    white space. So the ids of "prefix, phrase" are those of "prefix," followed by those of "phrase" wherever cleaning
    treats both alone as it does together: where no `&` may begin an HTML entity, and nothing, the white space between
    the two included, looks to ftfy like text in a wrong encoding, which it corrects by looking at the whole (its signs
    are a few letters that stand together; all else it does letter by letter). The comma belongs to the prefix: after
    punctuation the two are one piece. Any other text is encoded whole.
    """

    def __init__(self, tokenizer: SimpleTokenizer, context: int, end: End) -> None:
        self._tokenizer = tokenizer
        self._context = context
        self._end = end
        self._known: dict[str, Ids | None] = {}
        self.limit = context - 2

    @property
    def remembered(self) -> int:
        """Phrases whose ids are kept."""
        return len(self._known)

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, however many; special ones not counted."""
        return [len(self._encode(text)) for text in texts]

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`counts` of the texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""
        before = self._split(f"{prefix},") if prefix else ()
        return [
            len(self._encode(continuation(prefix, phrase))) if before is None or ids is None else len(before) + len(ids)
            for phrase, ids in zip(phrases, self._phrases(phrases), strict=True)
        ]

    def whole(self, texts: Sequence[str]) -> list[Ids]:
        """The ids that a causal tower reads, special ones included, cut as the tokenizer cuts what is too long."""
        return [self._row(self._encode(text)) for text in texts]

    def continued(self, prefix: str, phrases: Sequence[str]) -> list[Shared]:
        """The same of the texts of `lengths`: those that can be split, and the others."""
        before = self._split(f"{prefix},") if prefix else ()
        split = self._phrases(phrases) if before is not None else [None] * len(phrases)
        head = (self._tokenizer.sot_token_id, *(before or ()))[: self._context - 1]
        room = self._context - 1 - len(head)
        last = (self._tokenizer.eot_token_id,)
        places = [place for place, ids in enumerate(split) if ids is not None]
        odd = [place for place, ids in enumerate(split) if ids is None]
        groups = []
        if places:
            groups.append(Shared(head, [ids[:room] + last for ids in split if ids is not None], places))
        if odd:
            groups.append(share(self.whole([continuation(prefix, phrases[place]) for place in odd]), odd))
        return groups

    def same_as(self, other: PromptTokens) -> bool:
        """Whether the other gives the same ids for every text."""
        if not isinstance(other, SplitTokens):
            return False
        mine, its = self._tokenizer, other._tokenizer
        alike = mine.encoder == its.encoder and mine.bpe_ranks == its.bpe_ranks and mine.clean_fn is its.clean_fn
        return alike and self._context == other._context and self._row(()) == other._row(())

    def _phrases(self, phrases: Sequence[str]) -> list[Ids | None]:
        """`_split` of each, remembered: a search asks for the same phrases at every step. Several in one are the tail
        of a prompt and seldom asked for again."""
        return [self._split(phrase) if _BETWEEN in phrase else self._remembered(phrase) for phrase in phrases]

    def _remembered(self, phrase: str) -> Ids | None:
        known = self._known
        ids = known.pop(phrase) if phrase in known else self._split(phrase)
        known[phrase] = ids  # now the last in order
        if len(known) > _REMEMBERED:
            del known[next(iter(known))]
        return ids

    def _split(self, text: str) -> Ids | None:
        """The ids of a part, None where they may not be what they are in the whole. Literal special tokens in a text
        move the pooled position: such a text is read as a whole, too."""
        if _ENTITY.search(text) or (not text.isascii() and (is_bad(text) or is_bad(f"{_BETWEEN}{text} "))):
            return None
        ids = self._encode(text)
        first_special = self._tokenizer.sot_token_id
        return None if any(id_ >= first_special for id_ in ids) else ids

    def _encode(self, text: str) -> Ids:
        return tuple(self._tokenizer.encode(text))

    def _row(self, ids: Ids) -> Ids:
        row = (self._tokenizer.sot_token_id, *ids[: self.limit], self._tokenizer.eot_token_id)
        return row[: self._end(row)]


class WholeTokens:
    """Any tokenizer, asked for whole texts only: what continuations share is seen from their ids."""

    def __init__(self, tokenizer: Any, context: int, end: End) -> None:
        self._tokenizer = tokenizer
        self._context = context
        self._end = end
        empty = tokenizer([""], context_length=max(context, 16))[0].tolist()
        self._pad = max(set(empty), key=empty.count)
        self._special = len(empty) - empty.count(self._pad)
        self.limit = self._room(tuple(empty))

    def _room(self, empty: Ids) -> int:
        """Tokens of a text in a full row: seen from one, since an end token that pads as well (SigLIP's) is not to be
        told from padding in an empty one."""
        longer = 2 * self._context
        text = [" ".join(["a"] * longer)]
        cut, more = (tuple(self._tokenizer(text, context_length=room)[0].tolist()) for room in (self._context, longer))
        return common(cut, more) - common(empty, more)

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, however many; special ones not counted."""
        if not texts:
            return []
        room = max(len(text.encode(errors="replace")) for text in texts) + self._context  # ids <= bytes, roughly
        rows = self._tokenizer(list(texts), context_length=room)
        filled: list[int] = (rows != self._pad).sum(1).tolist()
        return [count - self._special for count in filled]

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`counts` of the texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""
        return self.counts([continuation(prefix, phrase) for phrase in phrases])

    def whole(self, texts: Sequence[str]) -> list[Ids]:
        """The ids that a causal tower reads, special ones included, cut as the tokenizer cuts what is too long."""
        rows = self._tokenizer(list(texts), context_length=self._context).tolist() if texts else []
        return [tuple(row[: self._end(row)]) for row in rows]

    def continued(self, prefix: str, phrases: Sequence[str]) -> list[Shared]:
        """The same of the texts of `lengths`, in one group."""
        if not phrases:
            return []
        return [share(self.whole([continuation(prefix, phrase) for phrase in phrases]), range(len(phrases)))]

    def same_as(self, other: PromptTokens) -> bool:
        """Whether the other gives the same ids for every text: certain for the same object only."""
        if not isinstance(other, WholeTokens) or other._tokenizer is not self._tokenizer:
            return False
        return other._context == self._context and other.whole([""]) == self.whole([""])
