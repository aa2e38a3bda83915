"""Labels as a matrix, and exact ranking over it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize
from toy_engine import ToyEngine

from interrogator.errors import NotFiniteError
from interrogator.label_table import LabelTable
from interrogator.vocabulary import Label

LABELS = [Label(text, "test", style=False) for text in ("zebra", "apple", "river", "stone")]


def table_of(matrix: torch.Tensor) -> LabelTable:
    return LabelTable([Label(str(place), "test", style=False) for place in range(len(matrix))], matrix)


def random_rows(rows: int, dimensions: int, seed: int) -> torch.Tensor:
    return normalize(torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_the_nearest_label_comes_first_and_all_come_where_more_are_asked_for() -> None:
    engine = ToyEngine()
    table = LabelTable(LABELS, engine.text.embed([label.text for label in LABELS]))
    ranked = table.top_k(engine.text.embed(["river"])[0], 99)
    assert ranked[0][0].text == "river"
    assert ranked[0][1] == pytest.approx(1, abs=1e-5)
    assert [value for _, value in ranked] == sorted((value for _, value in ranked), reverse=True)
    assert len(ranked) == len(LABELS)


def test_equal_labels_keep_their_order() -> None:
    table = LabelTable(LABELS, torch.ones(4, 2) / 2**0.5)
    assert [label.text for label, _ in table.top_k(torch.tensor([1.0, 0.0]), 3)] == ["zebra", "apple", "river"]


@st.composite
def rankings(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, int, torch.Tensor | None, bool]:
    """Whole numbers, so that products are exact, few enough of them that many are equal."""
    labels, images = draw(st.integers(0, 300)), draw(st.integers(0, 3))
    seed = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    matrix = torch.randint(-2, 3, (labels, 2), generator=seed).float()
    embeddings = torch.randint(-2, 3, (images, 2), generator=seed).float()
    share = draw(st.sampled_from([None, 0.0, 0.1, 0.6, 1.0]))
    among = None if share is None else torch.rand(labels, generator=seed) < share
    return matrix, embeddings, draw(st.integers(0, 320)), among, draw(st.booleans())


@given(rankings(), st.sampled_from([torch.float32, torch.float16]))
def test_ranking_equals_a_stable_sort_of_all_similarities(
    case: tuple[torch.Tensor, torch.Tensor, int, torch.Tensor | None, bool], dtype: torch.dtype
) -> None:
    matrix, embeddings, k, among, reverse = case
    table = table_of(matrix.to(dtype))
    similarities, places = table.rank(embeddings, k, among, reverse)
    allowed = torch.arange(len(matrix)) if among is None else among.nonzero().flatten()
    ordered, order = (embeddings @ matrix.T)[:, allowed].sort(dim=-1, descending=not reverse, stable=True)
    assert torch.equal(similarities, ordered[:, :k])
    assert torch.equal(places, allowed[order[:, :k]])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_ranking_in_float16_is_exact_although_its_products_are_rounded(reverse: bool, masked: bool) -> None:
    """The cosines are float32 of the rounded rows: neighbours that float16 cannot tell apart come out in order."""
    seed = torch.Generator().manual_seed(5)
    matrix = normalize(torch.randn(30_000, 64, generator=seed), dim=-1).half()
    query = normalize(torch.randn(1, 64, generator=seed), dim=-1)
    mask = torch.rand(len(matrix), generator=seed) < 0.7 if masked else None
    similarities, places = table_of(matrix).rank(query, 500, mask, reverse)
    exact = (matrix.double() @ query[0].double()).masked_fill(
        ~mask if masked else torch.tensor(False), -9 + 18 * reverse
    )
    assert (exact.half().unique().numel() + 1000) < len(matrix)
    assert torch.allclose(similarities[0].double(), exact[places[0]], atol=1e-6)
    assert torch.allclose(similarities[0].double(), exact.sort(descending=not reverse).values[:500], atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_ranking_is_exact_in_a_large_table_where_the_best_are_side_by_side(reverse: bool) -> None:
    values = torch.zeros(20_000)
    values[3000:3050] = -1.0 if reverse else 1.0
    table = table_of(values[:, None])
    similarities, places = table.rank(torch.ones(1, 1), 60, reverse=reverse)
    assert places[0].tolist() == [*range(3000, 3050), *range(10)]
    assert similarities[0, :50].eq(values[3000]).all()


def test_places_may_be_given_in_any_order_and_twice() -> None:
    table = LabelTable(LABELS, torch.eye(4))
    similarities, places = table.rank(torch.tensor([[0.1, 0.9, 0.5, 0.5]]), 9, torch.tensor([3, 2, 0, 3]))
    assert places.tolist() == [[2, 3, 0]]
    assert similarities.tolist() == [pytest.approx([0.5, 0.5, 0.1])]


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="mask"):
        LabelTable(LABELS, torch.eye(4)).rank(torch.eye(4), 1, torch.tensor([True]))


def test_an_empty_table_ranks_nothing() -> None:
    similarities, places = LabelTable([], torch.empty(0, 2)).rank(torch.ones(3, 2), 5)
    assert similarities.shape == places.shape == (3, 0)


def with_twins(rows: int, dimensions: int, seed: int) -> tuple[torch.Tensor, list[int]]:
    """Random rows, and where seven of them are the same one."""
    matrix = random_rows(rows, dimensions, seed)
    twins = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))[:7].sort().values
    matrix[twins] = matrix[twins[0]].clone()
    return matrix, twins.tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("share", [None, 0.6, 0.1])
@pytest.mark.parametrize("queries", [1, 5])
@pytest.mark.parametrize("reverse", [False, True])
def test_equal_rows_come_out_in_the_order_of_the_labels_in_every_way_of_ranking(
    dtype: torch.dtype, share: float | None, queries: int, reverse: bool
) -> None:
    for seed, width in enumerate(
        (512, 193) * (5 if os.environ.get("THOROUGH") else 2)
    ):  # whose sums are rounded in different ways
        matrix, twins = with_twins(6001, width, seed)
        towards = -matrix[twins[0]] if reverse else matrix[twins[0]]
        embeddings = normalize(random_rows(queries, width, seed + 100) * 0.8 + towards, dim=-1)
        among = None if share is None else torch.rand(6001, generator=torch.Generator().manual_seed(seed)) < share
        if among is not None:
            among[twins] = True
        similarities, places = table_of(matrix.to(dtype)).rank(embeddings, 50, among, reverse)
        for own, found in zip(similarities, places.tolist(), strict=True):
            assert found[:7] == twins, f"seed {seed}"
            assert len(set(own[:7].tolist())) == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("share", [None, 0.6, 0.1])
def test_an_answer_does_not_depend_on_its_batch_nor_on_how_it_was_asked(
    dtype: torch.dtype, share: float | None
) -> None:
    matrix = random_rows(6001, 512, 1)
    matrix[3000:] = matrix[:3001].clone()
    table, embeddings = table_of(matrix.to(dtype)), random_rows(70, 512, 2)
    among = None if share is None else torch.rand(6001, generator=torch.Generator().manual_seed(3)) < share
    similarities, places = table.rank(embeddings, 400, among)
    for row in range(0, 70, 7):
        alone, alone_places = table.rank(embeddings[row : row + 1], 400, among)
        assert torch.equal(places[row], alone_places[0])
        assert torch.equal(similarities[row], alone[0])
        assert torch.equal(similarities[row], table.similarities(embeddings[row], places[row]))
    assert torch.equal(table.similarities(embeddings[0])[places[0]], similarities[0])


def processor_seconds(run: Callable[[], object]) -> float:
    """Of the fastest of several runs: what a loaded machine disturbs least."""
    times = []
    for _ in range(9):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


def test_a_small_group_costs_little_in_a_large_table() -> None:
    matrix, query = random_rows(40_000, 256, 1).half(), random_rows(1, 256, 2)
    table, group = table_of(matrix), torch.arange(40_000) % 4000 == 0
    whole = processor_seconds(lambda: table.rank(query, 10))
    assert processor_seconds(lambda: table.rank(query, 10, group)) < whole / 3


class BadAtHalf(torch.Tensor):
    """As on a processor whose products in float16 are wrong in some places: there too small to be found."""

    def __matmul__(self, other: torch.Tensor) -> torch.Tensor:
        products = self.as_subclass(torch.Tensor) @ other
        if other.dtype == torch.float16:
            products[len(products) // 2 :] -= 0.5
        return products


def test_wrong_products_in_float16_are_noticed_although_what_they_find_is_right() -> None:
    matrix, query = random_rows(5000, 64, 1).half(), random_rows(1, 64, 2)
    similarities, places = table_of(matrix.as_subclass(BadAtHalf)).rank(query, 20)
    expected, order = table_of(matrix).rank(query, 20)
    assert torch.equal(places, order)
    assert torch.equal(similarities, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("images", [1, 2])
def test_an_embedding_that_is_no_numbers_is_a_typed_error(dtype: torch.dtype, images: int) -> None:
    embeddings = torch.eye(4)[:images].clone()
    embeddings[-1, 0] = torch.nan
    with pytest.raises(NotFiniteError, match="precision"):
        LabelTable(LABELS, torch.eye(4).to(dtype)).rank(embeddings, 2)
