"""The things that scenes are made of: each drawn with Pillow around a centre, in a body colour and its shades."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import ImageDraw

RGB = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws in units of the thing: (0, 0) is its centre, (-1, -1) and (1, 1) are the corners of its square."""

    draw: ImageDraw.ImageDraw
    centre: Point  # canvas pixels
    radius: float  # canvas pixels
    body: RGB
    flat: bool = False  # every part in the body colour, for a mask

    @property
    def shade(self) -> RGB:
        """A darker tone of the body, lighter where the body itself is dark."""
        if sum(self.body) < 200:
            return _mixed(self.body, (255, 255, 255), 0.35)
        return _mixed(self.body, (0, 0, 0), 0.45)

    def polygon(self, points: Sequence[Point], colour: RGB | None = None) -> None:
        self.draw.polygon([self._at(point) for point in points], fill=self._tone(colour))

    def ellipse(self, left: float, top: float, right: float, bottom: float, colour: RGB | None = None) -> None:
        self.draw.ellipse([self._at((left, top)), self._at((right, bottom))], fill=self._tone(colour))

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB | None = None) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def line(self, points: Sequence[Point], width: float, colour: RGB | None = None) -> None:
        pixels = max(1, round(width * self.radius))
        self.draw.line([self._at(point) for point in points], fill=self._tone(colour), width=pixels, joint="curve")

    def _at(self, point: Point) -> Point:
        return self.centre[0] + point[0] * self.radius, self.centre[1] + point[1] * self.radius

    def _tone(self, colour: RGB | None) -> RGB:
        return self.body if colour is None or self.flat else colour


def _mixed(one: RGB, other: RGB, share: float) -> RGB:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _ring(count: int, radii: Sequence[float], turn: float = -math.pi / 2) -> list[Point]:
    """`count` points around the centre, at the radii in turn, the first one at the top."""
    angles = [turn + 2 * math.pi * index / count for index in range(count)]
    return [
        (radii[index % len(radii)] * math.cos(angle), radii[index % len(radii)] * math.sin(angle))
        for index, angle in enumerate(angles)
    ]


def _circle(pen: Pen) -> None:
    pen.ellipse(-0.95, -0.95, 0.95, 0.95)


def _square(pen: Pen) -> None:
    pen.box(-0.85, -0.85, 0.85, 0.85)


def _star(pen: Pen) -> None:
    pen.polygon(_ring(10, (1.05, 0.42)))


def _heart(pen: Pen) -> None:
    turns = [2 * math.pi * index / 32 for index in range(32)]
    pen.polygon(
        [
            (
                math.sin(t) ** 3,
                -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 15.5 - 0.1,
            )
            for t in turns
        ]
    )


def _cross(pen: Pen) -> None:
    pen.box(-0.3, -0.95, 0.3, 0.95)
    pen.box(-0.95, -0.3, 0.95, 0.3)


def _house(pen: Pen) -> None:
    pen.box(-0.75, -0.1, 0.75, 0.95)
    pen.polygon([(-1, -0.05), (0, -1), (1, -0.05)], pen.shade)
    pen.box(-0.2, 0.35, 0.2, 0.95, pen.shade)


def _tree(pen: Pen) -> None:
    pen.box(-0.16, 0.3, 0.16, 1, (110, 70, 35))
    pen.ellipse(-0.6, -1, 0.6, 0.0)
    pen.ellipse(-0.9, -0.55, 0.1, 0.45)
    pen.ellipse(-0.1, -0.55, 0.9, 0.45)


def _fish(pen: Pen) -> None:
    pen.ellipse(-0.55, -0.5, 1, 0.5)
    pen.polygon([(-0.4, 0), (-1, -0.55), (-1, 0.55)])
    pen.ellipse(0.5, -0.25, 0.75, 0, pen.shade)


def _cat(pen: Pen) -> None:
    pen.polygon([(-0.85, -1), (-0.15, -0.55), (-0.8, 0.1)])
    pen.polygon([(0.85, -1), (0.15, -0.55), (0.8, 0.1)])
    pen.ellipse(-0.85, -0.65, 0.85, 0.9)
    for side in (-1, 1):
        pen.ellipse(side * 0.37 - 0.16, -0.2, side * 0.37 + 0.16, 0.15, pen.shade)
    pen.polygon([(-0.15, 0.35), (0.15, 0.35), (0, 0.55)], pen.shade)


def _car(pen: Pen) -> None:
    pen.polygon([(-0.6, -0.05), (-0.35, -0.55), (0.35, -0.55), (0.65, -0.05)])
    pen.box(-1, -0.1, 1, 0.4)
    pen.polygon([(-0.4, -0.1), (-0.25, -0.4), (0.25, -0.4), (0.42, -0.1)], (215, 235, 245))
    for middle in (-0.55, 0.55):
        pen.ellipse(middle - 0.28, 0.15, middle + 0.28, 0.7, pen.shade)


def _moon(pen: Pen) -> None:
    outer = [(math.cos(t), math.sin(t)) for t in (math.radians(60 + 12 * i) for i in range(21))]
    inner = [(0.5 + 0.87 * math.cos(t), 0.87 * math.sin(t)) for t in (math.radians(268 - 8.8 * i) for i in range(21))]
    pen.polygon([(x * 0.98 + 0.2, y * 0.98) for x, y in outer + inner])


def _umbrella(pen: Pen) -> None:
    pen.line([(0, -0.9), (0, 0.75), (0.12, 0.9), (0.32, 0.85), (0.38, 0.6)], 0.12, pen.shade)
    canopy = [(x, y * 0.95 + 0.1) for x, y in _ring(24, (1,)) if y < 0.1]
    pen.polygon([*canopy, (-0.65, -0.12), (-0.33, 0.1), (0, -0.12), (0.33, 0.1), (0.65, -0.12)])


SHAPES: dict[str, Callable[[Pen], None]] = {
    "circle": _circle,
    "square": _square,
    "star": _star,
    "heart": _heart,
    "cross": _cross,
    "house": _house,
    "tree": _tree,
    "fish": _fish,
    "cat": _cat,
    "car": _car,
    "moon": _moon,
    "umbrella": _umbrella,
}
"""How each thing is drawn."""

COLOURS: dict[str, RGB] = {
    "red": (218, 32, 36),
    "orange": (245, 135, 20),
    "yellow": (250, 220, 40),
    "green": (40, 160, 60),
    "cyan": (40, 205, 215),
    "blue": (35, 75, 215),
    "purple": (125, 45, 165),
    "pink": (250, 120, 190),
    "black": (18, 18, 20),
    "white": (250, 250, 250),
}
"""The body colours."""
