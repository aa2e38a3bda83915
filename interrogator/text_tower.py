"""Text towers of open_clip models: every text as the model itself embeds it, with as little computing as can be.

A causal tower pooled at its end token reads what the texts of a search step share once (`PrefixTextTower`); any other
goes through the model (`PlainTextTower`). `JointTextTower` scores with several models at once.

Where a processor is quicker in half precision, the first kind also answers roughly (`continue_roughly`), for a search
that then looks again at what matters: similarities of one prefix are off by some 2e-4 (standard deviation, random
weights of ViT-B-32), in three fifths of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from interrogator.causal_text import CausalText, open_causal_text
from interrogator.plain_text_tower import PlainTextTower, texts_of
from interrogator.prefix_states import PrefixStates
from interrogator.prompt_tokens import Asks, PromptTokens, Shared, open_tokens, share, split_by_ask
from interrogator.rough_linear import RoughLinear, multiplies_bf16
from interrogator.row_linear import row_linear
from interrogator.text_blocks import TEXTS, Tally, in_blocks, portions
from interrogator.token_batches import batches

if TYPE_CHECKING:
    from interrogator.engines import Continue, Report

_TOGETHER = 4 * TEXTS  # texts that several towers embed before their embeddings are put together
_KEPT = 16  # full prompts whose keys and values are kept, as many again in a call: 60 MB (ViT-B-32) or 400 (bigG), fp32


def open_text_tower(
    model: nn.Module, tokenizer: Any, *, rows: int = 2048, rough: bool | None = None
) -> PrefixTextTower | PlainTextTower:
    """The tower that computes least for this model, chosen by its structure.

    `tokenizer` is open_clip's for the model. `rows` bounds the token rows of a batch: with it the memory used. It is
    an attribute of the tower too, which may be lowered between calls where memory runs out. `rough` says whether it
    answers roughly, too, if it can at all; None: where this processor is quicker so.
    """
    encoder = open_causal_text(model)
    if encoder is None:
        return PlainTextTower(model, tokenizer, rows)
    tokens = open_tokens(tokenizer, encoder.context, encoder.end)
    roughly = multiplies_bf16() if rough is None else rough
    return PrefixTextTower(encoder, tokens, rows, RoughLinear() if roughly else None)


class PrefixTextTower:
    """A causal, end-pooled tower: `SharedTextTower` that computes the beginning of the texts of a call once.

    Embeddings equal the model's own to rounding. States of prompts are kept between calls (see `PrefixStates`); not
    for use by several threads at once.
    """

    def __init__(self, encoder: CausalText, tokens: PromptTokens, rows: int, rough: RoughLinear | None = None) -> None:
        self.rows = rows
        self.tokens = tokens
        self._encoder = encoder
        self._rough = rough
        self._kept = _KEPT * encoder.context
        self._states = PrefixStates(encoder, self._kept)

    @property
    def token_limit(self) -> int:
        """Tokens of a prompt that fit, special ones not counted."""
        return self.tokens.limit

    @property
    def computed(self) -> int:
        """Token rows that went through the layers so far."""
        return self._encoder.computed

    @property
    def rough(self) -> bool:
        """Whether it can answer roughly: in float32 on a CPU, if at all."""
        exact = self._encoder.device.type == "cpu" and self._encoder.dtype == torch.float32
        return self._rough is not None and exact

    def forget(self) -> None:
        """Free the states and the copies of weights kept between calls, before the weights leave the device."""
        self._states.forget()
        if self._rough is not None:
            self._rough.forget()

    def embed(self, texts: Sequence[str], report: Report | None = None) -> Tensor:
        """(n, d) float32, rows L2-normalised. Reports `Stage.LABELS` after each batch."""
        tally = Tally(report, len(texts))
        return in_blocks(texts, lambda block: self.embed_shared(shared_whole(self.tokens, block), tally.add))

    def continuations(self, prefix: str, phrases: Sequence[str]) -> Tensor:
        """The texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty): (n, d) float32, normalised."""
        return self.continue_all([(prefix, phrases)])[0]

    def continue_all(self, asks: Asks) -> list[Tensor]:
        """`continuations` of each (prefix, phrases), in shared batches."""
        return split_by_ask(self.embed_shared(shared_of(self.tokens, asks)), asks)

    @property
    def continue_roughly(self) -> Continue | None:
        """`continue_all` with the linear layers of the blocks in half precision; of what it computes, no states are
        kept. None where that is not possible or not quicker."""
        if not self.rough:
            return None
        return lambda asks: split_by_ask(self.embed_shared(shared_of(self.tokens, asks), rough=True), asks)

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`count_tokens` of the texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""
        return self.tokens.lengths(prefix, phrases)

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, however many; special ones not counted."""
        return self.tokens.counts([text])[0]

    def embed_shared(
        self, groups: Sequence[Shared], add: Callable[[int], None] | None = None, *, rough: bool = False
    ) -> Tensor:
        """All the groups' texts, at their places (0 to n-1, each once): (n, d) float32, normalised. `add` hears how
        many a batch had. `rough` where that is allowed and possible."""
        result = torch.empty(sum(len(group.places) for group in groups), self._encoder.dimensions)
        by = self._rough if rough and self.rough else None
        for some in portions(groups, lambda group: len(group.head), self._kept):  # their beginnings are held together
            self._fill(result, some, add, by)
        return result

    def _fill(
        self,
        result: Tensor,
        groups: Sequence[Shared],
        add: Callable[[int], None] | None,
        rough: RoughLinear | None,
    ) -> None:
        """Write the embeddings of the groups' texts at their places."""
        beginnings, growths = self._states.plan([group.head for group in groups])
        for batch in batches(growths, groups, beginnings, self.rows):
            embedded = self._encoder.run(batch, rough or row_linear).cpu()
            if rough is None:
                self._states.keep(batch.growths)  # the others are computed anew for the exact look that follows
            sources = [source for source, same in enumerate(batch.places) for _ in same]
            result[[place for same in batch.places for place in same]] = embedded[sources]
            if add:
                add(len(sources))


class JointTextTower:
    """Several towers scored together: embeddings one beside the other, divided by the square root of their number.

    The cosine of two such embeddings is the mean of the towers' cosines. Texts are turned into ids once where the
    towers read the same ids.
    """

    def __init__(self, towers: Sequence[PrefixTextTower | PlainTextTower]) -> None:
        self._towers = tuple(towers)
        first = self._towers[0].tokens
        self._one_tokenisation = all(first.same_as(tower.tokens) for tower in self._towers)

    @property
    def rows(self) -> int:
        """Token rows of a batch; setting it sets every tower's."""
        return min(tower.rows for tower in self._towers)

    @rows.setter
    def rows(self, rows: int) -> None:
        for tower in self._towers:
            tower.rows = rows

    @property
    def token_limit(self) -> int:
        """Tokens of a prompt that fit every tower."""
        return min(tower.token_limit for tower in self._towers)

    @property
    def computed(self) -> int:
        """Token rows that went through layers so far, of all towers."""
        return sum(tower.computed for tower in self._towers)

    def forget(self) -> None:
        """Free what the towers keep between calls."""
        for tower in self._towers:
            tower.forget()

    def embed(self, texts: Sequence[str], report: Report | None = None) -> Tensor:
        """(n, d) float32, rows L2-normalised. Reports `Stage.LABELS` after each batch, the towers' texts added up."""
        tally = Tally(report, len(texts) * len(self._towers))

        def embed(block: Sequence[str]) -> Tensor:
            return self._beside(lambda tokens: shared_whole(tokens, block), block, tally, rough=False)

        return in_blocks(texts, embed)

    def continuations(self, prefix: str, phrases: Sequence[str]) -> Tensor:
        """The texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty): (n, d) float32, normalised."""
        return self.continue_all([(prefix, phrases)])[0]

    def continue_all(self, asks: Asks) -> list[Tensor]:
        """`continuations` of each (prefix, phrases), in shared batches of a few thousand texts."""
        return self._continue_all(asks, rough=False)

    @property
    def continue_roughly(self) -> Continue | None:
        """`continue_all`, those towers in half precision that can be; None where none can."""
        if not any(isinstance(tower, PrefixTextTower) and tower.rough for tower in self._towers):
            return None
        return lambda asks: self._continue_all(asks, rough=True)

    def lengths(self, prefix: str, phrases: Sequence[str]) -> list[int]:
        """`count_tokens` of the texts `f"{prefix}, {phrase}"` (just the phrase where prefix is empty)."""
        return [max(counts) for counts in zip(*(t.lengths(prefix, phrases) for t in self._counting), strict=True)]

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, however many, special ones not counted: the most of any tower."""
        return max(tower.count_tokens(text) for tower in self._counting)

    def _continue_all(self, asks: Asks, *, rough: bool) -> list[Tensor]:
        found: list[Tensor] = []
        for some in portions(asks, lambda ask: len(ask[1]), _TOGETHER):
            found += split_by_ask(self._continue(some, rough=rough), some)
        return found

    def _continue(self, asks: Asks, *, rough: bool) -> Tensor:
        """The texts of the asks, of all one after another: (n, d) float32, normalised."""
        texts = texts_of(asks)
        return self._beside(lambda tokens: shared_of(tokens, asks), texts, Tally(None, len(texts)), rough=rough)

    def _beside(
        self, share_by: Callable[[PromptTokens], list[Shared]], texts: Sequence[str], tally: Tally, *, rough: bool
    ) -> Tensor:
        """What the towers find, side by side: (n, d) float32, normalised. `share_by` is what the texts share."""
        shared: list[Shared] | None = None
        found: list[Tensor] = []
        for tower in self._towers:
            if isinstance(tower, PrefixTextTower):
                if shared is None or not self._one_tokenisation:
                    shared = share_by(tower.tokens)
                found.append(tower.embed_shared(shared, tally.add, rough=rough))
            else:
                found.append(tower.embed_block(texts, tally.add))
        return torch.cat(found, dim=1).div_(sqrt(len(found)))

    @property
    def _counting(self) -> tuple[PrefixTextTower | PlainTextTower, ...]:
        return self._towers[:1] if self._one_tokenisation else self._towers


def shared_whole(tokens: PromptTokens, texts: Sequence[str]) -> list[Shared]:
    """What the texts share, in one group."""
    return [share(tokens.whole(texts), range(len(texts)))] if texts else []


def shared_of(tokens: PromptTokens, asks: Asks) -> list[Shared]:
    """What the texts of each ask share, in groups whose places count on from ask to ask."""
    groups: list[Shared] = []
    first = 0
    for prefix, phrases in asks:
        own = tokens.continued(prefix, phrases)
        groups.extend(Shared(group.head, group.tails, [first + place for place in group.places]) for group in own)
        first += len(phrases)
    return groups
