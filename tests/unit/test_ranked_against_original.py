"""Classic, fast and caption give the very text of clip-interrogator 0.6.0 on the same model, image, caption and labels.

Its tables hold our embeddings, in full precision and few enough for one chunk: so its ranking is exact. Where its
prompts are wrong, ours are held to what is right, by name.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from original import make_original
from ranked_kit import CAPTIONS, PROFILE, compose, engine, mined, model, part, recipe, scene, table, task, vocabulary

from interrogator.mined import MinedVocabulary, Tag
from interrogator.profiles import ClipProfile
from interrogator.types import Mode
from interrogator.vocabulary import Label
from interrogator.wording import repeats

SEEDS = range(8)
LONG = ClipProfile(name="long", models=("small",), pool=64, max_phrases=32, min_phrases=3)


class Original:
    """The original's own modes around the model of `ranked_kit` and labels of its vocabulary."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses what torch is about to drop
            self._interrogator: Any = make_original(model(), folder)

    def knows(self, labels: MinedVocabulary) -> None:
        """These are its labels from now on."""
        rows = table(labels, engine()).matrix.numpy()
        for group in ("artist", "flavor", "medium", "movement", "trending"):
            own = getattr(self._interrogator, f"{group}s")
            places = [place for place, label in enumerate(labels.labels) if label.group == group]
            own.labels = [labels.labels[place].text for place in places]
            own.embeds = [rows[place] for place in places]

    def classic(self, seed: int, caption: str) -> str:
        return self._ask("interrogate_classic", seed, caption)

    def fast(self, seed: int, caption: str, count: int) -> str:
        return self._ask("interrogate_fast", seed, caption, count)

    def best(self, seed: int, caption: str, count: int) -> str:
        self._interrogator.config.flavor_intermediate_count = PROFILE.pool
        return self._ask("interrogate", seed, caption, PROFILE.min_phrases, count)

    def too_long(self, text: str) -> bool:
        from clip_interrogator import clip_interrogator

        return bool(clip_interrogator._prompt_at_max_len(text, self._interrogator.tokenize))

    def _ask(self, mode: str, seed: int, caption: str, *counts: int) -> str:
        image = scene(seed, caption).image[None]
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patch.setattr(self._interrogator, "image_to_features", lambda _: image)
            text: str = getattr(self._interrogator, mode)(None, *counts, caption=caption)
        return text


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original(tmp_path_factory.mktemp("lists"))


def without_repetitions(labels: MinedVocabulary, caption: str) -> MinedVocabulary:
    """Those labels of which none only repeats the caption: such ones are passed over by us alone."""
    return part(labels, lambda label: not repeats(label.text, caption))


@pytest.mark.parametrize("caption", CAPTIONS)
def test_classic_and_fast_are_the_originals(original: Original, caption: str) -> None:
    for seed in SEEDS:
        labels = without_repetitions(vocabulary(seed), caption)
        original.knows(labels)
        ours = recipe(seed, labels=labels)
        classic, fast = compose(ours, task(seed, Mode.CLASSIC, caption), task(seed, Mode.FAST, caption))
        assert classic.text == original.classic(seed, caption), seed
        assert fast.text == original.fast(seed, caption, PROFILE.max_phrases), seed


def test_a_caption_that_begins_with_the_medium_is_followed_by_the_artist(original: Original) -> None:
    labels = vocabulary()
    medium = compose(recipe(labels=labels), task(0, Mode.CLASSIC))[0].phrases[0]
    assert medium.group == "medium"
    caption = f"{medium.text} of a cat"
    only = part(labels, lambda label: label.group != "medium" or label.text == medium.text)
    (classic,) = compose(recipe(labels=only), task(0, Mode.CLASSIC, caption))
    original.knows(only)
    assert classic.text == original.classic(0, caption)
    assert classic.text.startswith(f"{caption} {classic.phrases[0].text}, ")
    assert classic.phrases[0].group == "artist"


def test_fast_is_cut_where_the_original_cuts_it_or_where_the_original_measures_words_run_together(
    original: Original,
) -> None:
    """The original measures `text + part` without the comma between, so that the last word of one and the first of the
    other are one; and it takes a row that is just full for one that is too long."""
    same = 0
    for seed in SEEDS:
        labels = without_repetitions(vocabulary(seed), CAPTIONS[0])
        original.knows(labels)
        (ours,) = compose(recipe(seed, LONG, labels), task(seed, Mode.FAST))
        theirs = original.fast(seed, CAPTIONS[0], 32)
        same += ours.text == theirs
        limit, count = engine().token_limit, engine().text.count_tokens
        assert count(ours.text) <= limit
        if ours.text != theirs:
            shorter, longer = sorted((ours.text, theirs), key=len)
            assert longer.startswith(f"{shorter}, ")
            following = longer.removeprefix(f"{shorter}, ").split(", ")[0]
            assert original.too_long(shorter + following) != (count(f"{shorter}, {following}") > limit)
    assert same >= len(SEEDS) / 2


def test_a_prompt_that_just_fits_is_not_too_long(original: Original) -> None:
    """75 words, a token each, are allowed; the original cannot tell them from more."""
    caption = " ".join(["cat"] * 73)
    labels = MinedVocabulary((Label("dog", "flavor", style=False),), (Tag.SUBJECT,), ())
    (ours,) = compose(recipe(labels=labels), task(0, Mode.FAST, caption))
    assert ours.text == f"{caption}, dog"
    assert engine().text.count_tokens(ours.text) == engine().token_limit == 75
    assert original.too_long(ours.text)


def test_best_is_never_below_the_originals_best(original: Original) -> None:
    """With a pool this small the exact chain is a part of best."""
    text = engine().text
    for seed in range(4):
        labels = without_repetitions(vocabulary(seed), CAPTIONS[0])
        original.knows(labels)
        theirs = original.best(seed, CAPTIONS[0], PROFILE.max_phrases)
        (ours,) = compose(recipe(seed, labels=labels), task(seed, Mode.BEST))
        assert ours.similarity >= float(text.embed([theirs])[0] @ scene(seed).image) - 1e-5


def test_the_vocabulary_keeps_the_originals_order_of_groups() -> None:
    """It decides between labels that are equally near."""
    groups = dict.fromkeys(label.group for label in mined().labels)
    assert list(groups) == ["artist", "flavor", "medium", "movement", "trending"]
