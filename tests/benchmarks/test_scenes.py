"""The scenes are what their phrases say, and the small CLIPs are trained and saved as open_clip reads them."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.scenes import HELD_OUT, QUESTIONS, TRAINING, TUNING, Scene, held_out, scene, tuning, vocabulary
from benchmarks.scenes.accuracy import SmallClip
from benchmarks.scenes.captions import FILLERS, STYLES, facts, training_text, truths, wordings
from benchmarks.scenes.filters import COLOURLESS
from benchmarks.scenes.lessons import clip_loss
from benchmarks.scenes.render import BACKGROUNDS, planned, rendered
from benchmarks.scenes.shapes import COLOURS, SHAPES
from benchmarks.scenes.small_clip import built, saved, text_features, tokens
from benchmarks.scenes.train import RECIPES, trained
from interrogator.engines.torchvision_ops import declare_missing_operators


def digest(scenes: list[Scene]) -> str:
    return hashlib.sha256(b"".join(one.image.tobytes() for one in scenes)).hexdigest()


def test_a_seed_gives_the_same_picture_and_words_each_time() -> None:
    first, again = held_out(20), held_out(20)
    assert digest(first) == digest(again)
    assert [(one.prompt, one.phrases) for one in first] == [(one.prompt, one.phrases) for one in again]
    assert first[0].image.size == (64, 64) and first[0].image.mode == "RGB"


def test_scenes_for_tuning_reporting_training_and_questions_are_different_ones() -> None:
    seeds = [{one.plan.seed for one in made} for made in (held_out(300), tuning(300))]
    assert not seeds[0] & seeds[1]
    trained_to = max(TRAINING + recipe.seed * 10_000_000 + recipe.scenes for recipe in RECIPES.values())
    assert trained_to < TUNING < TUNING + 10**8 < HELD_OUT < HELD_OUT + 10**8 < QUESTIONS
    pictures = [{one.image.tobytes() for one in made} for made in (held_out(100), tuning(100))]
    assert not pictures[0] & pictures[1]


def test_the_caption_names_every_thing_and_the_colours_that_show() -> None:
    for one in held_out(200):
        for thing in one.plan.things:
            assert thing.shape in one.caption
            assert (f"{thing.colour} {thing.shape}" in one.caption) == one.plan.colours_show
        assert one.prompt.startswith(one.caption)


def test_every_phrase_that_is_true_says_what_is_drawn() -> None:
    for one in held_out(200):
        things = {thing.shape for thing in one.plan.things}
        true = {phrase for phrase in vocabulary() if one.true(phrase)}
        assert true == set(one.phrases)
        assert {shape for shape in SHAPES if one.true(shape)} == things
        assert {style for style in STYLES if one.true(STYLES[style][0])} == set(one.styles)
        seen = {phrase for phrase in true if phrase.split()[0] in COLOURS and phrase.split()[-1] in SHAPES}
        assert bool(seen) == (not COLOURLESS & set(one.styles))


def test_fillers_are_true_of_nothing_and_no_phrase_is_twice_in_the_vocabulary() -> None:
    assert len(set(vocabulary())) == len(vocabulary()) >= 300
    assert set(FILLERS) < set(vocabulary())
    assert not any(one.true(filler) for one in held_out(30) for filler in FILLERS)


def test_a_thousand_scenes_have_everything_that_there_is() -> None:
    plans = [planned(seed) for seed in range(1000)]
    assert {thing.shape for plan in plans for thing in plan.things} == set(SHAPES)
    assert {thing.colour for plan in plans for thing in plan.things} == set(COLOURS)
    assert {plan.background for plan in plans} == set(BACKGROUNDS)
    assert {style for plan in plans for style in plan.styles} == set(STYLES)
    assert {fact for plan in plans for fact in facts(plan)} <= set(wordings())


@pytest.mark.parametrize("style", STYLES)
def test_each_style_changes_the_picture(style: str) -> None:
    plan = next(plan for plan in map(planned, range(10_000)) if style in plan.styles)
    fields = {name: None for name in ("palette", "medium", "light", "finish") if getattr(plan, name) == style}
    without = type(plan)(**{name: getattr(plan, name) for name in plan.__slots__} | fields)
    difference = abs(rendered(plan).astype(int) - rendered(without).astype(int)).mean()
    assert difference > 1


def test_texts_of_training_hold_only_what_is_true_and_differ_from_time_to_time() -> None:
    chance = random.Random(5)
    for seed in range(60):
        one = scene(seed)
        texts = [training_text(one.plan, chance, 10) for _ in range(8)]
        assert len({text.words for text in texts}) > 2
        assert all(text.says and text.says <= truths(one.plan) for text in texts)
        alone = {part for text in texts for part in text.words.split(", ") if part in vocabulary()}
        assert alone <= {*one.phrases, *FILLERS}


def test_a_text_of_training_says_what_its_words_say() -> None:
    chance = random.Random(6)
    for seed in range(300):
        plan = planned(seed)
        text = training_text(plan, chance, 4)
        for thing in plan.things:
            for said in (f"{thing.colour} {thing.shape}", f"{thing.size} {thing.shape}"):
                assert said not in text.words or said in text.says
        coloured = {fact for fact in text.says if fact.split()[0] in COLOURS}
        assert all(fact.split()[0] in text.words for fact in coloured)


def test_the_loss_is_clips_own_where_each_text_fits_one_picture() -> None:
    declare_missing_operators()
    from open_clip.loss import ClipLoss

    torch.manual_seed(0)
    seen, told = (torch.nn.functional.normalize(torch.randn(6, 8), dim=-1) for _ in range(2))
    own = ClipLoss()(seen, told, torch.tensor(7.0))
    assert torch.allclose(clip_loss(seen, told, torch.tensor(7.0), np.eye(6, dtype=bool)), own)


def test_a_text_that_fits_two_pictures_is_no_mistake_for_either() -> None:
    seen = torch.eye(4)[[0, 0, 1, 2]]
    told = torch.eye(4)[[0, 0, 1, 2]]
    alike = np.eye(4, dtype=bool)
    alike[:2, :2] = True
    scale = torch.tensor(100.0)
    wrong = clip_loss(seen, told.flip(0), scale, alike)
    assert clip_loss(seen, told, scale, alike) < 0.4 < wrong


@pytest.mark.parametrize("name", RECIPES)
def test_short_texts_are_trained_on_what_open_clip_encodes(name: str) -> None:
    """Ids and features of the shortened forward are those of open_clip's tokenizer and `encode_text`."""
    torch.manual_seed(0)
    net = built(RECIPES[name].model).eval()
    from open_clip import SimpleTokenizer

    chance = random.Random(0)
    texts = [training_text(planned(seed), chance, 11).words for seed in range(40)]
    whole, short = SimpleTokenizer()(texts), tokens(texts)
    assert torch.equal(whole[:, : short.shape[1]], short)
    assert not whole[:, short.shape[1] :].any()
    with torch.inference_mode():
        difference = text_features(net, short) - net.encode_text(whole, normalize=True)
    assert difference.abs().max() < 2e-6


def test_what_is_saved_is_what_open_clip_loads(tmp_path: Path) -> None:
    net = built(RECIPES["deep"].model).eval()
    loaded = SmallClip(saved(net, RECIPES["deep"].model, tmp_path)).texts(["a red cat"])
    with torch.inference_mode():
        ours = text_features(net, tokens(["a red cat"]))
    assert loaded.dtype == torch.float32
    assert torch.allclose(ours, loaded, atol=2e-3)  # the file holds float16


def test_training_changes_both_towers_and_is_the_same_each_time(tmp_path: Path) -> None:
    few = dataclasses.replace(
        RECIPES["deep"], scenes=120, image_steps=2, text_steps=2, joint_steps=2, image_batch=16, text_batch=16
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one, again = (trained(few, tmp_path).state_dict() for _ in range(2))
    finally:
        torch.set_num_threads(threads)
    torch.manual_seed(few.seed)
    before = built(few.model).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    for name in ("visual.conv1.weight", "visual.attnpool.c_proj.weight", "text.token_embedding.weight", "logit_scale"):
        assert not torch.equal(one[name], before[name])
