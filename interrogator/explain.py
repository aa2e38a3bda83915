"""What each phrase of a prompt contributes, and what changed between two prompts for one image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interrogator.errors import InterrogatorError
from interrogator.search import joined
from interrogator.types import Contribution, Explanation

if TYPE_CHECKING:
    import torch

    from interrogator.engines import SharedTextTower

_COMMA = re.compile(r"(?<!\d),|,(?!\d)")
"""Not that of 1,000."""


class PromptError(InterrogatorError):
    """A prompt that cannot be measured: it has no words, or a first phrase longer than the model reads."""

    kind = "prompt"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`difference` is the similarity after less that before. `added` phrases have their contribution to the prompt
    after, `removed` ones theirs to the prompt before."""

    difference: float
    added: tuple[Contribution, ...]
    removed: tuple[Contribution, ...]


def phrases_of(prompt: str) -> list[str]:
    """What stands between the commas of a prompt, none of it empty. A caption with commas is several phrases."""
    return [phrase for part in _COMMA.split(prompt) if (phrase := " ".join(part.split()))]


def explain(text: SharedTextTower, image: torch.Tensor, prompt: str) -> Explanation:
    """What each phrase of the prompt contributes to its similarity with `image` (d,), float32 and L2-normalised.

    Leave-one-out: the prompt is measured without each phrase in turn, all in one batch that shares prefixes. Without
    its only phrase it is compared as the empty text. PromptError where it has no words, or its first phrase alone is
    too long for the model.
    """
    phrases = phrases_of(prompt)
    if not phrases:
        raise PromptError("There is no prompt to measure. Please write at least one word.")
    read = _read(text, phrases)
    asks = [_split(read[:-1], read[-1:]), *(_split(read[:place], read[place + 1 :]) for place in range(len(read)))]
    embedded = text.continue_all(asks) if len(read) > 1 else [text.embed(read), text.embed([""])]
    similarity, *without = [float(rows[0] @ image) for rows in embedded]
    return Explanation(
        similarity,
        tuple(Contribution(phrase, rest, similarity - rest) for phrase, rest in zip(read, without, strict=True)),
        tuple(phrases[len(read) :]),
    )


def compare(before: Explanation, after: Explanation) -> Comparison:
    """What an edit has changed: both are explanations of prompts for the same image by the same model."""
    return Comparison(
        after.similarity - before.similarity,
        added=_beyond(after.phrases, before.phrases),
        removed=_beyond(before.phrases, after.phrases),
    )


def _read(text: SharedTextTower, phrases: list[str]) -> list[str]:
    """The phrases from the first one on that the model reads whole."""
    may_fit = phrases[: text.token_limit + 1]  # each has a token at least
    lengths = text.lengths("", [joined(*may_fit[: count + 1]) for count in range(len(may_fit))])
    read = [phrase for phrase, length in zip(may_fit, lengths, strict=True) if length <= text.token_limit]
    if not read:
        raise PromptError(
            f"The first phrase of the prompt has {lengths[0]} tokens, and the model reads {text.token_limit}. "
            "Please shorten it, or divide it by commas."
        )
    return read


def _split(before: Sequence[str], after: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The prompt of these phrases as the continuation of `before`, which the prompt has in common with its like."""
    if after:
        return joined(*before), [joined(*after)]
    return joined(*before[:-1]), before[-1:]


def _beyond(phrases: Sequence[Contribution], others: Sequence[Contribution]) -> tuple[Contribution, ...]:
    """Those of `phrases` that are not among `others`; one said twice counts twice."""
    known = Counter(other.text for other in others)
    beyond = []
    for phrase in phrases:
        if known[phrase.text]:
            known[phrase.text] -= 1
        else:
            beyond.append(phrase)
    return tuple(beyond)
