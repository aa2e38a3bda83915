from __future__ import annotations

import os
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_tower_kit import SimpleTokenizer, encoded_texts, hf_tokenizer, texts, whole

from interrogator.prompt_tokens import Shared, SplitTokens, common, open_tokens, share

SIMPLE = SimpleTokenizer()


def ids_of(groups: list[Shared], count: int) -> list[tuple[int, ...]]:
    """Of each text; every place exactly once."""
    found = {
        place: group.head + tail for group in groups for place, tail in zip(group.places, group.tails, strict=True)
    }
    assert sum(len(group.places) for group in groups) == len(found) == count
    assert all(tail for group in groups for tail in group.tails)
    return [found[place] for place in range(count)]


def rows(phrases: list[str], context: int) -> list[tuple[int, ...]]:
    """What the tokenizer itself gives, without the padding."""
    longer = SIMPLE(phrases, context_length=context).tolist()
    return [tuple(row[: row.index(SIMPLE.eot_token_id) + 1]) for row in longer]


def first_end(ids: object) -> int:
    assert isinstance(ids, tuple)
    return ids.index(SIMPLE.eot_token_id) + 1


@settings(max_examples=150, deadline=None)
@given(prefix=texts(), phrases=st.lists(texts(5), min_size=1, max_size=6), context=st.sampled_from([8, 16, 77]))
def test_continuations_have_the_ids_of_the_whole_text(prefix: str, phrases: list[str], context: int) -> None:
    tokens = open_tokens(SIMPLE, context, first_end)
    assert ids_of(tokens.continued(prefix, phrases), len(phrases)) == rows(whole(prefix, phrases), context)


@settings(max_examples=100, deadline=None)
@given(prefix=texts(40), phrases=st.lists(texts(), max_size=5))
def test_lengths_are_those_of_the_whole_text_before_it_is_cut(prefix: str, phrases: list[str]) -> None:
    tokens = open_tokens(SIMPLE, 16, first_end)
    expected = [len(SIMPLE.encode(text)) for text in whole(prefix, phrases)]
    assert tokens.lengths(prefix, phrases) == expected
    assert tokens.counts(whole(prefix, phrases)) == expected


ODD_LETTERS = "aZ ,.&;<#\n\u00a0ÃÂâœŒ€™Ä°´é\u0301ΣσГўВЂ²½„“ﬁ人１©\u0085\ufeff"  # noqa: RUF001
ODD = st.lists(st.sampled_from([*ODD_LETTERS, "&amp", "&lt;", "Ã©", "â€™", "ГўВЂВ"]), max_size=10).map("".join)


@settings(max_examples=300, deadline=None)
@given(prefix=ODD, phrases=st.lists(ODD, min_size=1, max_size=8))
def test_what_cleaning_makes_of_odd_letters_is_made_of_the_whole(prefix: str, phrases: list[str]) -> None:
    tokens = open_tokens(SIMPLE, 77, first_end)
    expected = [tuple(SIMPLE.encode(text)) for text in whole(prefix, phrases)]
    assert tokens.lengths(prefix, phrases) == [len(ids) for ids in expected]
    if all(len(ids) <= 75 and max(ids, default=0) < SIMPLE.sot_token_id for ids in expected):
        found = ids_of(tokens.continued(prefix, phrases), len(phrases))
        assert [ids[1:-1] for ids in found] == expected


def test_accents_and_other_alphabets_are_put_together_from_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = encoded_texts(monkeypatch)
    tokens = open_tokens(SIMPLE, 77, first_end)
    tokens.continued("café by Adélaïde", ["a d & d fighter", "漫画", "œuvre"])
    assert sorted(encoded) == sorted(["café by Adélaïde,", "a d & d fighter", "漫画", "œuvre"])


def test_the_labels_of_clip_interrogator_continue_a_prompt_with_the_ids_of_the_whole() -> None:
    """All that are more than plain words, and a tenth of the others, which are encoded alike; all with THOROUGH=1."""
    prefix = "a cat (photo)"
    labels = clip_interrogator_labels()
    assert len(labels) > 106_000
    if not os.environ.get("THOROUGH"):
        plain = [label for label in labels if PLAIN.fullmatch(label)]
        labels = [*(label for label in labels if not PLAIN.fullmatch(label)), *plain[::10]]
        assert len(labels) > 25_000
    tokens = open_tokens(SIMPLE, 77, first_end)
    found = ids_of(tokens.continued(prefix, labels), len(labels))
    start, end = SIMPLE.sot_token_id, SIMPLE.eot_token_id
    wrong = [
        label
        for label, ids in zip(labels, found, strict=True)
        if ids != (start, *SIMPLE.encode(f"{prefix}, {label}")[:75], end)
    ]
    assert wrong == []


PLAIN = re.compile(r"[a-z]+( [a-z]+)*")


def clip_interrogator_labels() -> list[str]:
    files = [file for file in distribution("clip-interrogator").files or () if file.match("data/*.txt")]
    return [line for file in files for line in Path(str(file.locate())).read_text(encoding="utf-8").splitlines()]


def test_what_a_tokenizer_drops_at_random_is_left_to_it() -> None:
    dropping = SimpleTokenizer(reduction_mask="simple")
    assert type(open_tokens(dropping, 16)) is not type(open_tokens(SIMPLE, 16))


@settings(max_examples=40, deadline=None)
@given(prefix=texts(), phrases=st.lists(texts(5), min_size=1, max_size=5))
def test_any_other_tokenizer_is_asked_for_whole_texts(
    tmp_path_factory: pytest.TempPathFactory, prefix: str, phrases: list[str]
) -> None:
    tokenizer = hf_tokenizer(tmp_path_factory.getbasetemp() / "words", 24)
    tokens = open_tokens(tokenizer, 24)
    found = ids_of(tokens.continued(prefix, phrases), len(phrases))
    assert found == [tuple(row) for row in tokenizer(whole(prefix, phrases)).tolist()]
    assert tokens.limit == 22
    plain = tokenizer.tokenizer([tokenizer.clean_fn(text) for text in whole(prefix, phrases)], add_special_tokens=False)
    assert tokens.lengths(prefix, phrases) == [len(ids) for ids in plain.input_ids]


@pytest.mark.parametrize(("end_pads", "limit"), [(False, 6), (True, 7)])
def test_the_limit_is_what_stands_beside_the_special_tokens_in_a_full_row(
    tmp_path: Path, end_pads: bool, limit: int
) -> None:
    tokenizer = hf_tokenizer(tmp_path, 8, end_pads=end_pads)
    tokens = open_tokens(tokenizer, 8)
    assert tokens.limit == limit
    fitting = " ".join(["cat"] * limit)
    assert tokens.counts(["", "cat", fitting, f"{fitting} cat"]) == [0, 1, limit, limit + 1]
    words = tokenizer.tokenizer.convert_tokens_to_ids("cat")
    assert tokens.whole([f"{fitting} castle"])[0].count(words) == limit  # the castle is cut off
    assert tokens.whole([f"{fitting} castle"]) == tokens.whole([fitting])


def test_phrases_are_encoded_once_and_prompts_that_occur_once_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = encoded_texts(monkeypatch)
    tokens = open_tokens(SIMPLE, 77, first_end)
    assert isinstance(tokens, SplitTokens)
    for number in range(5):
        tokens.lengths(f"step {number}", ["oil painting", "by greg"])
        tokens.continued("a cat", [f"oil painting, by greg, {number}"])
    assert encoded.count("oil painting") == encoded.count("by greg") == 1
    assert tokens.remembered == 2


def test_when_too_many_phrases_are_remembered_the_longest_unused_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interrogator.prompt_tokens._REMEMBERED", 3)
    tokens = open_tokens(SIMPLE, 77, first_end)
    assert isinstance(tokens, SplitTokens)
    phrases = ["red", "green", "blue", "red", "yellow sky"]
    expected = [1, 1, 1, 1, 2]
    assert tokens.lengths("", phrases) == tokens.lengths("", phrases[::-1])[::-1] == expected
    assert tokens.remembered == 3


ROWS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple), min_size=1, max_size=30)


@given(sequences=ROWS)
def test_sharing_loses_no_id(sequences: list[tuple[int, ...]]) -> None:
    assert ids_of([share(sequences, range(len(sequences)))], len(sequences)) == sequences


def test_texts_share_all_that_they_begin_with_alike() -> None:
    group = share([(1, 2, 3, 4), (1, 2, 5), (1, 2, 3)], [0, 1, 2])
    assert (group.head, list(group.tails)) == ((1, 2), [(3, 4), (5,), (3,)])
    assert common((1, 2, 3), (1, 2)) == 2
