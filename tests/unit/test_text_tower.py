from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from text_tower_kit import (
    CAUSAL,
    EOT,
    EXACT,
    OTHER,
    SimpleTokenizer,
    causal,
    config,
    difference,
    encoded_texts,
    hf_tokenizer,
    make,
    make_coca,
    make_hf,
    original,
    shaken,
    texts,
    tokenizer_of,
    whole,
)

from interrogator.causal_text import Beginning, CausalText, open_causal_text
from interrogator.plain_text_tower import PlainTextTower
from interrogator.prefix_states import PrefixStates
from interrogator.prompt_tokens import open_tokens
from interrogator.text_tower import JointTextTower, PrefixTextTower, open_text_tower, shared_of
from interrogator.token_batches import Batch, batches
from interrogator.types import Progress, Stage

PHRASES = [
    "oil painting",
    "by greg",
    "trending on artstation",
    "4 k",
    "a, b, c",
    "",
    "café & co",
    "!!!",
    "by greg",
    "it's",
]


@pytest.mark.parametrize("name", CAUSAL)
@settings(max_examples=12, deadline=None)
@given(prefix=texts(14), phrases=st.lists(texts(), min_size=1, max_size=5))
def test_a_causal_tower_embeds_continuations_as_the_model_does(name: str, prefix: str, phrases: list[str]) -> None:
    model, tokenizer, tower = causal(name)
    expected = original(model, tokenizer, whole(prefix, phrases))
    assert difference(tower.continuations(prefix, phrases), expected) < EXACT
    assert difference(tower.embed(whole(prefix, phrases)), expected) < EXACT


@pytest.mark.parametrize("name", ["CLIP", "CustomTextCLIP, context 64"])
def test_texts_too_long_end_with_the_end_token_as_the_tokenizer_cuts_them(name: str) -> None:
    model, tokenizer, tower = causal(name)
    for words in (tower.token_limit - 2, tower.token_limit - 1, tower.token_limit, tower.token_limit + 30):
        prefix = " ".join(["castle"] * words)
        expected = original(model, tokenizer, whole(prefix, PHRASES))
        assert difference(tower.continuations(prefix, PHRASES), expected) < EXACT


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(texts(), st.integers(0, 5)), min_size=1, max_size=6), rows=st.integers(1, 90))
def test_prompts_that_grow_and_shrink_keep_their_embeddings(steps: list[tuple[str, int]], rows: int) -> None:
    model, tokenizer, tower = causal("CLIP")
    tower.rows = rows
    parts: list[str] = []
    for phrase, dropped in steps:  # as a search appends, and a local search takes away in the middle
        parts = [part for place, part in enumerate(parts) if place != dropped] + [phrase]
        prefix = ", ".join(parts)
        expected = original(model, tokenizer, whole(prefix, PHRASES))
        assert difference(tower.continuations(prefix, PHRASES), expected) < EXACT
    tower.rows = 512


@settings(max_examples=20, deadline=None)
@given(
    asks=st.lists(st.tuples(texts(14), st.lists(texts(5), max_size=4)), max_size=5), rows=st.sampled_from([3, 40, 512])
)
def test_several_prompts_share_batches(asks: list[tuple[str, list[str]]], rows: int) -> None:
    model, tokenizer, tower = causal("CustomTextCLIP")
    tower.rows = rows
    found = tower.continue_all(asks)
    tower.rows = 512
    assert len(found) == len(asks)
    for (prefix, phrases), embedded in zip(asks, found, strict=True):
        expected = original(model, tokenizer, whole(prefix, phrases)) if phrases else torch.empty(0, 32)
        assert difference(embedded, expected) < EXACT


def test_each_token_that_texts_share_is_computed_once() -> None:
    _, tokenizer, _ = causal("CLIP")
    tower = open_text_tower(make(CAUSAL["CLIP"]), tokenizer)
    phrases = ["red", "blue sky", "by greg rutkowski", "red"]  # the same text is embedded once
    tails = sum(len(tokenizer.encode(phrase)) + 1 for phrase in set(phrases))

    def computed(prefix: str) -> int:
        before = tower.computed
        tower.continuations(prefix, phrases)
        return tower.computed - before

    assert computed("a cat on a mat") == 1 + len(tokenizer.encode("a cat on a mat,")) + tails
    assert computed("a cat on a mat") == tails
    assert computed("a cat on a mat, at night") == len(tokenizer.encode("at night,")) + tails
    assert computed("a cat on a mat") == tails  # a part of what is kept
    assert computed("a cat on a mat, at noon") == len(tokenizer.encode("noon,")) + tails
    tower.forget()
    assert computed("a cat on a mat") == 1 + len(tokenizer.encode("a cat on a mat,")) + tails


@settings(max_examples=25, deadline=None)
@given(
    phrases=st.lists(st.lists(st.sampled_from(["red", "car", "blue", "sky"]), max_size=4), min_size=1, max_size=20),
    room=st.sampled_from([7, 512]),
)
def test_what_the_phrases_of_a_batch_begin_with_alike_is_computed_once(phrases: list[list[str]], room: int) -> None:
    model, tokenizer, _ = causal("CLIP")
    tower = open_text_tower(model, tokenizer, rows=room)
    texts_ = [" ".join(words) for words in phrases]
    expected = original(model, tokenizer, whole("a cat", texts_))
    assert difference(tower.continuations("a cat", texts_), expected) < EXACT
    rows = [[*map(tokenizer.encode, words), [EOT]] for words in phrases]  # of these words, each is one token
    distinct = {str(row[:end]) for row in rows for end in range(1, len(row) + 1)}
    head = 1 + len(tokenizer.encode("a cat,"))
    if room == 512:
        assert tower.computed == head + len(distinct)
    else:
        assert tower.computed >= head + len(distinct)


def test_prompts_of_one_step_compute_what_they_share_once() -> None:
    _, tokenizer, _ = causal("CLIP")
    tower = open_text_tower(make(CAUSAL["CLIP"]), tokenizer)
    caption = "a large cat on a very small red mat"
    tower.continue_all([(caption, ["x"]), (f"{caption}, at night", ["x"]), (f"{caption}, at noon", ["x"])])
    heads = 1 + len(tokenizer.encode(f"{caption}, at night,")) + len(tokenizer.encode("noon,"))
    assert tower.computed == heads + 3 * 2


def test_a_pass_on_another_device_makes_no_tensor_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the device without memory, tensors of two devices cannot meet, as on an accelerator."""
    model, tokenizer = make(CAUSAL["CLIP"]), tokenizer_of(CAUSAL["CLIP"])
    encoder = open_causal_text(model)
    assert encoder is not None
    model.to("meta")
    monkeypatch.setattr(CausalText, "_exact", lambda _: torch.inference_mode())  # it has no autocast
    states, tokens = PrefixStates(encoder, most=99), open_tokens(tokenizer, encoder.context, encoder.end)
    for prefix in ("a cat", "a cat, at night", "a dog"):
        groups = shared_of(tokens, [(prefix, ["red", "red car", "blue sky"]), ("", ["red", "red car"])])
        beginnings, growths = states.plan([group.head for group in groups])
        for batch in batches(growths, groups, beginnings, 64):
            embedded = encoder.run(batch)
            states.keep(batch.growths)
            assert (embedded.device.type, embedded.shape) == ("meta", (len(batch.places), encoder.dimensions))


def test_what_is_kept_between_calls_is_bounded() -> None:
    encoder = open_causal_text(make(CAUSAL["CLIP"]))
    assert encoder is not None
    states = PrefixStates(encoder, most=25)
    for word in range(40):
        _, growths = states.plan([(EOT - 1, *range(word, word + 9))])
        encoder.run(Batch(growths, [], [], [], []))
        states.keep(growths)
        assert states.held <= 25


def test_full_prompts_of_a_batch_of_images_are_kept_whatever_the_size_of_the_model() -> None:
    tower = open_text_tower(make(CAUSAL["CLIP, context 16"]), tokenizer_of(CAUSAL["CLIP, context 16"]))
    prompts = [f"{word} " + "castle " * 13 for word in "abcdefghijklmnopqrstuvwxyz"]

    def computed(prompt: str) -> int:
        before = tower.computed
        tower.continuations(prompt, ["x"])
        return tower.computed - before

    for prompt in prompts:
        assert computed(prompt) > 1
    assert [computed(prompt) for prompt in prompts[-14:]] == [1] * 14
    assert computed(prompts[0]) > 1


def test_many_prompts_at_once_hold_no_more_beginnings_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = make(CAUSAL["CLIP, context 16"]), tokenizer_of(CAUSAL["CLIP, context 16"])
    tower = open_text_tower(model, tokenizer)
    held: list[int] = []
    run = CausalText.run
    gc.collect()
    before = tokens_held()  # by towers of other tests

    def watching(encoder: CausalText, *work: Any) -> torch.Tensor:
        result = run(encoder, *work)
        held.append(tokens_held() - before)
        return result

    monkeypatch.setattr(CausalText, "run", watching)
    prompts = [f"{one} {two} " + "castle " * 12 for one in "abcdefgh" for two in "abcdefgh"]
    embedded = tower.continue_all([(prompt, ["x", "red"]) for prompt in prompts])
    assert max(held) <= 2 * 16 * 16  # of 64 * 16
    expected = original(model, tokenizer, whole(prompts[-1], ["x", "red"]))
    assert difference(embedded[-1], expected) < EXACT


def test_labels_that_begin_alike_share_that_too() -> None:
    model, tokenizer, _ = causal("CLIP")
    labels = [f"inspired by {a}{b}" for a in "abcdefgh" for b in "abcdefgh"] + ["oil", "inspired", "inspired by"]
    tower = open_text_tower(model, tokenizer, rows=128)
    before = tower.computed
    assert difference(tower.embed(labels), original(model, tokenizer, labels)) < EXACT
    alone = sum(len(tokenizer.encode(label)) + 1 for label in labels)
    assert tower.computed - before < alone - 2 * 64 + 8


def test_progress_is_that_of_labels_and_reaches_the_end() -> None:
    _, _, tower = causal("CLIP")
    seen: list[Progress] = []
    tower.rows = 16
    tower.embed([f"label {number}" for number in range(50)], seen.append)
    tower.rows = 512
    assert len(seen) > 5
    assert {progress.stage for progress in seen} == {Stage.LABELS}
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert (seen[-1].done, seen[-1].total) == (50, 50)


def tokens_held() -> int:
    """Tokens of all beginnings that are in memory."""
    return sum(len(found.ids) for found in gc.get_objects() if type(found) is Beginning and found.keys)


class StopError(Exception):
    """What a caller raises to be done."""


@pytest.mark.parametrize("kind", ["prefix", "plain", "joint"])
def test_thousands_of_labels_are_embedded_a_block_at_a_time_and_can_be_left(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    towers = {
        "prefix": causal("CLIP")[2],
        "plain": open_text_tower(make(next(iter(OTHER.values()))), SimpleTokenizer(context_length=16)),
    }
    tower = JointTextTower(list(towers.values())) if kind == "joint" else towers[kind]
    encoded = encoded_texts(monkeypatch)

    def stop(_progress: Progress) -> None:
        raise StopError

    with pytest.raises(StopError):
        tower.embed([f"label {number}" for number in range(20_000)], stop)
    assert len(encoded) <= 2048


@pytest.mark.parametrize("joint", [False, True])
def test_blocks_change_neither_order_nor_progress(joint: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interrogator.text_blocks.TEXTS", 3)
    one, two = causal("CLIP")[2], causal("CustomTextCLIP")[2]
    tower = JointTextTower([one, two]) if joint else one
    seen: list[Progress] = []
    found = tower.embed(PHRASES, seen.append)
    monkeypatch.undo()
    assert difference(found, tower.embed(PHRASES)) < EXACT
    total = len(PHRASES) * (2 if joint else 1)
    assert (seen[-1].done, seen[-1].total) == (total, total)
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)


def test_towers_together_answer_many_prompts_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    joint = JointTextTower([causal("CLIP")[2], causal("CustomTextCLIP")[2]])
    asks = [("a cat", PHRASES), ("", []), ("the castle", PHRASES[:4]), ("", PHRASES[:1])]
    expected = joint.continue_all(asks)
    monkeypatch.setattr("interrogator.text_tower._TOGETHER", 3)
    found = joint.continue_all(asks)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert difference(one, other) < EXACT


def test_nothing_asked_is_nothing_computed() -> None:
    _, _, tower = causal("CLIP")
    assert tower.embed([]).shape == tower.continuations("a cat", []).shape == (0, 32)
    assert tower.continue_all([]) == []
    assert tower.lengths("a cat", []) == []


def test_the_caller_may_change_an_embedding_and_an_autocast_changes_none() -> None:
    model, tokenizer, tower = causal("CLIP")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = tower.embed(PHRASES)
    assert difference(found, original(model, tokenizer, PHRASES)) < EXACT
    found *= 2  # not a tensor of inference mode
    assert not found.requires_grad


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["CLIP", "CustomTextCLIP, projection with bias"])
def test_half_precision_is_computed_as_the_model_does(name: str, dtype: torch.dtype) -> None:
    model, tokenizer = make(CAUSAL[name]), tokenizer_of(CAUSAL[name])
    tower = open_text_tower(model, tokenizer)
    exact = tower.continuations("a cat", PHRASES)
    model.to(dtype)  # what was kept in fp32 is of no use now
    found = tower.continuations("a cat", PHRASES)
    assert difference(found, original(model, tokenizer, whole("a cat", PHRASES))) < 0.02
    assert 0 < difference(found, exact) < 0.02


def test_open_clips_mixed_half_precision_is_computed_as_the_model_does() -> None:
    from open_clip.model import convert_weights_to_lp

    model = make({**CAUSAL["CLIP"], "cast_dtype": torch.float16})  # norms stay fp32
    convert_weights_to_lp(model, torch.float16)
    tokenizer = SimpleTokenizer()
    tower = open_text_tower(model, tokenizer)
    assert isinstance(tower, PrefixTextTower)
    found = tower.continuations("a cat", PHRASES)
    assert difference(found, original(model, tokenizer, whole("a cat", PHRASES))) < 0.01


def test_a_causal_tower_with_any_other_tokenizer_shares_as_well(tmp_path: Path) -> None:
    tokenizer = hf_tokenizer(tmp_path, 16)
    model = make(config(custom=True, context_length=16, vocab_size=200, pool_type="eos", eos_id=2))
    tower = open_text_tower(model, tokenizer)
    assert isinstance(tower, PrefixTextTower)
    for prefix in ("a cat by the castle", "", "a " * 30):
        expected = original(model, tokenizer, whole(prefix, PHRASES))
        assert difference(tower.continuations(prefix, PHRASES), expected) < EXACT
    assert tower.token_limit == 14
    assert tower.lengths("a cat", ["by greg", "a " * 30]) == [5, 33]


@pytest.mark.parametrize("name", OTHER)
def test_any_other_tower_goes_through_the_model(name: str) -> None:
    model, tokenizer = make(OTHER[name]), tokenizer_of(OTHER[name])
    check_plain(model, tokenizer, token_limit=14)


def test_coca_goes_through_the_model() -> None:
    model, tokenizer = make_coca()
    check_plain(model, tokenizer, token_limit=14)


@pytest.mark.parametrize("pooler", ["mean_pooler", "cls_pooler"])
def test_a_hugging_face_tower_goes_through_the_model_without_its_padding(tmp_path: Path, pooler: str) -> None:
    model, tokenizer = make_hf(tmp_path, pooler)
    tower = check_plain(model, tokenizer, token_limit=22)
    before = tower.computed
    tower.embed(["a cat"] * 3)
    assert tower.computed - before == 3 * 4  # not 3 * 24


def test_a_model_of_a_changed_class_goes_through_the_model() -> None:
    from open_clip.model import CLIP as Base  # noqa: N811

    class Changed(Base):  # type: ignore[misc]
        def encode_text(self, text: torch.Tensor, normalize: bool = False) -> torch.Tensor:
            features: torch.Tensor = super().encode_text(text, normalize)
            return features.flip(1)

    configuration = CAUSAL["CLIP, context 16"]
    model = shaken(Changed(**configuration).train(mode=False))
    check_plain(model, tokenizer_of(configuration), token_limit=14)


def check_plain(model: Any, tokenizer: Any, token_limit: int) -> PlainTextTower:
    """Embeddings, batches, order, lengths and progress of a tower that cannot share."""
    tower = open_text_tower(model, tokenizer, rows=50)
    assert isinstance(tower, PlainTextTower)
    assert tower.token_limit == token_limit
    for prefix in ("a cat", "", "a " * 30):
        expected = original(model, tokenizer, whole(prefix, PHRASES))
        assert difference(tower.continuations(prefix, PHRASES), expected) < EXACT
    asks: list[tuple[str, list[str]]] = [("a cat", PHRASES[:3]), ("", []), ("the castle", PHRASES[2:])]
    for (prefix, phrases), found in zip(asks, tower.continue_all(asks), strict=True):
        if phrases:
            assert difference(found, original(model, tokenizer, whole(prefix, phrases))) < EXACT
        else:
            assert found.shape == (0, expected.shape[1])
    seen: list[Progress] = []
    assert tower.embed(PHRASES, seen.append).shape == (len(PHRASES), expected.shape[1])
    assert (seen[-1].stage, seen[-1].done, seen[-1].total) == (Stage.LABELS, len(PHRASES), len(PHRASES))
    assert len(seen) > 1
    assert tower.embed([]).shape == (0, expected.shape[1])
    assert tower.lengths("a cat", ["by greg", "on"]) == [5, 4]
    assert tower.count_tokens("a cat by the castle") == 5
    return tower
