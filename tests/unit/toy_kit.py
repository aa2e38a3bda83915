"""A small vocabulary in the space of the toy engine, and scenes in it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from toy_engine import ToyEngine

from interrogator.label_table import LabelTable
from interrogator.profiles import LITE
from interrogator.recipes import Scene
from interrogator.recipes.curated.ranking import Kit
from interrogator.vocabulary import Label, Rule, Vocabulary

ANIMAL, PLACE = frozenset({"animal"}), frozenset({"place"})
SUITS = {
    Label("striped mammal", "theme", style=False): ANIMAL,
    Label("savanna life", "theme", style=False): ANIMAL,
    Label("long legs", "detail", style=False): ANIMAL,
    Label("big eyes", "detail", style=False): ANIMAL,
    Label("bold stripes", "texture", style=True): ANIMAL,
    Label("short hair", "texture", style=True): ANIMAL,
    Label("lively", "mood", style=True): ANIMAL,
    Label("calm", "mood", style=True): ANIMAL | PLACE,
    Label("quiet harbor", "theme", style=False): PLACE,
    Label("rippled water", "texture", style=True): PLACE,
}
KINDS = tuple(
    Label(text, kind, style=False)
    for kind, texts in (("animal", ("zebra", "a zebra")), ("place", ("lake", "port by a lake")))
    for text in texts
)
WARM = Label("warm colors", "palette", style=True)


def toy_kit(**weights: float) -> Kit:
    engine = ToyEngine()
    vocabulary = Vocabulary(
        labels=tuple(SUITS),
        suits=SUITS,
        kinds=KINDS,
        negatives=tuple(Label(text, "negatives", style=True) for text in ("blurry", "jpeg noise", "logo", "text")),
        flaws={Label("fused hoof", "flaws", style=False): ANIMAL},
        opposites={"warm colors": ("icy blue",)},
        rules=(),
    )
    return Kit(
        engine=engine,
        vocabulary=vocabulary,
        table=LabelTable(vocabulary.labels, engine.text.embed([label.text for label in vocabulary.labels])),
        kinds=LabelTable(KINDS, engine.text.embed([kind.text for kind in KINDS])),
        profile=msgspec.structs.replace(LITE, **weights),
    )


def with_rule(kit: Kit, rule: Rule) -> Kit:
    return replace(kit, vocabulary=replace(kit.vocabulary, rules=(rule,)))


def scene(kit: Kit, shown: str, *, caption: str = "", cues: tuple[Label, ...] = ()) -> Scene:
    """A picture of `shown`, which the engine calls `caption`."""
    text = kit.engine.text
    return Scene(
        caption=caption, cues=cues, image=text.embed([shown])[0], subject=text.embed([caption])[0] if caption else None
    )
