"""Small CLIP profiles whose files are made for a test: checkpoints in the real formats, short lists of labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checkpoints import save_clip

from interrogator.profiles import ClipProfile

LISTS = {
    "artist": ("Ada Painter", "Bo Sculptor", "Cy Weaver", "Di Printer"),
    "medium": ("a watercolor painting", "a pencil sketch", "a photograph", "a mosaic"),
    "movement": ("cubism", "art deco", "romanticism", "futurism"),
    "trending": ("behance", "pixiv", "trending on behance", "pixiv contest winner"),
    "flavor": (
        "soft light", "harsh shadows", "muted colors", "vivid colors", "high contrast", "a quiet street", "sharp focus",
        "a stormy sea", "grainy film", "wide angle", "golden hour", "a field of flowers", "symmetrical", "blue sky",
        "old stone wall", "rainy day", "fog", "reflections", "a wooden table", "neon glow", "bokeh", "warm tones",
    ),
    "negative": ("blurry", "a lamp", "low quality", "watermark", "cropped", "bad anatomy"),
}  # fmt: skip


def write_lists(folder: Path) -> Path:
    """`folder` with these lists in place of the mined ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for group, phrases in LISTS.items():
        (folder / f"{group}.txt").write_text("\n".join(["!", *phrases]), encoding="utf-8")
    return folder


def small_profile(folder: Path, *seeds: int, **fields: Any) -> ClipProfile:
    """A profile of one small random CLIP a seed, saved below `folder`, without a captioner unless one is given."""
    models = tuple(str(save_clip(folder / f"clip-{seed}", seed=seed)) for seed in seeds)
    settings: dict[str, Any] = {"name": "small", "captioner": "none", "device": "cpu", "pool": 24, "max_phrases": 8}
    return ClipProfile(models=models, lists=str(write_lists(folder / "lists")), **{**settings, **fields})
