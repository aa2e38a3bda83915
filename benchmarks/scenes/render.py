"""Scenes from seeds: what is in one (`planned`), and its picture (`rendered`). The same seed gives the same pixels."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.scenes.filters import COLOURLESS, FINISHES, LIGHTS, MEDIA, PALETTES, SIDE
from benchmarks.scenes.shapes import COLOURS, RGB, SHAPES, Pen

_SCALE = 2  # drawn larger and reduced, for smooth edges
DIAMETERS = {  # pixels of the finished picture, by how many things there are
    1: {"small": 23.0, "medium": 33.0, "large": 47.0},
    2: {"small": 18.0, "medium": 24.0, "large": 31.0},
    3: {"small": 17.0, "medium": 22.0, "large": 28.0},
}
_HOLDERS = ("circle", "square", "heart")  # large enough within to hold another thing
_VIVID = ("red", "orange", "yellow", "green", "cyan", "blue", "pink", "white")  # seen on black under neon
_PLAIN = {"white": (252, 252, 252), "black": (8, 8, 10), "cream": (250, 232, 200), "lavender": (205, 195, 245)}
_TWO_TONE: dict[str, tuple[RGB, RGB]] = {
    "meadow": ((150, 205, 245), (120, 190, 80)),
    "sea": ((205, 232, 250), (30, 105, 165)),
    "desert": ((250, 215, 150), (215, 165, 95)),
    "snow": ((170, 195, 220), (240, 246, 252)),
}
BACKGROUNDS = (*_PLAIN, *_TWO_TONE, "night", "sunset", "checkered", "striped")


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a scene; pixels are of the finished picture."""

    shape: str
    colour: str
    size: str  # "small", "medium" or "large", among scenes of as many things
    across: float  # pixels
    down: float  # pixels
    diameter: float  # pixels


@dataclass(frozen=True, slots=True)
class Relation:
    """`how` ("left", "above" or "inside") the thing of place `first` is to that of place `second`."""

    first: int
    how: str
    second: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a scene is, from its seed."""

    seed: int
    things: tuple[Thing, ...]
    relations: tuple[Relation, ...]
    background: str
    palette: str | None
    medium: str | None
    light: str | None
    finish: str | None

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles that it has, in the order in which they are applied."""
        return tuple(style for style in (self.light, self.medium, self.palette, self.finish) if style is not None)

    @property
    def colours_show(self) -> bool:
        """Whether the colours of its things can be told."""
        return not COLOURLESS & set(self.styles)


def planned(seed: int, *, count: int | None = None, plain: bool = False) -> Plan:
    """The scene of a seed; `count` fixes how many things it has, `plain` leaves out every style."""
    chance = random.Random(seed)
    number = chance.choices((1, 2, 3), (5, 4, 1))[0] if count is None else count
    palette, medium, light, finish = (None, None, None, None) if plain else _styles(chance)
    background = "black" if palette == "neon" else chance.choice(BACKGROUNDS)
    places, relations = _layout(chance, number)
    shapes = chance.sample(list(SHAPES), number)
    if relations and relations[0].how == "inside":
        shapes[1] = chance.choice([shape for shape in _HOLDERS if shape != shapes[0]])
    gray = bool(COLOURLESS & {palette, medium, light})
    known = _VIVID if palette == "neon" else COLOURS
    usable = [colour for colour in known if _stands_out(colour, background, gray)]
    colours = _contrasting(chance, usable, number)
    things = tuple(
        Thing(shape, colour, size, across, down, diameter)
        for shape, colour, (size, across, down, diameter) in zip(shapes, colours, places, strict=True)
    )
    return Plan(seed, things, relations, background, palette, medium, light, finish)


def rendered(plan: Plan) -> NDArray[np.uint8]:
    """(64, 64, 3): the picture of a plan."""
    chance = np.random.default_rng(plan.seed)
    canvas = _background(plan.background, chance)
    _draw(canvas, plan, flat=False)
    picture = np.asarray(canvas.reduce(_SCALE), dtype=np.float32) / 255
    stencil = Image.new("RGB", canvas.size)
    _draw(stencil, plan, flat=True)
    mask = np.asarray(stencil.reduce(_SCALE), dtype=np.float32)[..., 0] / 255
    for style in plan.styles:
        style_filter = (LIGHTS | MEDIA | PALETTES | FINISHES)[style]
        picture = style_filter(picture, mask, chance)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def _styles(chance: random.Random) -> tuple[str | None, str | None, str | None, str | None]:
    """Palette, medium, light and finish; those that would undo one another are not combined."""
    palette = chance.choice(list(PALETTES)) if chance.random() < 0.3 else None
    medium = chance.choice(list(MEDIA)) if chance.random() < 0.5 else None
    light = chance.choice(list(LIGHTS)) if chance.random() < 0.3 else None
    finish = chance.choice(list(FINISHES)) if chance.random() < 0.25 else None
    if medium in {"sketch", "lines"}:
        palette = light = None
    if medium in {"pixels", "mosaic", "halftone", "lines", "sketch", "watercolour"} and finish == "blur":
        finish = None
    if palette is not None and light in {"golden", "moonlight"}:
        light = None
    if palette == "neon" and light is not None:
        light = None
    return palette, medium, light, finish


_Place = tuple[str, float, float, float]  # size, across, down, diameter


def _layout(chance: random.Random, number: int) -> tuple[list[_Place], tuple[Relation, ...]]:
    """Where `number` things stand, how large, and how they stand to one another."""

    def place(size: str, across: float, down: float, jitter: float) -> _Place:
        diameter = DIAMETERS[number][size] * chance.uniform(0.93, 1.07)
        margin = diameter / 2 + 0.5
        spread = [min(max(at + chance.uniform(-jitter, jitter), margin), SIDE - margin) for at in (across, down)]
        return size, spread[0], spread[1], diameter

    def any_size() -> str:
        return chance.choice(list(DIAMETERS[number]))

    middle, low, high = SIDE / 2, SIDE / 4, 3 * SIDE / 4
    if number == 1:
        return [place(any_size(), middle, middle, 10)], ()
    if number == 2:
        how = chance.choices(("left", "above", "inside"), (2, 2, 1))[0]
        if how == "inside":
            outer = ("large", middle + chance.uniform(-5, 5), middle + chance.uniform(-5, 5), 52.0)
            return [("small", outer[1], outer[2], 21.0), outer], (Relation(0, how, 1),)
        ends = [(low, middle), (high, middle)] if how == "left" else [(middle, low), (middle, high)]
        places = [place(any_size(), *end, 3) for end in ends]
        return places, (Relation(0, how, 1),)
    # three of the four quarters: the corner one beside one of the others and above or below the other
    side, level = chance.choice((low, high)), chance.choice((low, high))
    places = [place(any_size(), across, down, 1) for across, down in (
        (side, level), (SIDE - side, level), (side, SIDE - level)
    )]  # fmt: skip
    beside = Relation(0, "left", 1) if side == low else Relation(1, "left", 0)
    stacked = Relation(0, "above", 2) if level == low else Relation(2, "above", 0)
    return places, (beside, stacked)


def _distance(one: RGB, other: RGB) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def _brightness(tone: RGB) -> float:
    return 0.299 * tone[0] + 0.587 * tone[1] + 0.114 * tone[2]


def _stands_out(colour: str, background: str, gray: bool) -> bool:
    """Whether a thing of that colour is seen; `gray`: where brightness alone remains."""
    tones = {
        **{name: (tone,) for name, tone in _PLAIN.items()},
        **_TWO_TONE,
        "night": ((15, 20, 60),),
        "sunset": ((250, 120, 60), (120, 60, 140)),
        "checkered": ((225, 225, 225), (170, 175, 180)),
        "striped": ((250, 225, 225), (235, 195, 200)),
    }[background]
    if gray and any(abs(_brightness(COLOURS[colour]) - _brightness(tone)) < 28 for tone in tones):
        return False
    return all(_distance(COLOURS[colour], tone) > 110 for tone in tones)


def _contrasting(chance: random.Random, usable: list[str], number: int) -> list[str]:
    """Colours for `number` things: mostly different ones."""
    return chance.sample(usable, number) if chance.random() < 0.85 or number > 1 else [chance.choice(usable)]


def _background(name: str, chance: np.random.Generator) -> Image.Image:
    side = SIDE * _SCALE
    if name in _PLAIN:
        return Image.new("RGB", (side, side), _PLAIN[name])
    if name in _TWO_TONE:
        upper, lower = _TWO_TONE[name]
        canvas = Image.new("RGB", (side, side), upper)
        horizon = int(side * (0.5 + 0.15 * chance.random()))
        ImageDraw.Draw(canvas).rectangle([0, horizon, side, side], fill=lower)
        return canvas
    row, column = np.mgrid[0:side, 0:side]
    if name == "sunset":
        share = (row / side)[..., None]
        return Image.fromarray(
            (np.array([120, 60, 140]) * (1 - share) + np.array([250, 130, 60]) * share).astype("uint8")
        )
    if name == "night":
        canvas = Image.new("RGB", (side, side), (15, 20, 60))
        pen = ImageDraw.Draw(canvas)
        for across, down in chance.integers(0, side - 2, (26, 2)).tolist():
            pen.rectangle([across, down, across + 1, down + 1], fill=(240, 240, 255))
        return canvas
    if name == "checkered":
        dark = (row // 16 + column // 16) % 2 == 0
        return Image.fromarray(np.where(dark[..., None], (170, 175, 180), (225, 225, 225)).astype("uint8"))
    dark = column // 8 % 2 == 0
    return Image.fromarray(np.where(dark[..., None], (235, 195, 200), (250, 225, 225)).astype("uint8"))


def _draw(canvas: Image.Image, plan: Plan, *, flat: bool) -> None:
    draw = ImageDraw.Draw(canvas)
    for thing in reversed(plan.things):  # what is inside another comes first, and is drawn last
        body = (255, 255, 255) if flat else COLOURS[thing.colour]
        centre = (thing.across * _SCALE, thing.down * _SCALE)
        SHAPES[thing.shape](Pen(draw, centre, thing.diameter / 2 * _SCALE, body, flat))
