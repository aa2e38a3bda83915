"""What is true of a scene, as facts, and the many ways in which it is said: captions, phrases, whole prompts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from benchmarks.scenes.render import Plan, Relation, Thing
from benchmarks.scenes.shapes import COLOURS

_T = TypeVar("_T")

NAMES: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "star": ("star", "five-pointed star"),
    "heart": ("heart", "love heart"),
    "cross": ("cross", "plus sign"),
    "house": ("house", "cottage"),
    "tree": ("tree", "leafy tree"),
    "fish": ("fish", "goldfish"),
    "cat": ("cat", "kitten face"),
    "car": ("car", "automobile"),
    "moon": ("moon", "crescent moon"),
    "umbrella": ("umbrella", "parasol"),
}
STYLES: dict[str, tuple[str, ...]] = {
    "sepia": ("sepia", "sepia toned photograph", "old brown photo", "antique print"),
    "monochrome": ("black and white", "monochrome", "grayscale photograph", "desaturated"),
    "cyanotype": ("cyanotype", "blueprint", "blue monotone", "duotone blue"),
    "pastel": ("pastel colors", "soft pale palette", "washed out colors", "light pastel shades"),
    "neon": ("neon colors", "glowing neon", "vivid fluorescent palette", "synthwave glow"),
    "oil": ("oil painting", "thick brush strokes", "impasto", "oil on canvas"),
    "watercolour": ("watercolor", "watercolor painting", "wet paint washes", "aquarelle"),
    "pixels": ("pixel art", "8-bit graphics", "low resolution sprite", "retro game pixels"),
    "sketch": ("pencil sketch", "graphite drawing", "hatching", "hand drawn with pencil"),
    "lines": ("line drawing", "ink outlines", "line art", "coloring book page"),
    "cartoon": ("cartoon", "bold black outlines", "cel shading", "flat cartoon illustration"),
    "halftone": ("halftone", "comic book dots", "pop art print", "ben-day dots"),
    "mosaic": ("mosaic", "ceramic tiles", "tiled mosaic wall", "roman mosaic"),
    "spotlight": ("spotlight", "stage lighting", "lit by a spotlight", "dark surroundings"),
    "backlight": ("backlit", "silhouette", "rim light from behind", "against the light"),
    "vignette": ("vignette", "darkened corners", "vignetting", "dark edges"),
    "golden": ("golden hour", "warm sunlight", "sunlight from the right", "warm glow"),
    "moonlight": ("moonlight", "dim blue light", "lit by the moon", "dark blue night lighting"),
    "blur": ("blurry", "soft focus", "out of focus", "gaussian blur"),
    "grain": ("film grain", "grainy", "noisy high iso", "analog film texture"),
    "glitch": ("glitch art", "chromatic aberration", "vhs scan lines", "rgb shift"),
}
BACKDROPS: dict[str, tuple[str, ...]] = {
    "white": ("white background", "plain white backdrop"),
    "black": ("black background", "plain black backdrop"),
    "cream": ("cream background", "beige backdrop"),
    "lavender": ("lavender background", "pale violet backdrop"),
    "meadow": ("green meadow under a blue sky", "grass field"),
    "sea": ("open sea", "ocean horizon"),
    "desert": ("sandy desert", "dunes"),
    "snow": ("snowy field", "winter landscape"),
    "night": ("starry night sky", "stars at night"),
    "sunset": ("sunset sky", "purple and orange dusk"),
    "checkered": ("checkered background", "checkerboard pattern"),
    "striped": ("pink striped wallpaper", "vertical stripes"),
}
COUNTS = {1: ("single object", "one object alone"), 2: ("two objects", "pair of things"), 3: ("three objects", "trio")}
ARRANGED = {
    "left": ("side by side", "next to each other"),
    "above": ("one above the other", "stacked vertically"),
    "inside": ("one inside the other", "nested shapes"),
}
FILLERS = (
    "highly detailed",
    "masterpiece",
    "trending on artstation",
    "award winning",
    "intricate",
    "best quality",
    "featured on behance",
    "octane render",
    "by greg rutkowski",
    "hd",
    "4k",
    "stock image",
)
"""Phrases that occur with any scene and are true of none."""
_JOINTS = {
    "left": (("to the left of", False), ("left of", False), ("next to", None), ("to the right of", True)),
    "above": (("above", False), ("over", False), ("below", True), ("under", True)),
    "inside": (("inside", False), ("within", False), ("in front of", False), ("containing", True)),
}
_WITHOUT_ARTICLE = frozenset({"dunes", "stars at night", "vertical stripes", "purple and orange dusk"})
_SIZES = {"small": ("small", "tiny", "little"), "medium": ("medium-sized",), "large": ("large", "big", "huge")}


@cache
def wordings() -> dict[str, tuple[str, ...]]:
    """Every fact that can be true of a scene -> the phrases that say it."""
    said: dict[str, tuple[str, ...]] = {}
    for shape, names in NAMES.items():
        said[f"thing {shape}"] = names
        for size in ("small", "large"):
            said[f"{size} {shape}"] = (f"{size} {shape}",)
        for colour in COLOURS:
            said[f"{colour} {shape}"] = (f"{colour} {shape}",)
    said |= {f"style {style}": phrases for style, phrases in STYLES.items()}
    said |= {f"backdrop {name}": phrases for name, phrases in BACKDROPS.items()}
    said |= {f"count {count}": phrases for count, phrases in COUNTS.items()}
    return said | {f"arranged {how}": phrases for how, phrases in ARRANGED.items()}


@cache
def vocabulary() -> tuple[str, ...]:
    """Every phrase that a search may choose from: true ones and false ones of any scene, and the fillers."""
    return (*(phrase for phrases in wordings().values() for phrase in phrases), *FILLERS)


def facts(plan: Plan) -> tuple[str, ...]:
    """What is true of a scene: keys of `wordings()`. Colours that its style hides are not."""
    true = [f"count {len(plan.things)}", f"backdrop {plan.background}"]
    for thing in plan.things:
        true.append(f"thing {thing.shape}")
        if thing.size != "medium":
            true.append(f"{thing.size} {thing.shape}")
        if plan.colours_show:
            true.append(f"{thing.colour} {thing.shape}")
    true += [f"arranged {how}" for how in dict.fromkeys(relation.how for relation in plan.relations)]
    return (*true, *(f"style {style}" for style in plan.styles))


def true_phrases(plan: Plan) -> tuple[str, ...]:
    """The phrases of the vocabulary that are true of a scene, in the vocabulary's order."""
    known = set(facts(plan))
    return tuple(phrase for fact, phrases in wordings().items() if fact in known for phrase in phrases)


def caption(plan: Plan) -> str:
    """A sentence on what a scene shows, without its style."""
    return _sentence(plan, None).words


def prompt(plan: Plan) -> str:
    """The known prompt of a scene: its caption and one phrase for each style."""
    return ", ".join([caption(plan), *(STYLES[style][0] for style in plan.styles)])


@dataclass(frozen=True, slots=True)
class Text:
    """Words, and all that must be true of a scene for them to be true: keys of `truths`."""

    words: str
    says: frozenset[str]


def truths(plan: Plan) -> frozenset[str]:
    """All that a text can say of a scene: `facts`, medium sizes, and how its things stand to one another."""
    true = {*facts(plan), *(f"{thing.size} {thing.shape}" for thing in plan.things)}
    for relation in plan.relations:
        pair = plan.things[relation.first].shape, plan.things[relation.second].shape
        true |= {f"{relation.how}: {pair[0]}, {pair[1]}", f"beside: {', '.join(sorted(pair))}"}
    return frozenset(true)


def training_text(plan: Plan, chance: random.Random, longest: int) -> Text:
    """One of the many texts that belong to a scene, of at most `longest` phrases: a caption and true phrases of it in
    any order, now and then phrases alone; sometimes a filler among them."""
    styles = [f"style {style}" for style in plan.styles]
    others = [fact for fact in facts(plan) if fact not in styles]
    sentence = chance.random() < 0.6
    chosen = [fact for fact in styles if chance.random() < 0.85]
    share = chance.random() * (0.5 if sentence else 0.9)
    chosen += [fact for fact in others if chance.random() < share]
    if chance.random() < 0.4:  # the same again in other words
        chosen += [fact for fact in styles + others if chance.random() < 0.35]
    said = {chance.choice(wordings()[fact]): frozenset((fact,)) for fact in chosen}
    if chance.random() < 0.15:
        said[chance.choice(FILLERS)] = frozenset()
    parts = [Text(words, says) for words, says in said.items()]
    chance.shuffle(parts)
    parts = parts[: max(longest - sentence, 0)]
    if sentence or not any(part.says for part in parts):
        parts.insert(0 if chance.random() < 0.8 else len(parts), _sentence(plan, chance))
    return Text(", ".join(part.words for part in parts), frozenset().union(*(part.says for part in parts)))


def _sentence(plan: Plan, chance: random.Random | None) -> Text:
    """What a scene shows, without its style; with `chance`, in other words and less of it."""
    things = _things(plan, chance)
    if not _keeps(chance, 0.5):
        return things
    backdrop = _with_article(_one(BACKDROPS[plan.background], chance))
    words = f"{things.words} {_one(('on', 'in front of', 'against'), chance)} {backdrop}"
    return Text(words, things.says | {f"backdrop {plan.background}"})


def _keeps(chance: random.Random | None, share: float) -> bool:
    """Whether a detail is said: always, where nothing is left to chance."""
    return chance is None or chance.random() < share


def _one(choices: Sequence[_T], chance: random.Random | None) -> _T:
    return choices[0] if chance is None else chance.choice(choices)


def _named(thing: Thing, coloured: bool, chance: random.Random | None) -> Text:
    """A noun phrase: "a small red circle"."""
    says = {f"thing {thing.shape}"}
    words = []
    if (thing.size != "medium" and _keeps(chance, 0.5)) or (chance is not None and chance.random() < 0.05):
        words.append(_one(_SIZES[thing.size], chance))
        says.add(f"{thing.size} {thing.shape}")
    if coloured and _keeps(chance, 0.75):
        words.append(thing.colour)
        says.add(f"{thing.colour} {thing.shape}")
    name = NAMES[thing.shape][0] if _keeps(chance, 0.7) else NAMES[thing.shape][1]
    return Text(_with_article(" ".join([*words, name])), frozenset(says))


def _with_article(phrase: str) -> str:
    if phrase in _WITHOUT_ARTICLE:
        return phrase
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _things(plan: Plan, chance: random.Random | None) -> Text:
    """All things and how they stand to one another: "a red cat left of a car and above a blue star"."""
    names = [_named(thing, plan.colours_show, chance) for thing in plan.things]
    says = frozenset().union(*(name.says for name in names))
    if not plan.relations or not _keeps(chance, 0.8):
        shown = names if chance is None else chance.sample(names, len(names))
        if chance is not None and chance.random() < 0.3:  # one of them alone
            return shown[0]
        return Text(" and ".join(name.words for name in shown), says)
    clauses = [_related(plan, relation, names, chance) for relation in plan.relations]
    shown = clauses if chance is None else chance.sample(clauses, len(clauses))
    return Text(", and ".join(clause.words for clause in shown), says.union(*(clause.says for clause in shown)))


def _related(plan: Plan, relation: Relation, names: list[Text], chance: random.Random | None) -> Text:
    joint, reverse = _one(_JOINTS[relation.how], chance)
    pair = [relation.first, relation.second]
    shapes = [plan.things[place].shape for place in pair]
    says = f"beside: {', '.join(sorted(shapes))}" if reverse is None else f"{relation.how}: {', '.join(shapes)}"
    if reverse or (reverse is None and chance is not None and chance.random() < 0.5):
        pair.reverse()
    return Text(f"{names[pair[0]].words} {joint} {names[pair[1]].words}", frozenset((says,)))
