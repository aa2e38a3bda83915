"""The table of labels on disk: built once by whoever comes first, kept by its content, and never believed unseen."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from interrogator.cache import cache_dir
from interrogator.engines import Engine, Report
from interrogator.errors import NotFiniteError
from interrogator.label_table import LabelTable
from interrogator.types import Progress, Stage
from interrogator.vocabulary import Label

log = logging.getLogger(__name__)

_FORMAT = "1"
_LOCK_SECONDS = 3600.0
"""How long to wait for another process that is building the same table: it would take this one as long."""
_POLL_SECONDS = 2.0
_CHUNK = 8192
"""Labels embedded before they are saved: what an interruption can lose."""
_CHECKED = 4096
"""Rows checked at once: no float32 of the whole matrix is made."""


def build_label_table(
    engine: Engine, labels: Sequence[Label], report: Report | None = None, dtype: torch.dtype = torch.float32
) -> LabelTable:
    """The table of these labels in the engine's space, from the cache where it holds a sound one. Its matrix is of
    `dtype`, float32 or float16.

    The key covers the texts in order, and the engine's name and version, which covers its precision. A damaged file is
    replaced. Processes that need the same table build it once: the others wait, reporting `Stage.LABELS` of unknown
    length. What was embedded before an interruption is used by the next to come. Where the cache cannot be written (a
    read-only home, a full disk) the table is built anew each time, with a warning in the log. NotFiniteError where the
    engine gives no numbers for a label.
    """
    key = _key(engine, labels, dtype)
    path = cache_dir() / f"labels-{key[:32]}.safetensors"
    cached = _load(path, key, len(labels), dtype)
    if cached is not None:
        return LabelTable(labels, cached)
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, report)
    except (OSError, Timeout) as error:
        log.warning("the vocabulary's embeddings are not cached in %s: %s", path.parent, error)
        return LabelTable(labels, _embed(engine, labels, dtype, report))
    try:
        cached = _load(path, key, len(labels), dtype)  # another process may have built it meanwhile
        if cached is None:
            parts = path.with_suffix(".parts")
            cached = _embed_in_parts(engine, labels, parts, key, dtype, report)
            _save(path, key, cached)
            shutil.rmtree(parts, ignore_errors=True)
    finally:
        lock.release()
    return LabelTable(labels, cached)


def _acquire(lock: FileLock, report: Report | None) -> None:
    """Waits for the lock and says so. Timeout where it takes too long; what `report` raises ends the waiting."""
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            lock.acquire(timeout=_POLL_SECONDS)
            return
        except Timeout:
            if time.monotonic() > until:
                raise
            if report:
                report(Progress(Stage.LABELS))


def _embed_in_parts(
    engine: Engine, labels: Sequence[Label], folder: Path, key: str, dtype: torch.dtype, report: Report | None
) -> torch.Tensor:
    """As `_embed`, a chunk at a time, each saved in `folder`; those that are there already are read.

    Chunks follow the alphabet: a text tower computes once what its texts begin with alike.
    """
    if len(labels) <= _CHUNK:
        return _embed(engine, labels, dtype, report)
    matrix = torch.empty(0)
    order = sorted(range(len(labels)), key=lambda place: labels[place].text)
    for start in range(0, len(labels), _CHUNK):
        places = order[start : start + _CHUNK]
        chunk = [labels[place] for place in places]
        path, own = folder / f"{start:09}.safetensors", f"{key} in order {start}"
        part = _load(path, own, len(chunk), dtype)
        if part is None:
            part = _embed(engine, chunk, dtype, _shifted(report, start, len(labels)) if report else None)
            _save(path, own, part)
        if start == 0:
            matrix = torch.empty(len(labels), part.shape[1], dtype=dtype)  # joined in place: twice may be too much
        matrix[places] = part
    return matrix


def _shifted(report: Report, start: int, total: int) -> Report:
    """Reports the embedding of a chunk as a part of the whole."""
    return lambda progress: report(replace(progress, done=start + progress.done, total=total))


def _embed(engine: Engine, labels: Sequence[Label], dtype: torch.dtype, report: Report | None) -> torch.Tensor:
    """(n, d) of `dtype`. NotFiniteError where not all are numbers: no cache could ever be believed to hold these."""
    matrix = engine.text.embed([label.text for label in labels], report).detach().to("cpu", dtype).contiguous()
    if not _finite(matrix):
        raise NotFiniteError(
            f"The model {engine.name} gives no numbers for some of the labels. Please set precision to “bf16” or “fp32”"
            " in its profile; if it is “fp32” already, its weights are damaged: please fetch them again."
        )
    return matrix


def _finite(matrix: torch.Tensor) -> bool:
    """Whether all of `matrix` (n, d), with L2-normalised rows, are numbers; those of length 1 have no infinite sum."""
    starts = range(0, len(matrix), _CHECKED)
    return all(isfinite(float(matrix[i : i + _CHECKED].sum(dtype=torch.float32))) for i in starts)


def _key(engine: Engine, labels: Sequence[Label], dtype: torch.dtype) -> str:
    content = [_FORMAT, str(dtype), engine.name, engine.version, [label.text for label in labels]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _load(path: Path, key: str, rows: int, dtype: torch.dtype) -> torch.Tensor | None:
    """The matrix in the file, or None where there is none that is whole, finite and of this key."""
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("key") != key:
                log.warning("the cached embeddings %s are of something else and will be built again", path)
                return None
            matrix: torch.Tensor = file.get_tensor("embeddings")
    except (OSError, SafetensorError) as error:
        if path.exists():
            log.warning("the cached embeddings %s are damaged and will be built again: %s", path, error)
        return None
    sound = matrix.ndim == 2 and matrix.shape[0] == rows and matrix.dtype == dtype
    if sound and _finite(matrix):
        return matrix
    log.warning("the cached embeddings %s are not sound and will be built again", path)
    return None


def _save(path: Path, key: str, matrix: torch.Tensor) -> None:
    """Written beside its place and moved there, so that no reader ever sees a part of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="new-") as folder:
            part = Path(folder) / path.name
            save_file({"embeddings": matrix}, part, metadata={"key": key})
            part.replace(path)
    except (OSError, SafetensorError) as error:
        log.warning("the vocabulary's embeddings are not cached in %s: %s", path.parent, error)
