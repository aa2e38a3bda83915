"""Several towers scored together."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from text_tower_kit import (
    CAUSAL,
    EXACT,
    SimpleTokenizer,
    causal,
    difference,
    encoded_texts,
    make,
    original,
    texts,
    whole,
)

from interrogator.text_tower import JointTextTower, open_text_tower
from interrogator.types import Progress


@settings(max_examples=15, deadline=None)
@given(prefix=texts(), phrases=st.lists(texts(), min_size=1, max_size=4))
def test_two_towers_together_give_the_mean_of_their_cosines(prefix: str, phrases: list[str]) -> None:
    one, two = causal("CLIP"), causal("CustomTextCLIP, projection with bias")
    joint = JointTextTower([one[2], two[2]])
    images = [torch.nn.functional.normalize(torch.randn(d), dim=0) for d in (32, 24)]
    image = torch.cat(images) / math.sqrt(2)
    found = joint.continuations(prefix, phrases)
    assert difference(found.norm(dim=1), torch.ones(len(phrases))) < 1e-5
    each = [
        original(model, tokenizer, whole(prefix, phrases)) @ image_
        for (model, tokenizer, _), image_ in zip((one, two), images, strict=True)
    ]
    assert difference(found @ image, (each[0] + each[1]) / 2) < EXACT
    assert difference(joint.embed(whole(prefix, phrases)), found) < EXACT
    assert joint.lengths(prefix, phrases) == one[2].lengths(prefix, phrases)


def test_towers_together_cost_the_sum_of_both_and_one_tokenisation(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = encoded_texts(monkeypatch)
    towers = [open_text_tower(make(CAUSAL["CLIP"], seed), SimpleTokenizer()) for seed in (1, 2)]
    joint = JointTextTower(towers)
    encoded.clear()
    joint.continue_all([("a cat", ["red", "blue"]), ("a dog", ["red"])])
    assert sorted(encoded) == ["a cat,", "a dog,", "blue", "red"]
    assert joint.computed == 2 * towers[0].computed == 2 * towers[1].computed


def test_towers_with_different_contexts_together_take_what_fits_both() -> None:
    one, two = causal("CLIP"), causal("CLIP, context 32")
    joint = JointTextTower([one[2], two[2]])
    assert joint.token_limit == 30
    long = "castle " * 40
    expected = torch.cat([original(model, tokenizer, [long]) for model, tokenizer, _ in (one, two)], 1)
    assert difference(joint.embed([long]), expected / math.sqrt(2)) < EXACT
    joint.rows = 64
    assert (one[2].rows, two[2].rows, joint.rows) == (64, 64, 64)
    joint.rows = 512


def test_towers_together_report_one_progress() -> None:
    joint = JointTextTower([causal("CLIP")[2], causal("CustomTextCLIP")[2]])
    seen: list[Progress] = []
    joint.embed(["a", "b"], seen.append)
    assert [(progress.done, progress.total) for progress in seen] == [(2, 4), (4, 4)]
