"""Text embeddings of the class names, kept on disk between starts."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from interrogator.cache import cache_dir
from interrogator.engines.lite.subject import ClassRow
from interrogator.engines.lite.text import DIMENSIONS, SentenceEncoder

_NAME = "embeddings"


def class_embeddings(encoder: SentenceEncoder, classes: Sequence[ClassRow], version: str) -> torch.Tensor:
    """(1000, 384) float32, rows normalised, not centred: each class by its name and its narrowest broader class.

    Read from the cache where it holds this version of these texts, else computed (about 2 s) and put there; a cache
    that cannot be written is done without.
    """
    texts = [", ".join((row.name, *row.broader[:1])) for row in classes]
    key = hashlib.sha256("\n".join((version, *texts)).encode()).hexdigest()
    path = cache_dir() / f"lite-classes-{key[:32]}.safetensors"
    known = _read(path, len(texts))
    if known is not None:
        return known
    embeddings = encoder.encode(texts)
    _write(path, embeddings)
    return embeddings


def _read(path: Path, rows: int) -> torch.Tensor | None:
    try:
        embeddings = load_file(path)[_NAME]
    except (OSError, SafetensorError, KeyError):
        return None  # absent, or cut off: computed again
    sound = embeddings.shape == (rows, DIMENSIONS) and bool(((embeddings.norm(dim=-1) - 1).abs() < 1e-3).all())
    return embeddings if sound else None


def _write(path: Path, embeddings: torch.Tensor) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
    except OSError:
        return  # a read-only home: the next start computes them again
    os.close(handle)
    try:
        save_file({_NAME: embeddings}, draft)
        Path(draft).replace(path)
    except (OSError, SafetensorError):
        Path(draft).unlink(missing_ok=True)
