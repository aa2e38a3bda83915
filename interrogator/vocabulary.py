"""The phrases a prompt is made of: our own lists in `data/`, one phrase a line, one file a group."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from interrogator.errors import VocabularyError

GROUPS = {
    "theme": False,
    "setting": False,
    "detail": False,
    "texture": True,
    "mood": True,
    "atmosphere": True,
    "framing": True,
}
"""Group to whether it is style, in the order in which a prompt names them."""


_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: control, invisible formatting, surrogates, line and paragraph separators."""


@dataclass(frozen=True, slots=True)
class Label:
    """A phrase that may enter a prompt. `style` tells how the picture looks (light, palette, camera, mood) from what
    it shows (setting, detail): style-only answers keep the former."""

    text: str
    group: str
    style: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Phrases that contain any of `left` must not stand beside phrases that contain any of `right`."""

    left: re.Pattern[str]
    right: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`labels` may be ranked against an image. `kinds` are examples of what an image can be of (their group is the
    kind), `suits` the kinds that a label is for. `negatives` are for negative prompts, as are `flaws`, by kind;
    `opposites` gives what a negative prompt says of a picture with a certain cue, `rules` keeps contradictions apart.
    """

    labels: tuple[Label, ...]
    suits: dict[Label, frozenset[str]]
    kinds: tuple[Label, ...]
    negatives: tuple[Label, ...]
    flaws: dict[Label, frozenset[str]]
    opposites: dict[str, tuple[str, ...]]
    rules: tuple[Rule, ...]

    def contradict(self, one: str, other: str) -> bool:
        """Whether the two phrases cannot both be true of a picture, as far as the rules know."""
        return any(
            (rule.left.search(one) and rule.right.search(other)) or (rule.left.search(other) and rule.right.search(one))
            for rule in self.rules
        )


def load_vocabulary() -> Vocabulary:
    """Our own lists. A phrase that is in two groups belongs to the first.

    VocabularyError where a list is not UTF-8, a rule lacks a side, or a phrase is for a kind that does not exist.
    """
    kinds = tuple(
        Label(example, kind[0], style=False)
        for kind, examples in (_sides(line, "=") for line in read_phrases("kinds"))
        for example in examples
    )
    names = frozenset(kind.group for kind in kinds)
    suits = _by_kind(GROUPS, names)
    return Vocabulary(
        labels=tuple(suits),
        suits=suits,
        kinds=kinds,
        negatives=tuple(Label(phrase, "negatives", style=True) for phrase in read_phrases("negatives")),
        flaws=_by_kind({"flaws": False}, names),
        opposites={cue[0]: tuple(said) for cue, said in (_sides(line, "=") for line in read_phrases("opposites"))},
        rules=tuple(_rule(line) for line in read_phrases("conflicts")),
    )


def read_phrases(group: str) -> tuple[str, ...]:
    """The phrases of `data/GROUP.txt`, cleaned as by `parse_phrases`."""
    file = resources.files("interrogator") / "data" / f"{group}.txt"
    return parse_phrases(file.read_bytes(), file.name)


def parse_phrases(data: bytes, source: str) -> tuple[str, ...]:
    """The phrases of a list in the order of the file: comments (`#`), empty lines, control characters, superfluous
    spaces and repetitions (whatever their case) removed. VocabularyError, naming `source`, where it is not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise VocabularyError(
            f"The list {source} is not UTF-8 text (byte {error.start}). Please save it as UTF-8."
        ) from error
    phrases: dict[str, str] = {}
    for line in text.splitlines():
        phrase = " ".join(_printable(line.partition("#")[0]).split())
        if phrase:
            phrases.setdefault(phrase.casefold(), phrase)
    return tuple(phrases.values())


def _printable(line: str) -> str:
    return "".join(" " if unicodedata.category(character) in _UNPRINTABLE else character for character in line)


def _by_kind(groups: Mapping[str, bool], kinds: frozenset[str]) -> dict[Label, frozenset[str]]:
    """The labels in the order of the files, each with the kinds of the header `[kind, kind]` above it."""
    suits: dict[Label, frozenset[str]] = {}
    seen: set[str] = set()
    for group, style in groups.items():
        current: frozenset[str] = frozenset()
        for line in read_phrases(group):
            if line.startswith("["):
                current = frozenset(kind.strip() for kind in line.strip("[]").split(","))
                if not current <= kinds:
                    raise VocabularyError(f"The list {group} names kinds that do not exist: {line}.")
            elif line.casefold() not in seen:
                seen.add(line.casefold())
                suits[Label(line, group, style)] = current
    return suits


def _sides(line: str, bar: str) -> tuple[list[str], list[str]]:
    left, found, right = line.partition(bar)
    sides = [[term.strip() for term in side.split(",") if term.strip()] for side in (left, right)]
    if not (found and all(sides)):
        raise VocabularyError(f"The rule “{line}” needs words on both sides of “{bar}”.")
    return sides[0], sides[1]


def _rule(line: str) -> Rule:
    left, right = _sides(line, "|")
    return Rule(_any_of(left), _any_of(right))


def _any_of(terms: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, terms))})(?![\w-])", re.IGNORECASE)
