"""Text towers in half precision: near enough to say where to look, and without a trace in exact answers."""

from __future__ import annotations

import random
from copy import deepcopy
from functools import partial

import msgspec
import pytest
import torch
from checkpoints import make_clip
from ranked_kit import PROFILE, Small, engine, model, table, task, vocabulary
from ranked_kit import compose as answers
from test_search_against_original import CAPTIONS, FLAVORS
from text_tower_kit import CAUSAL, OTHER, SimpleTokenizer, make, tokenizer_of
from torch import nn
from torch.nn.functional import linear, normalize

from interrogator import rough_linear
from interrogator.engines.clip.memory import Residency
from interrogator.engines.clip.text import GuardedText
from interrogator.recipes.ranked import Ranked
from interrogator.rough_linear import RoughLinear, multiplies_bf16
from interrogator.row_linear import run_module
from interrogator.search import Found, Problem, exact, solve
from interrogator.text_tower import JointTextTower, PrefixTextTower, open_text_tower
from interrogator.types import Mode

NEAR = 0.03
"""What rough embeddings may be off by, of length 1: 8 bits through a few layers."""

ASKS = [("a cat on a chair", FLAVORS[:150]), ("", FLAVORS[20:40]), ("a cat on a chair, mona lisa &amp", FLAVORS[90:99])]


def opened(*, rough: bool | None, seed: int = 0) -> PrefixTextTower:
    tower = open_text_tower(make_clip(seed=seed), SimpleTokenizer(), rough=rough)
    assert isinstance(tower, PrefixTextTower)
    return tower


@pytest.mark.parametrize("name", CAUSAL)
def test_rough_answers_are_near_and_not_the_exact_ones(name: str) -> None:
    tower = open_text_tower(make(CAUSAL[name]), tokenizer_of(CAUSAL[name]), rough=True)
    assert tower.continue_roughly is not None
    for found, expected in zip(tower.continue_roughly(ASKS), tower.continue_all(ASKS), strict=True):
        assert (found.shape, found.dtype) == (expected.shape, torch.float32)
        assert torch.allclose(found.norm(dim=-1), torch.ones(len(found)), atol=1e-5)
        assert 1e-5 < float((found - expected).norm(dim=-1).max()) < NEAR


def test_exact_answers_are_bit_for_bit_what_they_are_without_rough_ones_between() -> None:
    quick, plain = opened(rough=True), opened(rough=False)
    assert quick.continue_roughly is not None
    for prefix in ("a cat", "a cat, on a chair", "a cat, on a chair, at night", "a cat, in a box"):
        quick.continue_roughly([(prefix, FLAVORS[:80])])
        asks = [(prefix, FLAVORS[:10])]
        assert torch.equal(quick.continue_all(asks)[0], plain.continue_all(asks)[0])


def test_rough_answers_are_the_same_again() -> None:
    one, other = opened(rough=True), opened(rough=True)
    assert one.continue_roughly is not None
    assert other.continue_roughly is not None
    for found, same in zip(one.continue_roughly(ASKS), other.continue_roughly(ASKS), strict=True):
        assert torch.equal(found, same)


@pytest.mark.parametrize("native", [True, False])
def test_the_processor_decides_whether_there_are_rough_answers(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: native, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr(rough_linear, "ONEDNN", True)
    assert multiplies_bf16() is native
    assert (opened(rough=None).continue_roughly is not None) is native
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert not multiplies_bf16()
    monkeypatch.setattr(rough_linear, "ONEDNN", False)
    assert not multiplies_bf16()


def test_towers_of_another_kind_or_precision_have_none() -> None:
    half = open_text_tower(make_clip().to(torch.bfloat16), SimpleTokenizer(), rough=True)
    clip = make_clip()
    away = open_text_tower(clip, SimpleTokenizer(), rough=True)
    clip.to("meta")
    name, config = next(iter(OTHER.items()))
    plain = open_text_tower(make(config), tokenizer_of(config), rough=True)
    for tower in (half, away, plain, opened(rough=False), JointTextTower([plain, opened(rough=False)])):
        assert tower.continue_roughly is None, name


def test_an_engine_has_them_on_a_cpu_alone_wherever_its_tower_waits_for_its_turn() -> None:
    tower, checked = opened(rough=True), list[int]()
    on_cpu, elsewhere = (
        GuardedText(tower, Residency(torch.device(device), swap=True), [], lambda rows: checked.append(len(rows)))
        for device in ("cpu", "meta")
    )
    assert elsewhere.continue_roughly is None
    assert on_cpu.continue_roughly is not None
    assert tower.continue_roughly is not None
    for found, expected in zip(on_cpu.continue_roughly(ASKS), tower.continue_roughly(ASKS), strict=True):
        assert torch.equal(found, expected)
    assert checked == [len(ASKS)]


def test_where_memory_does_not_suffice_for_the_copies_answers_are_exact_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tower = opened(rough=True)
    text = GuardedText(tower, Residency(torch.device("cpu"), swap=False), [], lambda _rows: None)
    expected = [rows.clone() for rows in tower.continue_all(ASKS)]
    size = text.batch.size

    def fail(*_: object) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 3072000 bytes.")

    monkeypatch.setattr(rough_linear.RoughLinear, "_copy", fail)
    roughly = text.continue_roughly
    assert roughly is not None
    for found, wanted in zip(roughly(ASKS), expected, strict=True):
        assert float((found - wanted).abs().max()) < 1e-6
    assert text.continue_roughly is None
    assert text.batch.size == size


def test_of_towers_together_each_is_rough_that_can_be() -> None:
    one, other = opened(rough=True), opened(rough=False, seed=1)
    joint = JointTextTower([one, other])
    assert joint.continue_roughly is not None
    rough, whole = joint.continue_roughly(ASKS), joint.continue_all(ASKS)
    for found, expected in zip(rough, whole, strict=True):
        first, second = (found - expected).split(32, dim=1)
        assert 1e-5 < float(first.norm(dim=1).max()) < NEAR
        assert float(second.abs().max()) < 1e-6


def test_copies_of_weights_are_made_once_and_freed() -> None:
    tower = opened(rough=True)
    rough = tower._rough
    assert rough is not None
    tower.continue_all(ASKS)
    assert rough.held == 0
    assert tower.continue_roughly is not None
    tower.continue_roughly(ASKS)
    model = tower._encoder._tower
    layers = [part for part in model.transformer.modules() if isinstance(part, nn.Linear | nn.MultiheadAttention)]
    numbers = sum(
        part.in_proj_weight.numel() if isinstance(part, nn.MultiheadAttention) else part.weight.numel()
        for part in layers
    )
    assert rough.held == numbers
    tower.continue_roughly(ASKS)
    assert rough.held == numbers
    tower.forget()
    assert rough.held == 0


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("rows", [1, 63, 64, 300])
def test_rows_go_through_a_layer_in_eight_bits(
    native: bool, biased: bool, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rough_linear, "multiplies_bf16", lambda: native)
    rough, generator = RoughLinear(), torch.Generator().manual_seed(rows)
    x, weight = torch.randn(rows, 48, generator=generator), torch.randn(96, 48, generator=generator)
    bias = torch.randn(96, generator=generator) if biased else None
    for part in (slice(0, 96), slice(32, 64)):
        own = bias[part] if bias is not None else None
        found, expected = rough(x, weight[part], own), linear(x, weight[part], own)
        assert found.dtype is torch.bfloat16
        assert float((found.float() - expected).abs().max()) < 0.02 * float(expected.abs().max())
    module = nn.Sequential(nn.Linear(48, 96), nn.GELU(), nn.Linear(96, 8, bias=False))
    with torch.inference_mode():
        assert torch.allclose(run_module(module, x, rough).float(), module(x), atol=0.05)


@pytest.mark.parametrize("seed", range(16))
def test_a_search_finds_the_same_text_with_rough_answers_as_without(seed: int) -> None:
    chance = random.Random(seed)
    size = chance.choice([64, 100, 200])
    pool = tuple(chance.sample(FLAVORS, size))
    options = {"caption": CAPTIONS[seed % len(CAPTIONS)], "min_count": chance.choice([0, 4]), "max_count": 6}
    noise, reverse = chance.choice([0.0, 0.2, 1.0]), chance.random() < 0.3
    results = []
    for rough in (False, True):
        tower = opened(rough=rough, seed=seed % 4)
        hidden = tower.embed([", ".join(FLAVORS[seed : seed + 6])])[0]
        random_one = torch.randn(hidden.shape, generator=torch.Generator().manual_seed(seed))
        target = normalize(hidden + noise * normalize(random_one, dim=0), dim=0)
        results.append(_found(tower, pool, target, options, reverse))
    (plain, rows), (found, fewer) = results
    assert found.prompt == plain.prompt
    assert found.chosen == plain.chosen
    assert found.similarity == pytest.approx(plain.similarity, abs=1e-6)
    assert fewer < 2 * rows


def _found(
    tower: PrefixTextTower, pool: tuple[str, ...], target: torch.Tensor, options: dict[str, object], reverse: bool
) -> tuple[Found, int]:
    """What the search finds, and the token rows that it took."""

    def score(embed, prefix, phrases):
        return (embed([(prefix, phrases)])[0] @ target).tolist()

    def fits(prefix, phrases):
        return [length <= tower.token_limit for length in tower.lengths(prefix, phrases)]

    roughly = tower.continue_roughly
    problem = Problem(pool=pool, fits=fits, rough=roughly is not None, **options)
    search = exact(problem, reverse=reverse)
    found = solve(search, partial(score, tower.continue_all), roughly=roughly and partial(score, roughly))
    return found, tower.computed


@pytest.mark.parametrize("mode", [Mode.BEST, Mode.TURBO, Mode.NEGATIVE])
def test_a_recipe_answers_the_same_alone_and_together_with_rough_answers_as_without(mode: Mode) -> None:
    labels, prompts = vocabulary(), []
    profile = msgspec.structs.replace(PROFILE, pool=128, fresh=32)  # best searches such a pool exactly, too
    for rough in (False, True):
        text = open_text_tower(deepcopy(model()), SimpleTokenizer(), rough=rough)
        recipe = Ranked(Small(text, text.token_limit), labels, table(labels, engine()), profile)
        tasks = [task(seed, mode, seconds=None) for seed in range(3)]
        prompts.append([one.text for one in answers(recipe, *tasks)])
        prompts.append([answers(recipe, one)[0].text for one in tasks])
    assert prompts[0] == prompts[1] == prompts[2] == prompts[3]
