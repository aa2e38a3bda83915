"""What an engine says of an image, kept by the image's content: another mode of the same picture computes none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from interrogator.bounded_cache import BoundedCache

if TYPE_CHECKING:
    import torch

    from interrogator.vocabulary import Label

FEATURE_BYTES = 64 * 1024 * 1024
LABEL_BYTES = 128  # of a label beside its text


class PictureKey(NamedTuple):
    """Which picture it is: the SHA-256 of the file's bytes, and which frame of it."""

    sha256: str
    frame: int


class FeatureCache:
    """Captions of the engine's own, cues, ratings and embeddings of one pipeline, by picture. They hold at most `limit`
    bytes together."""

    def __init__(self, limit: int = FEATURE_BYTES) -> None:
        self.captions: BoundedCache[PictureKey, str] = BoundedCache(limit // 8, _text_bytes)
        self.cues: BoundedCache[PictureKey, list[Label]] = BoundedCache(limit // 8, _cue_bytes)
        self.ratings: BoundedCache[PictureKey, float] = BoundedCache(limit // 32, lambda _: 8)
        self.embeddings: BoundedCache[PictureKey, torch.Tensor] = BoundedCache(
            limit - 2 * (limit // 8) - limit // 32, _tensor_bytes
        )

    def uses(self) -> dict[str, tuple[int, int]]:
        """Hits and misses of each, by its name."""
        kept: dict[str, BoundedCache[PictureKey, Any]] = {
            "captions": self.captions,
            "cues": self.cues,
            "embeddings": self.embeddings,
            "ratings": self.ratings,
        }
        return {name: cache.uses for name, cache in kept.items()}


def _text_bytes(text: str) -> int:
    return len(text.encode())


def _cue_bytes(cues: list[Label]) -> int:
    return sum(LABEL_BYTES + _text_bytes(cue.text) for cue in cues)


def _tensor_bytes(tensor: torch.Tensor) -> int:
    return tensor.element_size() * tensor.nelement()
