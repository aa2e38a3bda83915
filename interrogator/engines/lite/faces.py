"""Faces by the cascade of local binary patterns that scikit-image carries (Liao et al. 2007)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from skimage import data
from skimage.feature import Cascade

_LONG_SIDE = 360  # pixels of the copy that is searched
_SMALLEST, _LARGEST = 40, 300  # pixels of a face in that copy
_NEIGHBOURS = 5  # windows that must agree


@dataclass(frozen=True, slots=True)
class Faces:
    """How many frontal faces there are, and the side of the largest as a share of the image's short side."""

    count: int = 0
    largest: float = 0.0


class FaceFinder:
    """Finds upright frontal faces that are at least a ninth of the image's long side."""

    def __init__(self) -> None:
        cascade = data.lbp_frontal_face_cascade_filename()  # type: ignore[no-untyped-call] # scikit-image has few types
        self._cascade = Cascade(cascade)

    def __call__(self, image: Image.Image) -> Faces:
        """The faces of an RGB image."""
        small = image.copy()
        small.thumbnail((_LONG_SIDE, _LONG_SIDE))
        if min(small.size) < _SMALLEST:
            return Faces()
        found = self._cascade.detect_multi_scale(
            img=np.asarray(small),
            scale_factor=1.2,
            step_ratio=1.3,
            min_size=(_SMALLEST, _SMALLEST),
            max_size=(_LARGEST, _LARGEST),
            min_neighbor_number=_NEIGHBOURS,
        )
        faces = _apart([(face["c"], face["r"], face["width"]) for face in found])
        return Faces(len(faces), max((side for _, _, side in faces), default=0) / min(small.size))


def _apart(found: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Of squares (left, top, side) that overlap only the largest: the cascade finds a large face more than once."""
    kept: list[tuple[int, int, int]] = []
    for left, top, side in sorted(found, key=lambda square: (-square[2], square)):
        if all(left >= x + s or x >= left + side or top >= y + s or y >= top + side for x, y, s in kept):
            kept.append((left, top, side))
    return kept
