"""When an answer of the lite engine is right: the rules of `benchmarks.lite_quality`, free of models and downloads.

A caption is a noun phrase. It is cut at commas, prepositions and 'and' into the things it names; hedges ('possibly'),
articles and words that name no thing ('a photo', 'black and white') are dropped. Every thing is then compared with the
label of its image:

- it is true when it is a label's name, or ends in one ('a small brown dog' for `dog`), or is the head of one
  ('a spaniel' for `cocker spaniel`);
- one of the network's 1000 class names claims exactly that class, so its head alone is not enough ('Egyptian cat' is
  not right for a tabby, nor 'hot dog' for a dog) unless all its parts are true ('cup of espresso', 'Pekingese dog');
- a place before the head has to be true as well ('a desert landscape' is false in a meadow).

An image is WRONG as soon as its caption names one thing that is not there, hedged or not, whatever else is right.
Otherwise it is RIGHT when the caption, or else a phrase of the prompt, names its subject or a broader class of it.
Otherwise (nothing, or only something secondary, is named) it is NONE. 'X or Y' is true when one of the two is. Of the
prompt only phrases that say what a picture is of may be right ('flower in bloom'), by the thing they begin with: a
texture or a detail ('crisp leaves', 'rim of the cup') is no subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

Name = tuple[str, ...]  # the stemmed words of one name


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", text))


_HEDGES = _words("possibly maybe perhaps probably likely apparently presumably what may might be looks like")
_DETERMINERS = _words("a an the some any its their his her this that one two three several many few another")
_CUTS = re.compile(
    r"[,;:()]|\b(?:and|with|without|in|on|at|by|near|under|over|beside|against|among|amid|behind|before|from|into"
    r"|through|around|between|along|above|below|inside|outside|next to|in front of|surrounded by)\b"
)
_VIEWS = _words(
    "close-up closeup view photo photograph photography picture image shot portrait scene background setting wallpaper"
    " group pair piece kind type sort slice bunch pile row set detail part herd flock collection"
)
_NEUTRAL = _words(
    "black white monochrome color colour colorful colourful grayscale grey gray red green blue yellow orange brown pink"
    " purple gold golden silver light dark bright pale vivid vibrant muted warm cool soft sharp small large big little"
    " tall old new young single lone plain abstract minimal blurry blurred front back side top bottom left right middle"
    " center foreground distance object thing item artifact something subject matter shape line curve gradient indoor"
    " outdoor natural artificial daylight close up high low contrast key tone hue detail focus"
)
_VAGUE = _words("surface life texture body head air eye face fur wing coat panel short being stand pattern facade")
_PLACES = _words(
    "mountain desert forest jungle snow snowy winter sea ocean beach coastal lake river city urban underwater tropical"
    " night autumn sunset street farm garden rural alpine arctic savanna meadow"
)
_IRREGULAR = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "leaves": "leaf", "knives": "knife",
    "wolves": "wolf", "geese": "goose", "mice": "mouse", "shelves": "shelf", "loaves": "loaf", "halves": "half",
    "feet": "foot", "teeth": "tooth", "oxen": "ox", "fishes": "fish",
}  # fmt: skip


class Outcome(StrEnum):
    """What one answer was worth."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "none"


class Truth(StrEnum):
    """What one named thing is to the label of its image."""

    SUBJECT = "subject"
    BROADER = "broader"
    VISIBLE = "visible"
    NEUTRAL = "neutral"
    FALSE = "false"


_RIGHT = frozenset({Truth.SUBJECT, Truth.BROADER})


@dataclass(frozen=True, slots=True)
class Label:
    """What a person saw in one photograph: names of its subject, classes above it, other things that are visible."""

    subjects: frozenset[Name] = frozenset()
    broader: frozenset[Name] = frozenset()
    visible: frozenset[Name] = frozenset()

    def truth(self, name: Name) -> Truth | None:
        """How an exact name stands in the label; None where it is not listed."""
        if name in self.subjects:
            return Truth.SUBJECT
        if name in self.broader:
            return Truth.BROADER
        return Truth.VISIBLE if name in self.visible else None

    def words(self) -> frozenset[str]:
        """Every word of every name."""
        return frozenset(
            word for names in (self.subjects, self.broader, self.visible) for name in names for word in name
        )


@dataclass(frozen=True, slots=True)
class Score:
    """One image's verdict. `named`: what the caption claims; `false_words`: untrue things in the prompt's phrases."""

    outcome: Outcome
    in_caption: bool
    named: tuple[str, ...]
    false_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Names that are known beforehand: the network's class names, and words that stand for things."""

    classes: frozenset[Name]
    things: frozenset[str]

    @classmethod
    def build(cls, class_names: Iterable[str], labels: Iterable[Label]) -> Lexicon:
        """Heads of all labels' names and of all classes are things."""
        classes = frozenset(stems(name) for name in class_names)
        names = [name for label in labels for name in label.subjects | label.broader | label.visible]
        heads = {name[-1] for name in [*names, *classes] if name} | {stem(place) for place in _PLACES}
        return cls(classes, frozenset(heads) - _NEUTRAL - _VIEWS - _VAGUE)


def stem(word: str) -> str:
    """A word's singular, as far as spelling tells ('puppies' -> 'puppy'); both sides are treated alike."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def stems(text: str) -> Name:
    """The stemmed words of a text; hyphens and slashes separate words."""
    return tuple(stem(word) for word in re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower()))


def parse_names(cell: str) -> frozenset[Name]:
    """A cell of the labels file: names separated by `|`."""
    return frozenset(stems(name) for name in cell.split("|") if name.strip())


def named_things(text: str, lexicon: Lexicon) -> list[list[Name]]:
    """The things a noun phrase names; each is a list of alternatives ('X or Y')."""
    if stems(text) in lexicon.classes:
        return [[stems(text)]]
    things: list[list[Name]] = []
    for part in _CUTS.split(text.lower()):
        for piece in _around_of(part, lexicon):
            alternatives = [_bare(choice, lexicon) for choice in re.split(r"\bor\b|/", piece)]
            if named := [name for name in alternatives if name]:
                things.append(named)
    return things


def _around_of(part: str, lexicon: Lexicon) -> list[str]:
    """'a plate of fruit' names both; 'a close-up of fruit' only fruit; 'place of worship' stays whole."""
    head, of, rest = part.partition(" of ")
    if (
        not of
        or _bare(part, lexicon) in lexicon.classes
        or head.split()[-1:] == ["place"]
        or rest.split()[:1] == ["prey"]
    ):
        return [part]
    return [head, *_around_of(rest, lexicon)]


def _bare(text: str, lexicon: Lexicon) -> Name:
    """The words of a name without hedges, determiners and words for the picture itself around it."""
    words = [word for word in re.findall(r"[^\s]+", text) if word not in _HEDGES]
    while words and words[0] in _DETERMINERS:
        del words[0]
    name = stems(" ".join(words))
    if name in lexicon.classes:
        return name
    while len(name) > 1 and name[-1] in _VIEWS:
        name = name[:-1]
    return () if (len(name) == 1 and name[0] in _VIEWS) or name == ("close", "up") else name


def truth_of(name: Name, label: Label, lexicon: Lexicon) -> Truth:
    """Whether a named thing is in the image, by the rules at the head of this file."""
    if listed := label.truth(name) or _as_head(name, label):
        return listed
    if len(name) == 2 and name[1] == "life" and (kind := label.truth(name[:1])):
        return kind  # 'plant life' is plants
    if name in lexicon.classes:
        return _in_parts(name, label) or Truth.FALSE
    for start in range(1, len(name)):
        if head := label.truth(name[start:]):
            return Truth.FALSE if _false_place(name[:start], label) else head
    return Truth.NEUTRAL if all(word in _NEUTRAL for word in name) else Truth.FALSE


def _in_parts(name: Name, label: Label) -> Truth | None:
    """A class name of two listed names: 'pekingese' and 'dog', 'cup' (of) 'espresso'. None where one is not there."""
    pairs = [(name[:cut], name[cut:]) for cut in range(1, len(name))]
    pairs = [(first, rest[1:] if rest[0] == "of" else rest) for first, rest in pairs]
    return next((label.truth(rest) for first, rest in pairs if label.truth(first) and label.truth(rest)), None)


def _false_place(modifiers: Name, label: Label) -> bool:
    return any(word in _PLACES and word not in label.words() for word in modifiers)


def _as_head(name: Name, label: Label) -> Truth | None:
    """The head of a longer name is a broader class of it: 'instrument' for `musical instrument`."""
    for names, truth in ((label.subjects | label.broader, Truth.BROADER), (label.visible, Truth.VISIBLE)):
        if any(len(longer) > len(name) and longer[-len(name) :] == name for longer in names):
            return truth
    return None


def _best(alternatives: Sequence[Name], label: Label, lexicon: Lexicon) -> Truth:
    order = list(Truth)
    return min((truth_of(name, label, lexicon) for name in alternatives), key=order.index)


def score(caption: str, phrases: Sequence[str], label: Label, lexicon: Lexicon) -> Score:
    """The verdict on one answer. `phrases` are those of the prompt that say what the picture is of."""
    claims = [(names, _best(names, label, lexicon)) for names in named_things(caption, lexicon)]
    claims = [(names, truth) for names, truth in claims if truth is not Truth.NEUTRAL]
    named = tuple(" or ".join(" ".join(name) for name in names) for names, _ in claims)
    truths = {truth for _, truth in claims}
    in_prompt = any(_is_about(phrase, label, lexicon) for phrase in phrases)
    false_words = tuple(word for phrase in phrases for word in false_things(phrase, label, lexicon))
    if Truth.FALSE in truths:
        return Score(Outcome.WRONG, False, named, false_words)
    in_caption = bool(truths & _RIGHT)
    return Score(Outcome.RIGHT if in_caption or in_prompt else Outcome.NONE, in_caption, named, false_words)


def _is_about(phrase: str, label: Label, lexicon: Lexicon) -> bool:
    """Whether the thing a phrase begins with is right: nothing for 'inside a building', `rim` for 'rim of the cup'."""
    first = named_things(_CUTS.split(phrase.lower())[0], lexicon)
    return bool(first) and _best(first[0], label, lexicon) in _RIGHT


def false_things(phrase: str, label: Label, lexicon: Lexicon) -> list[str]:
    """Words of a phrase that stand for things, but for none in this image."""
    if all(_best(names, label, lexicon) is not Truth.FALSE for names in named_things(phrase, lexicon)):
        return []
    true_words = label.words()
    return [word for word in stems(phrase) if word in lexicon.things and word not in true_words]


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95% interval of a share, as (low, high); (0, 1) where there is nothing to count."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    centre = share + z * z / (2 * total)
    spread = z * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
