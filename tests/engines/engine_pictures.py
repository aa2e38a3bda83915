"""Photographs that scikit-image carries, and pictures drawn here."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage import data


def cat() -> Image.Image:
    return Image.fromarray(data.chelsea())


def portrait() -> Image.Image:
    return Image.fromarray(data.astronaut())


def coffee() -> Image.Image:
    return Image.fromarray(data.coffee())


def rocket() -> Image.Image:
    return Image.fromarray(data.rocket())


def noise(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (96, 64)) -> Image.Image:
    return Image.new("RGB", size, colour)


def disc(backdrop: tuple[int, int, int], colour: tuple[int, int, int]) -> Image.Image:
    """A disc that covers about half of an even backdrop."""
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    pixels = np.where((x**2 + y**2 < 0.65)[..., None], colour, backdrop).astype(np.uint8)
    return Image.fromarray(pixels)
