"""What pixels say for certain: palette, light, contrast, composition. Each cue is a small function of measures, with a
threshold at which it was nearly always right on looked-at images; between thresholds nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from interrogator.vocabulary import Label

Array = npt.NDArray[np.floating[Any]]

_SIDE = 256  # pixels of the longest side that the measures are taken from
_COLOURED = 0.2  # chroma from which a pixel has a colour that a person would name
_PLAIN = 12.0 / 255  # distance from the background's colour that still looks the same


@dataclass(frozen=True, slots=True)
class Measures:
    """Statistics of an image, all in 0..1 unless said. Luma as in Rec. 601, chroma is max - min of R, G, B."""

    aspect: float  # width / height
    luma: float  # mean
    dark: float  # 5th percentile of luma
    bright: float  # 95th percentile of luma
    chroma: float  # mean
    strong: float  # 99th percentile of chroma
    hues: Array  # (360,) share of the image whose pixels are coloured and of this hue in degrees
    tint: float  # share of the faintly coloured pixels within 8 degrees of their commonest hue
    tint_hue: float  # that hue, degrees
    tinted: float  # share of the image that is at least faintly coloured
    plain: float  # share of the border that has the border's median colour
    empty: float  # share of the image that has that colour
    backdrop: float  # luma of that colour
    backdrop_chroma: float
    flat: float  # share of the few colours that a picture consists of, 0 where they are not distinct
    mirrored: float  # correlation of the image and its mirror image, -1..1


def measure(image: Image.Image) -> Measures:
    """Measures of an RGB image of any size."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    rgb = np.asarray(small, dtype=np.float32) / 255  # (h, w, 3)
    luma = rgb @ np.array([0.299, 0.587, 0.114], dtype=np.float32)  # (h, w)
    chroma = rgb.max(-1) - rgb.min(-1)
    hue = _hue(rgb, chroma)
    hues = np.bincount(hue[chroma >= _COLOURED], minlength=360).astype(np.float32) / hue.size
    faint = chroma >= 0.04
    tint, tint_hue = _commonest(hue[faint])
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    backdrop = np.median(border, axis=0)
    is_backdrop = np.abs(rgb - backdrop).max(-1) <= _PLAIN
    return Measures(
        aspect=image.width / image.height,
        luma=float(luma.mean()),
        dark=float(np.percentile(luma, 5)),
        bright=float(np.percentile(luma, 95)),
        chroma=float(chroma.mean()),
        strong=float(np.percentile(chroma, 99)),
        hues=hues,
        tint=tint,
        tint_hue=tint_hue,
        tinted=float(faint.mean()),
        plain=float((np.abs(border - backdrop).max(-1) <= _PLAIN).mean()),
        empty=float(is_backdrop.mean()),
        backdrop=float(backdrop @ np.array([0.299, 0.587, 0.114])),
        backdrop_chroma=float(backdrop.max() - backdrop.min()),
        flat=_flatness(image),
        mirrored=_mirrored(image),
    )


def read_cues(image: Image.Image) -> tuple[Label, ...]:
    """The cues of an RGB image: each phrase is a line of `data/GROUP.txt` of its group, and style."""
    measures = measure(image)
    found = (
        ("palette", palette(measures)),
        ("palette", colours(measures)),
        ("light", light(measures)),
        ("contrast", contrast(measures)),
        ("composition", background(measures)),
        ("composition", symmetry(measures)),
        ("composition", frame(measures)),
        ("composition", flatness(measures)),
    )
    return tuple(Label(text, group, style=True) for group, text in found if text)


def palette(m: Measures) -> str:
    """How much colour there is."""
    if m.strong < 0.05:
        return "black and white"
    if m.plain > 0.9 and m.empty > 0.3:
        return ""  # the backdrop would decide
    if _toned(m):
        return "sepia tones" if 20 <= m.tint_hue <= 50 else "monochrome palette"
    return _saturation(m)


def _saturation(m: Measures) -> str:
    if m.luma > 0.72 and m.dark > 0.45 and 0.06 < m.chroma < 0.3 and m.strong < 0.6:
        return "pastel colors"
    if m.chroma > 0.42 and m.luma > 0.2:
        return "vibrant colors"
    return "muted colors" if m.chroma < 0.08 and m.strong < 0.33 and m.luma > 0.25 else ""


def colours(m: Measures) -> str:
    """Which colours there are, where one family covers nearly all of the picture."""
    shares = {name: _share(m.hues, first, last) for name, (first, last) in _FAMILIES.items()}
    name, share = max(shares.items(), key=lambda item: item[1])
    if _toned(m) or m.strong < 0.05:
        return ""
    if share > 0.6:
        return "earth tones" if name == "orange tones" and m.chroma < 0.45 else name
    if _share(m.hues, 345, 65) > 0.7:
        return "warm colors"
    if _share(m.hues, 160, 280) > 0.7:
        return "cool colors"
    return ""


def _toned(m: Measures) -> bool:
    """Whether the whole picture, shadows too, has one hue: a toned photograph, not a brown dog."""
    return m.tint > 0.98 and m.tinted > 0.85 and m.strong < 0.55 and m.bright - m.dark > 0.3


_FAMILIES = {
    "red tones": (345, 12),
    "orange tones": (18, 40),
    "yellow tones": (46, 64),
    "green tones": (75, 155),
    "blue tones": (195, 250),
    "purple tones": (262, 300),
    "pink tones": (308, 340),
}
"""First and last hue in degrees, the doubtful hues between two families in neither."""


def light(m: Measures) -> str:
    """How bright the picture is as a whole."""
    if m.luma < 0.18 and m.bright > 0.3:
        return "low-key lighting"
    if m.luma > 0.8 and m.dark > 0.5 and not (m.plain > 0.9 and m.empty > 0.2):
        return "high-key lighting"
    return ""


def contrast(m: Measures) -> str:
    """How far light and dark are apart."""
    if m.plain > 0.85 and m.empty > 0.2:
        return ""
    if m.bright - m.dark > 0.87:
        return "high contrast"
    if m.bright - m.dark < 0.28 and m.luma > 0.25:
        return "low contrast"
    return ""


def background(m: Measures) -> str:
    """Whether the subject stands before one even colour."""
    if m.plain < 0.93 or not 0.15 < m.empty < 0.97:
        return ""
    if m.backdrop_chroma < 0.06 and m.backdrop > 0.94:
        return "plain white background"
    if m.backdrop_chroma < 0.06 and m.backdrop < 0.06:
        return "plain black background"
    return "plain background"


def symmetry(m: Measures) -> str:
    """Whether left mirrors right."""
    return "symmetrical composition" if m.mirrored > 0.88 else ""


def frame(m: Measures) -> str:
    """The shape of the frame."""
    if m.plain > 0.9 and m.empty > 0.2:
        return ""  # cut to the shape of an object
    if m.aspect >= 2.2:
        return "panoramic format"
    return "tall vertical format" if m.aspect <= 0.5 else ""


def flatness(m: Measures) -> str:
    """Areas of one colour without any grain, as in vector art and cartoons."""
    return "flat colors" if m.flat > 0.55 and m.strong >= 0.05 else ""


def _hue(rgb: Array, chroma: Array) -> npt.NDArray[np.int64]:
    """(h, w) whole degrees; 0 where there is no colour."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    safe = np.maximum(chroma, 1e-6)
    top = rgb.max(-1)
    sextant = np.where(
        top == red,
        (green - blue) / safe % 6,
        np.where(top == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return np.where(chroma > 0, sextant * 60, 0).astype(np.int64) % 360


def _commonest(hue: npt.NDArray[np.int64]) -> tuple[float, float]:
    """The share of hues within 8 degrees of the commonest such window, and its middle."""
    if hue.size == 0:
        return 0.0, 0.0
    counts = np.bincount(hue, minlength=360)
    windows = np.convolve(np.concatenate([counts[-8:], counts, counts[:8]]), np.ones(17), mode="valid")
    best = int(windows.argmax())
    return float(windows[best] / hue.size), float(best)


def _share(hues: Array, first: int, last: int) -> float:
    return float(hues[first : last + 1].sum() if first <= last else hues[first:].sum() + hues[: last + 1].sum())


def _flatness(image: Image.Image) -> float:
    """The share of the image's middle that the six commonest colours (in steps of 16) cover without grain; 0 where
    fewer than three of them are distinct, as in a sky that fades. Photographs reached .37, vector art .55 to .85."""
    width, height = image.size
    box = (width // 4, height // 4, max(width * 3 // 4, width // 4 + 2), max(height * 3 // 4, height // 4 + 1))
    pixels = np.asarray(image.crop(box)).astype(np.int64)  # not scaled down: that mixes neighbours
    if pixels.shape[1] < 2:
        return 0.0
    calm = np.abs(pixels[:, 1:] - pixels[:, :-1]).max(-1) <= 6
    steps = (pixels[:, 1:][calm] + 8) // 16  # (n, 3)
    keys, counts = np.unique(steps @ np.array([1024, 32, 1]), return_counts=True)
    common = np.argsort(counts, kind="stable")[::-1][:6]
    shares = counts[common] / calm.size
    distinct: list[npt.NDArray[np.int64]] = []
    for key, share in zip(keys[common], shares, strict=True):
        colour = np.array([key // 1024, key // 32 % 32, key % 32]) * 16
        if share > 0.04 and all(np.abs(colour - other).max() > 40 for other in distinct):
            distinct.append(colour)
    return float(shares.sum()) if len(distinct) >= 3 else 0.0


def _mirrored(image: Image.Image) -> float:
    """Correlation of a 32 x 32 gray copy, its vertical gradient taken out, with its mirror image."""
    gray = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float64)
    gray -= gray.mean(axis=1, keepdims=True)  # a sky above a ground alone is not symmetry
    energy = float((gray**2).mean())
    return float((gray * gray[:, ::-1]).mean() / energy) if energy > 15.0**2 else 0.0
