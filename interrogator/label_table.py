"""Labels as one matrix of embeddings, made once and kept on disk by content; exact ranking over it."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from interrogator.cache import cache_dir
from interrogator.engines import Engine, Report
from interrogator.vocabulary import Label

log = logging.getLogger(__name__)

_FORMAT = "1"
_LOCK_SECONDS = 600.0
"""How long to wait for another process that may be building the same table."""


class LabelTable:
    """`labels` and their embeddings, `matrix` (n, d) float32 with L2-normalised rows, in the same order."""

    def __init__(self, labels: Sequence[Label], matrix: torch.Tensor) -> None:
        if matrix.shape[0] != len(labels):
            raise ValueError(f"{len(labels)} labels, {matrix.shape[0]} rows")
        self.labels = tuple(labels)
        self.matrix = matrix

    def similarities(self, embedding: torch.Tensor) -> torch.Tensor:
        """(n,) cosines of the labels with `embedding` (d,), which is L2-normalised."""
        return self.matrix @ embedding

    def top_k(self, embedding: torch.Tensor, k: int) -> list[tuple[Label, float]]:
        """The `k` nearest labels with their cosine, best first; exact. Equal cosines keep the order of the labels.
        All of them where `k` exceeds their number."""
        similarities, places = torch.sort(self.similarities(embedding), descending=True, stable=True)
        pairs = zip(places[:k].tolist(), similarities[:k].tolist(), strict=True)
        return [(self.labels[place], similarity) for place, similarity in pairs]


def build_label_table(engine: Engine, labels: Sequence[Label], report: Report | None = None) -> LabelTable:
    """The table of these labels in the engine's space, from the cache where it holds a sound one.

    The key covers the texts in order, and the engine's name and version. A damaged file is replaced. Where the cache
    cannot be written (a read-only home, a full disk) the table is built anew each time, with a warning in the log.
    """
    key = _key(engine, labels)
    path = cache_dir() / f"labels-{key[:32]}.safetensors"
    cached = _load(path, key, len(labels))
    if cached is not None:
        return LabelTable(labels, cached)
    lock = FileLock(f"{path}.lock", timeout=_LOCK_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, Timeout) as error:
        log.warning("the vocabulary's embeddings are not cached in %s: %s", path.parent, error)
        return LabelTable(labels, _embed(engine, labels, report))
    try:
        cached = _load(path, key, len(labels))  # another process may have built it meanwhile
        if cached is None:
            cached = _embed(engine, labels, report)
            _save(path, key, cached)
    finally:
        lock.release()
    return LabelTable(labels, cached)


def _embed(engine: Engine, labels: Sequence[Label], report: Report | None) -> torch.Tensor:
    return engine.text.embed([label.text for label in labels], report).detach().to("cpu", torch.float32).contiguous()


def _key(engine: Engine, labels: Sequence[Label]) -> str:
    content = [_FORMAT, engine.name, engine.version, [label.text for label in labels]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _load(path: Path, key: str, rows: int) -> torch.Tensor | None:
    """The matrix in the file, or None where there is none that is whole, finite and of this key."""
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("key") != key:
                return None
            matrix: torch.Tensor = file.get_tensor("embeddings")
    except (OSError, SafetensorError) as error:
        if path.exists():
            log.warning("the cached embeddings %s are damaged and will be built again: %s", path, error)
        return None
    sound = matrix.ndim == 2 and matrix.shape[0] == rows and matrix.dtype == torch.float32
    return matrix if sound and bool(torch.isfinite(matrix).all()) else None


def _save(path: Path, key: str, matrix: torch.Tensor) -> None:
    """Written beside its place and moved there, so that no reader ever sees a part of it."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="new-") as folder:
            part = Path(folder) / path.name
            save_file({"embeddings": matrix}, part, metadata={"key": key})
            part.replace(path)
    except (OSError, SafetensorError) as error:
        log.warning("the vocabulary's embeddings are not cached in %s: %s", path.parent, error)
