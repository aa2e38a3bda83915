"""The exact search beside `Interrogator.chain` of clip-interrogator 0.6.0 itself: on one model and for one target, the
same text; and where the original is wrong, the right one."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import partial
from importlib.metadata import files
from pathlib import Path

import pytest
import torch
from checkpoints import make_clip
from original import AUTOCAST, make_original
from torch.nn.functional import normalize

from interrogator.search import Found, Problem, exact, solve
from interrogator.text_tower import open_text_tower

pytestmark = AUTOCAST
CAPTIONS = ["", "a cat on a chair", "a photo of a man, smiling!", "1990's", "the number 7 (seven)"]
LONG = "a very long story " * 17 + "ends"
"""69 tokens of 75."""


def flavors() -> list[str]:
    (file,) = [file for file in files("clip-interrogator") or () if file.name == "flavors.txt"]
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


FLAVORS = flavors()


class Both:
    """The original and ours, of one model."""

    def __init__(self, folder: Path) -> None:
        model = make_clip()
        self.original = make_original(model, folder)
        self.text = open_text_tower(model, self.original.tokenize)

    def target(self, *phrases: str, noise: float = 0.0, seed: int = 0) -> torch.Tensor:
        """(1, d): a prompt of these phrases, not quite."""
        hidden = self.text.embed([", ".join(phrases)])
        return normalize(hidden + noise * torch.randn(hidden.shape, generator=torch.Generator().manual_seed(seed)))

    def chained(self, target: torch.Tensor, pool: list[str], caption: str = "", **bounds: object) -> str:
        sign = -1 if bounds.get("reverse") else 1
        start = sign * self.original.similarity(target, caption) if caption else 0
        return self.original.chain(target, pool, caption, start, **bounds)

    def found(
        self, target: torch.Tensor, pool: list[str], caption: str = "", *, reverse: bool = False, **bounds: int
    ) -> Found:
        problem = Problem(caption=caption, pool=tuple(pool), fits=self.fits, **{"min_count": 8, **bounds})
        return solve(exact(problem, reverse=reverse), partial(self.score, target))

    def fits(self, prefix: str, phrases: list[str]) -> list[bool]:
        return [length <= self.text.token_limit for length in self.text.lengths(prefix, phrases)]

    def score(self, target: torch.Tensor, prefix: str, phrases: list[str]) -> list[float]:
        return (self.text.continuations(prefix, phrases) @ target[0]).tolist()


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Both:
    return Both(tmp_path_factory.mktemp("lists"))


@pytest.mark.parametrize("seed", range(30))
def test_the_text_is_the_original_s(both: Both, seed: int) -> None:
    chance = random.Random(seed)
    pool = chance.sample(FLAVORS, chance.choice([16, 32, 64]))
    target = both.target(*chance.sample(FLAVORS, 6), noise=chance.choice([0, 0.05, 0.2]), seed=seed)
    least, most = chance.choice([(8, 32), (8, 32), (0, 32), (0, 3), (3, 6), (12, 12)])
    caption = CAPTIONS[seed % len(CAPTIONS)]
    theirs = both.chained(target, pool, caption, min_count=least, max_count=most)
    ours = both.found(target, pool, caption, min_count=least, max_count=most)
    assert both.text.count_tokens(theirs) <= 75, "beyond it the two differ, as they should: choose another seed"
    assert ours.prompt == theirs
    assert ours.similarity == pytest.approx(both.original.similarity(target, theirs), abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_downwards_from_a_caption_it_is_the_original_s_too(both: Both, seed: int) -> None:
    chance = random.Random(seed)
    pool = chance.sample(FLAVORS, 40)
    target = both.target(*chance.sample(FLAVORS, 3), noise=0.2, seed=seed)
    caption, least = chance.choice(CAPTIONS[1:]), chance.choice([0, 8])
    theirs = both.chained(target, pool, caption, reverse=True, min_count=least, max_count=8)
    assert both.found(target, pool, caption, reverse=True, min_count=least, max_count=8).prompt == theirs


@pytest.mark.parametrize("seed", range(4))
def test_defect_a_chain_downwards_begins_under_the_wrong_sign(both: Both, seed: int) -> None:
    """It compares all others' negated similarity with its first phrase's own, so that it may never leave that."""
    chance = random.Random(seed)
    target, pool = both.target(*chance.sample(FLAVORS, 3)), chance.sample(FLAVORS, 40)
    first = min(pool, key=lambda phrase: both.original.similarity(target, phrase))
    begins_at = both.original.similarity(target, first)
    if begins_at < 0:  # then it is the other way round: anything above counts as better
        target, first = -target, max(pool, key=lambda phrase: both.original.similarity(target, phrase))
    rest = [phrase for phrase in pool if phrase != first]
    right = both.chained(target, rest, first, reverse=True, min_count=0, max_count=8)
    ours = both.found(target, pool, reverse=True, min_count=0, max_count=8)
    assert ours.prompt == right
    wrong = both.chained(target, pool, reverse=True, min_count=0, max_count=8)
    assert both.original.similarity(target, wrong) >= ours.similarity - 1e-6


def test_defect_of_equal_phrases_the_order_of_a_set_decides(both: Both) -> None:
    """CLIP reads no case, so these are equal; the original takes any of them, by its hash seed, we the first."""
    pool = ["Sepia", "sepia", "SEPIA"]
    target = both.target("sepia")
    for order in (pool, pool[::-1], [pool[1], pool[0], pool[2]]):
        assert both.found(target, order, min_count=0, max_count=0).prompt == order[0]
        assert both.chained(target, order, max_count=0) in pool


def test_defect_the_length_is_looked_at_when_it_is_too_late(both: Both) -> None:
    """A phrase that the tokenizer cuts off may win; then the prompt is longer than any model reads."""
    short, long = ["sepia", "bokeh", "fog"], ["an old photograph of a harbor at dawn in winter"]
    target = both.target(LONG, *long)
    theirs = both.chained(target, long + short, LONG)
    ours = both.found(target, long + short, LONG)
    assert both.text.count_tokens(theirs) > 75
    assert both.text.count_tokens(ours.prompt) <= 75
    right = both.chained(target, short, LONG, max_count=1)
    assert both.found(target, long + short, LONG, max_count=1).prompt == right


@pytest.mark.parametrize("caption", ["", "a cat"])
def test_defect_a_pool_that_is_used_up_or_empty_is_no_error_here(both: Both, caption: str) -> None:
    pool = ["sepia", "bokeh"]
    target = both.target("sepia", "bokeh", "fog")
    with pytest.raises((IndexError, RuntimeError)):
        both.chained(target, pool, caption)
    with pytest.raises((IndexError, RuntimeError)):
        both.chained(target, [], caption)
    used_up = both.chained(target, pool, caption, max_count=2 if caption else 1)
    assert both.found(target, pool, caption).prompt == used_up
    assert both.found(target, [], caption).prompt == caption


def test_defect_padding_other_than_by_zero_ends_the_chain(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the end of a text means nothing to the model, but the original takes it for a full row."""
    pool, target = FLAVORS[700:740], both.target(*FLAVORS[710:714])
    padded_by_zero = both.chained(target, pool, "a cat")
    tokenize = both.original.tokenize

    def padded_by_one(texts: list[str]) -> torch.Tensor:
        ids = tokenize(texts)
        return torch.where(ids == 0, 1, ids)

    monkeypatch.setattr(both.original, "tokenize", padded_by_one)
    assert both.chained(target, pool, "a cat").count(", ") < padded_by_zero.count(", ")
    assert both.found(target, pool, "a cat").prompt == padded_by_zero


def test_the_text_is_the_same_in_a_process_of_another_hash_seed(both: Both, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, test_search_against_original as test\n"
        "print(test.told(test.Both(pathlib.Path(sys.argv[1]))))"
    )
    here = Path(__file__).parent
    other = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == str(told(both))


def told(both: Both) -> list[Found]:
    pool = ["Sepia", *FLAVORS[500:540], "sepia", "8k", "8 k"]
    target = both.target("sepia", "8 k", *pool[3:7])
    return [both.found(target, pool, caption) for caption in CAPTIONS]
