"""Keys and values of prompts seen before: a search adds to a prompt, or goes back to a part of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from interrogator.causal_text import Beginning, Growth
from interrogator.prompt_tokens import Ids, common

if TYPE_CHECKING:
    from interrogator.causal_text import CausalText


class PrefixStates:
    """The beginnings used last, found by their longest common part with what is asked.

    At most `most` tokens are kept between calls, the last beginning always. Not for use by several threads at once.
    """

    def __init__(self, encoder: CausalText, most: int) -> None:
        self._encoder = encoder
        self._most = most
        self._kept: OrderedDict[Ids, Beginning] = OrderedDict()

    @property
    def held(self) -> int:
        """Tokens kept now: of each, a key and a value of every layer."""
        return sum(map(len, self._kept))

    def forget(self) -> None:
        """Free the memory."""
        self._kept.clear()

    def plan(self, heads: Sequence[Ids]) -> tuple[list[Beginning], list[Growth]]:
        """The beginning of each head, in order, and what must be computed first, in order, for them to be there."""
        self._forget_if_moved()
        found: dict[Ids, Beginning] = {}
        growths = []
        for head in sorted(set(heads), key=len, reverse=True):  # a shorter one may be a part of a longer one
            base, shared = self._longest(head, found)
            if shared == len(base.ids) == len(head):
                found[head] = base
            else:
                found[head] = Beginning(head)
                growths.append(Growth(found[head], base, shared))
        return [found[head] for head in heads], growths

    def keep(self, growths: Sequence[Growth]) -> None:
        """Those, now computed, for later calls; but not what is a part of another, whose memory it would hold."""
        for growth in growths:
            if growth.tail:
                self._kept[growth.whole.ids] = growth.whole
        while self.held > self._most and len(self._kept) > 1:
            self._kept.popitem(last=False)

    def _longest(self, head: Ids, planned: dict[Ids, Beginning]) -> tuple[Beginning, int]:
        """What begins like head for longest, and for how many ids."""
        best, length = None, 0
        for known in (self._kept, planned):
            for beginning in known.values():
                alike = common(beginning.ids, head)
                if alike > length:
                    best, length = beginning, alike
        if best is None:
            return self._encoder.nothing(), 0
        if best.ids in self._kept:
            self._kept.move_to_end(best.ids)
        return best, length

    def _forget_if_moved(self) -> None:
        beginning = next(iter(self._kept.values()), None)
        if beginning is not None:
            keys = beginning.keys[0]
            if (keys.device, keys.dtype) != (self._encoder.device, self._encoder.dtype):
                self.forget()
