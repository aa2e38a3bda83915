"""Styles as filters of a (64, 64, 3) float32 picture in [0, 1]: medium, palette, light and finish.

Each filter takes the picture, the mask of the things, (64, 64) float32, and a generator for its chance parts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Picture = NDArray[np.float32]
Filter = Callable[[Picture, Picture, np.random.Generator], Picture]
SIDE = 64
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def _as_image(picture: Picture) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def _as_picture(image: Image.Image) -> Picture:
    return np.asarray(image, dtype=np.float32) / 255


def _filtered(picture: Picture, kind: Any) -> Picture:
    return _as_picture(_as_image(picture).filter(kind))


def _resized(picture: Picture, side: int, how: Image.Resampling) -> Picture:
    return _as_picture(_as_image(picture).resize((side, side), how))


def _gray(picture: Picture) -> Picture:
    return picture @ _LUMA


def _edges(picture: Picture) -> Picture:
    """(64, 64): the steepest slope of any channel at each pixel."""
    down = np.abs(np.diff(picture, axis=0, append=picture[-1:])).max(axis=2)
    across = np.abs(np.diff(picture, axis=1, append=picture[:, -1:])).max(axis=2)
    return np.maximum(down, across)


def _blotches(chance: np.random.Generator, cells: int) -> Picture:
    """(64, 64) in [0, 1]: smooth noise of that many cells a side."""
    rough = chance.random((cells, cells), dtype=np.float32)
    return _as_picture(_as_image(rough).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


@cache
def _grid() -> tuple[Picture, Picture]:
    """The (64, 64) coordinates of the rows and of the columns, in [-1, 1]."""
    line = (np.arange(SIDE, dtype=np.float32) + 0.5) / (SIDE / 2) - 1
    return np.repeat(line[:, None], SIDE, axis=1), np.repeat(line[None, :], SIDE, axis=0)


def _tinted(gray: Picture, dark: tuple[float, float, float], light: tuple[float, float, float]) -> Picture:
    low, high = np.array(dark, dtype=np.float32), np.array(light, dtype=np.float32)
    return low + gray[..., None] * (high - low)


def sepia(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    return _tinted(_gray(picture), (0.2, 0.12, 0.05), (1.0, 0.9, 0.7))


def monochrome(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    return np.repeat(_gray(picture)[..., None], 3, axis=2)


def cyanotype(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    return _tinted(_gray(picture), (0.02, 0.12, 0.4), (0.85, 0.95, 1.0))


def pastel(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    return 0.55 * picture + 0.45 * np.array([1.0, 0.97, 0.95], dtype=np.float32)


def neon(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    gray = _gray(picture)[..., None]
    vivid = np.clip(gray + (picture - gray) * 1.6, 0, 1)
    return np.clip(vivid + 0.9 * _filtered(vivid, ImageFilter.GaussianBlur(3)), 0, 1)


def oil(picture: Picture, _mask: Picture, chance: np.random.Generator) -> Picture:
    daubs = _filtered(picture, ImageFilter.ModeFilter(5))
    strokes = chance.standard_normal((SIDE, SIDE), dtype=np.float32)
    for _ in range(2):  # smeared along the diagonal: the direction of the brush
        strokes = strokes + np.roll(strokes, (1, 1), (0, 1)) + np.roll(strokes, (2, 2), (0, 1))
    return np.clip(daubs + 0.028 * strokes[..., None], 0, 1)


def watercolour(picture: Picture, _mask: Picture, chance: np.random.Generator) -> Picture:
    wet = _filtered(picture, ImageFilter.GaussianBlur(1))
    wash = (0.12 + 0.25 * _blotches(chance, 9))[..., None]
    rim = np.clip(_edges(wet) * 1.2, 0, 0.35)[..., None]
    return np.clip(wet * (1 - wash) + wash - rim * wet, 0, 1)


def pixels(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    small = np.round(_resized(picture, 24, Image.Resampling.BOX) * 5) / 5
    return _resized(small.astype(np.float32), SIDE, Image.Resampling.NEAREST)


def sketch(picture: Picture, _mask: Picture, chance: np.random.Generator) -> Picture:
    gray = _gray(picture)
    row, column = _grid()
    hatch = 0.5 + 0.5 * np.sin((row + column) * 32 + chance.random() * 6)
    tone = 0.93 - 0.42 * (1 - gray) * hatch - 0.9 * np.clip(_edges(picture), 0, 0.7)
    tone = tone + 0.03 * chance.standard_normal((SIDE, SIDE), dtype=np.float32)
    return np.repeat(np.clip(tone, 0, 1)[..., None], 3, axis=2).astype(np.float32)


def lines(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    ink = (_edges(picture) > 0.13).astype(np.float32)
    return np.repeat((1 - ink)[..., None], 3, axis=2)


def cartoon(picture: Picture, mask: Picture, _chance: np.random.Generator) -> Picture:
    flat = np.round(picture * 4) / 4
    rim = _filtered(mask, ImageFilter.MaxFilter(3)) - mask
    ink = np.maximum(rim > 0.5, _edges(picture) * mask > 0.3).astype(np.float32)[..., None]
    return (flat * (1 - ink)).astype(np.float32)


def halftone(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    row, column = _grid()
    wave = 0.5 + 0.25 * (np.cos((row + column) * 36) + np.cos((row - column) * 36))
    dots = np.clip((wave - _gray(picture)) * 6 + 0.5, 0, 1)[..., None]
    return np.clip(picture * 1.1 + 0.12 - 0.55 * dots, 0, 1).astype(np.float32)


def mosaic(picture: Picture, _mask: Picture, chance: np.random.Generator) -> Picture:
    tiles = _resized(picture, 16, Image.Resampling.BOX)
    tiles = np.clip(tiles + 0.06 * chance.standard_normal((16, 16, 1), dtype=np.float32), 0, 1)
    laid = 0.6 * _resized(tiles, SIDE, Image.Resampling.NEAREST) + 0.4 * picture
    place = np.arange(SIDE) % 4 == 0
    grout = (place[:, None] | place[None, :])[..., None]
    return np.where(grout, 0.3 * laid + 0.55, laid).astype(np.float32)


def blur(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    return _filtered(picture, ImageFilter.GaussianBlur(1.5))


def grain(picture: Picture, _mask: Picture, chance: np.random.Generator) -> Picture:
    noise = chance.standard_normal((SIDE, SIDE, 1), dtype=np.float32)
    return np.clip(picture + 0.09 * noise, 0, 1)


def glitch(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    shifted = picture.copy()
    shifted[:, 2:, 0], shifted[:, :-2, 2] = picture[:, :-2, 0], picture[:, 2:, 2]
    shifted[::4] *= 0.8
    return shifted


def spotlight(picture: Picture, mask: Picture, _chance: np.random.Generator) -> Picture:
    row, column = _grid()
    weight = mask + 1e-3
    down, across = (row * weight).sum() / weight.sum(), (column * weight).sum() / weight.sum()
    distance = np.hypot(row - down, column - across)
    reach = max(0.55, float(distance[mask > 0.5].max(initial=0)) + 0.08)
    lit = np.clip((reach - distance) * 12, 0, 1)[..., None]
    return np.clip(picture * (0.15 + 0.95 * lit), 0, 1).astype(np.float32)


def backlight(picture: Picture, mask: Picture, _chance: np.random.Generator) -> Picture:
    halo = _filtered(mask, ImageFilter.GaussianBlur(5))[..., None] * 2.2
    bright = np.clip(0.75 * picture + 0.25 + halo * np.array([1.0, 0.95, 0.8], dtype=np.float32), 0, 1)
    inside = mask[..., None]
    return (bright * (1 - inside) + 0.12 * picture * inside).astype(np.float32)


def vignette(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    row, column = _grid()
    corner = np.clip(np.hypot(row, column) - 0.6, 0, 1)[..., None]
    return np.clip(picture * (1 - 1.3 * corner), 0, 1).astype(np.float32)


def golden(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    row, column = _grid()
    glow = np.clip(1.25 - np.hypot(row + 1, column - 1) / 1.5, 0, 1)[..., None]
    return np.clip(picture * (1 - 0.35 * glow) + glow * np.array([0.75, 0.45, 0.05], dtype=np.float32), 0, 1)


def moonlight(picture: Picture, _mask: Picture, _chance: np.random.Generator) -> Picture:
    gray = _gray(picture)[..., None]
    return ((0.35 * picture + 0.65 * gray) * np.array([0.3, 0.4, 0.75], dtype=np.float32)).astype(np.float32)


PALETTES: dict[str, Filter] = {
    "sepia": sepia,
    "monochrome": monochrome,
    "cyanotype": cyanotype,
    "pastel": pastel,
    "neon": neon,
}
MEDIA: dict[str, Filter] = {
    "oil": oil,
    "watercolour": watercolour,
    "pixels": pixels,
    "sketch": sketch,
    "lines": lines,
    "cartoon": cartoon,
    "halftone": halftone,
    "mosaic": mosaic,
}
LIGHTS: dict[str, Filter] = {
    "spotlight": spotlight,
    "backlight": backlight,
    "vignette": vignette,
    "golden": golden,
    "moonlight": moonlight,
}
FINISHES: dict[str, Filter] = {"blur": blur, "grain": grain, "glitch": glitch}
COLOURLESS = frozenset({"sepia", "monochrome", "cyanotype", "sketch", "lines", "backlight", "moonlight"})
"""The styles under which nobody can tell the colour of a thing."""
