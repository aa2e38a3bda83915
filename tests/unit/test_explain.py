"""What phrases contribute, on a small real CLIP: compared with embedding every remaining text by itself."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from checkpoints import make_clip
from hypothesis import given, settings
from hypothesis import strategies as st

from interrogator.engines.torchvision_ops import declare_missing_operators
from interrogator.explain import Comparison, Contribution, Explanation, PromptError, compare, explain, phrases_of
from interrogator.text_tower import JointTextTower, open_text_tower

PHRASES = ["a cat", "oil painting", "by Jane Doe", "soft light", "sepia", "trending on artstation", "4 k", "a cat"]


@cache
def tower(kind: str = "one"):
    declare_missing_operators()
    from open_clip import get_tokenizer

    tokenizer = get_tokenizer("ViT-B-32")
    towers = [open_text_tower(make_clip(seed=seed), tokenizer) for seed in (0, 1)]
    return towers[0] if kind == "one" else JointTextTower(towers)


def picture(text, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    size = text.embed(["x"]).shape[1]
    return torch.nn.functional.normalize(torch.randn(size, generator=generator), dim=-1)


def similarity(text, image: torch.Tensor, prompt: str) -> float:
    return float(text.embed([prompt])[0] @ image)


@pytest.mark.parametrize("kind", ["one", "joint"])
@given(st.lists(st.sampled_from(PHRASES), min_size=1, max_size=12), st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_each_contribution_is_what_the_prompt_loses_without_the_phrase(kind, phrases, seed) -> None:
    text = tower(kind)
    image = picture(text, seed)
    explanation = explain(text, image, ", ".join(phrases))
    whole = similarity(text, image, ", ".join(phrases))
    assert explanation.similarity == pytest.approx(whole, abs=1e-6)
    assert [one.text for one in explanation.phrases] == phrases
    for place, one in enumerate(explanation.phrases):
        rest = similarity(text, image, ", ".join(phrases[:place] + phrases[place + 1 :]))
        assert one.similarity_without == pytest.approx(rest, abs=1e-6)
        assert one.contribution == pytest.approx(whole - rest, abs=2e-6)


def test_the_tower_reads_much_less_than_every_prompt_from_its_beginning() -> None:
    declare_missing_operators()
    from open_clip import get_tokenizer

    text = open_text_tower(make_clip(), get_tokenizer("ViT-B-32"))
    image = picture(text)
    phrases = [f"{one} {other}" for one in ("soft", "warm", "red") for other in ("light", "clouds", "hills", "paint")]
    before = text.computed
    explain(text, image, ", ".join(phrases))
    tokens = text.count_tokens(", ".join(phrases))
    assert text.computed - before < 0.7 * len(phrases) * tokens


@pytest.mark.parametrize(
    ("prompt", "phrases"),
    [
        ("a cat, sleeping, on a chair, sepia", ["a cat", "sleeping", "on a chair", "sepia"]),
        ("  a cat ,sepia,, ,  soft   light,", ["a cat", "sepia", "soft light"]),
        ("a crowd of 1,000 people, 35mm", ["a crowd of 1,000 people", "35mm"]),
        ("year 1900, sepia", ["year 1900", "sepia"]),
        ("été, 猫", ["été", "猫"]),
        (" , ", []),
    ],
)
def test_a_prompt_is_divided_at_its_commas(prompt: str, phrases: list[str]) -> None:
    assert phrases_of(prompt) == phrases


def test_the_only_phrase_is_compared_with_a_prompt_that_says_nothing() -> None:
    text = tower()
    (only,) = explain(text, picture(text), "a cat").phrases
    assert only.similarity_without == pytest.approx(similarity(text, picture(text), ""), abs=1e-6)


@pytest.mark.parametrize("prompt", ["", "  ", ", ,"])
def test_a_prompt_without_words_is_refused(prompt: str) -> None:
    with pytest.raises(PromptError, match="at least one word"):
        explain(tower(), picture(tower()), prompt)


def test_what_the_model_does_not_read_is_left_out_and_told() -> None:
    text = tower()
    phrases = [f"phrase number {number}" for number in range(30)]
    explanation = explain(text, picture(text), ", ".join(phrases))
    read = [one.text for one in explanation.phrases]
    assert [*read, *explanation.left_out] == phrases
    assert text.count_tokens(", ".join(read)) <= text.token_limit
    assert text.count_tokens(", ".join(phrases[: len(read) + 1])) > text.token_limit
    assert explanation.similarity == pytest.approx(similarity(text, picture(text), ", ".join(read)), abs=1e-6)


def test_a_first_phrase_beyond_what_the_model_reads_is_refused_with_both_lengths() -> None:
    with pytest.raises(PromptError, match=r"750 tokens, and the model reads 75\b"):
        explain(tower(), picture(tower()), "cat " * 750)


def test_a_comparison_names_what_came_and_what_went_with_what_each_contributes() -> None:
    text = tower()
    image = picture(text)
    before = explain(text, image, "a cat, sepia, soft light, soft light")
    after = explain(text, image, "a cat, soft light, oil painting")
    comparison = compare(before, after)
    assert comparison.difference == pytest.approx(after.similarity - before.similarity)
    assert comparison.added == (after.phrases[2],)
    assert comparison.removed == (before.phrases[1], before.phrases[3])


def test_nothing_came_or_went_where_only_the_order_changed() -> None:
    before = Explanation(0.3, (Contribution("a", 0.1, 0.2), Contribution("b", 0.2, 0.1)))
    after = Explanation(0.4, tuple(reversed(before.phrases)))
    assert compare(before, after) == Comparison(pytest.approx(0.1), (), ())
