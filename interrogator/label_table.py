"""Labels as one matrix of embeddings, and exact ranking over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt

import numpy as np
import torch
from numpy.typing import NDArray

from interrogator.errors import NotFiniteError
from interrogator.row_linear import row_linear
from interrogator.vocabulary import Label

_QUERIES = 64
"""Embeddings ranked at once: more would not be faster, and each takes 4 bytes a label."""
_BLOCK = 2048
"""Rows multiplied at once: they and their products fit a processor's cache."""
_ALONE = 32_768
"""Numbers that torch handles without asking other threads, which would take longer to wake than to help."""
_COPIED_SHARE = 0.25
"""Where fewer of the labels than this may be found, their rows are copied, else the whole matrix is multiplied."""
_STRIDE = 8
_HALF_ERROR = 1e-3
"""How wrong a cosine may be that was computed in float16: 2^-11 for the rounding of the embedding, of length 1, 2^-12
for that of the result, and as much again; measured: 1e-4."""
_SPOTS = 64
"""Cosines in float16 that are checked among the nearest, and as many among all."""


class LabelTable:
    """`labels` and their embeddings, `matrix` (n, d) with L2-normalised rows, in the same order: float32, or float16,
    which is half as large and read in half the time. A matrix that was read from the cache is the mapped file itself,
    which processes share.

    Every cosine that is returned or compared is the float32 nearest to that of the rows as they are, summed in float64
    by itself. So equal rows have equal cosines, and no answer depends on what else was asked: products of matrices
    round by a row's place in them.
    """

    def __init__(self, labels: Sequence[Label], matrix: torch.Tensor) -> None:
        if matrix.shape[0] != len(labels):
            raise ValueError(f"{len(labels)} labels, {matrix.shape[0]} rows")
        self.labels = tuple(labels)
        self.matrix = matrix

    def similarities(self, embedding: torch.Tensor, places: torch.Tensor | Sequence[int] | None = None) -> torch.Tensor:
        """(n,) cosines of the labels, or of those at `places`, with `embedding` (d,), which is L2-normalised."""
        rows = torch.arange(len(self.labels)) if places is None else torch.as_tensor(places, dtype=torch.int64)
        return torch.from_numpy(_cosines(self.matrix, embedding, rows.numpy()))

    def top_k(self, embedding: torch.Tensor, k: int) -> list[tuple[Label, float]]:
        """The `k` nearest labels with their cosine, best first; exact. Equal cosines keep the order of the labels.
        All of them where `k` exceeds their number."""
        similarities, places = self.rank(embedding[None], k)
        pairs = zip(places[0].tolist(), similarities[0].tolist(), strict=True)
        return [(self.labels[place], similarity) for place, similarity in pairs]

    def rank(
        self, embeddings: torch.Tensor, k: int, among: torch.Tensor | None = None, reverse: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The `k` nearest labels of each of `embeddings` (m, d), or the farthest where `reverse`: their cosines
        (m, k) float32 and places (m, k) int64, first come first. Exact: what a stable sort of all cosines gives, so
        that equal ones keep the order of the labels.

        `among`, a mask (n,) or places, limits the labels; `k` is cut to their number, and may be 0. NotFiniteError
        where an embedding is no numbers.
        """
        chosen = _places(among, len(self.labels))
        k = max(0, min(k, len(self.labels) if chosen is None else len(chosen)))
        similarities = torch.empty(len(embeddings), k)
        places = torch.empty(len(embeddings), k, dtype=torch.int64)
        embeddings = embeddings.detach().to("cpu", torch.float32)
        if not bool(torch.isfinite(embeddings).all()):
            raise NotFiniteError("The image's embedding is no numbers: please set precision to “fp32” in the profile.")
        for row, near in enumerate(self._near(embeddings, k, chosen, reverse) if k else ()):
            cosines = _cosines(self.matrix, embeddings[row], near)
            first = np.argsort(cosines if reverse else -cosines, kind="stable")[:k]
            similarities[row] = torch.from_numpy(cosines[first])
            places[row] = torch.from_numpy(near[first])
        return similarities, places

    def _near(
        self, embeddings: torch.Tensor, k: int, chosen: NDArray[np.int64] | None, reverse: bool
    ) -> Iterator[NDArray[np.int64]]:
        """For each of `embeddings` the places, in order, of all that may be of its first `k`: by cosines that are fast
        and a little wrong, those that are not beyond the k-th by more than twice that."""
        copied = chosen is not None and len(chosen) < _COPIED_SHARE * len(self.labels)
        if len(embeddings) == 1 and self.matrix.dtype == torch.float16 and not copied:
            near = self._near_in_half(embeddings[0], k, chosen, reverse)
            if near is not None:
                yield near
                return
        matrix = self.matrix[chosen] if copied else self.matrix
        error = (matrix.shape[1] + 8) * 2.0**-24  # of a float32 sum of this many products, in any order, and to spare
        for start in range(0, len(embeddings), _QUERIES):
            some = embeddings[start : start + _QUERIES]
            for values, length in zip(_products(matrix, some).numpy(), some.norm(dim=1).tolist(), strict=True):
                rough = values if chosen is None or copied else values[chosen]
                near = _within(rough, k, 2 * error * length, reverse)
                yield near if chosen is None else chosen[near]

    def _near_in_half(
        self, embedding: torch.Tensor, k: int, chosen: NDArray[np.int64] | None, reverse: bool
    ) -> NDArray[np.int64] | None:
        """As `_near`, for one embedding, by cosines in float16, which is as fast as the memory. None where the
        processor's float16 is worse than it should be."""
        rough = (self.matrix @ embedding.half()).float().numpy()
        near = _within(rough if chosen is None else rough[chosen], k, 2 * _HALF_ERROR, reverse)
        places = near if chosen is None else chosen[near]
        spots = np.concatenate([places[:_SPOTS], np.arange(0, len(rough), max(1, len(rough) // _SPOTS))])
        wrong = np.abs(_cosines(self.matrix, embedding, spots) - rough[spots]).max()
        return places if wrong < _HALF_ERROR else None


def _cosines(matrix: torch.Tensor, embedding: torch.Tensor, places: NDArray[np.int64]) -> NDArray[np.float32]:
    """(p,) of the rows at `places` with `embedding` (d,); the same for the same row wherever and beside whatever it is:
    each is a product of two vectors by itself, in float64, where a sum's order changes nothing that float32 keeps."""
    direction = embedding.detach().to("cpu", torch.float64).numpy()[:, None]
    cosines = np.empty(len(places), dtype=np.float32)
    block = max(1, _ALONE // matrix.shape[1])
    for start in range(0, len(places), block):
        rows = matrix.index_select(0, torch.from_numpy(places[start : start + block]))
        exact = rows.detach().float().numpy().astype(np.float64)  # NumPy alone is slow at float16
        cosines[start : start + block] = np.matmul(exact[:, None, :], direction)[:, 0, 0]
    return cosines


def _products(matrix: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
    """(m, n) float32 of `matrix` (n, d) and `embeddings` (m, d), rounded as it comes; by blocks of the matrix on the
    left, which is 1.3 times as fast on a CPU as one product with its transpose."""
    if len(embeddings) == 1 and matrix.dtype == torch.float32:
        return (matrix @ embeddings[0])[None]
    products = torch.empty(len(embeddings), len(matrix))
    for start in range(0, len(matrix), _BLOCK):
        products[:, start : start + _BLOCK] = row_linear(matrix[start : start + _BLOCK].float(), embeddings, None).T
    return products


def _places(among: torch.Tensor | None, labels: int) -> NDArray[np.int64] | None:
    """The places that a mask or places mean, in order, each once; None means all."""
    if among is None:
        return None
    if among.dtype != torch.bool:
        return np.unique(among.numpy().astype(np.int64))
    if among.shape != (labels,):
        raise ValueError(f"a mask of {tuple(among.shape)} for {labels} labels")
    return np.flatnonzero(among.numpy())


def _within(values: NDArray[np.float32], k: int, margin: float, reverse: bool) -> NDArray[np.int64]:
    """The places, in order, of the first `k` of `values` (n,) and of all that are worse than the k-th by at most
    `margin`.

    Most are ruled out by a bound that is guessed from a sample so that a little more than `k` pass; where fewer do, all
    are looked at. NumPy, because so little work is done before threads could agree to share it.
    """
    keys = values if reverse else -values
    sample, share = keys[::_STRIDE], k // _STRIDE
    rank = share + 4 * isqrt(share) + 8  # four standard deviations more than the sample should hold
    passed = keys
    if rank < len(sample):
        guessed = keys[keys <= np.partition(sample, rank)[rank]]
        passed = guessed if len(guessed) >= k else keys
    return np.flatnonzero(keys <= np.partition(passed, k - 1)[k - 1] + margin)
