"""The labels of CLIP Interrogator: read as data, cleaned, tagged; a user's lists beside them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked_kit import mined

from interrogator.errors import VocabularyError
from interrogator.mined import GROUPS, LabelsMissingError, Tag, clean, load_mined
from interrogator.tags import split, tagger

TAG = tagger(["Greg Rutkowski", "Claude Monet", "Claude Lorrain", "Emma Rios", "Emma Uber", "Brom"])


def test_every_group_is_there_in_the_order_that_decides_ties() -> None:
    groups = [label.group for label in mined().labels]
    assert list(dict.fromkeys(groups)) == list(GROUPS)
    assert groups == sorted(groups, key=GROUPS.index)
    counts = Counter(groups)
    assert counts["artist"] == 2 * 5265
    assert counts["flavor"] > 99_000
    assert counts["medium"] == 95
    assert counts["movement"] >= 198  # two are mediums too
    assert counts["trending"] == 72
    assert len(mined().negatives) > 80
    assert len(mined().tags) == len(mined().labels)


def test_artists_and_sites_are_put_in_the_words_of_the_original() -> None:
    labels = {(label.group, label.text) for label in mined().labels}
    for name in ("Claude Monet", "Henriett Seth F.", "Cedric Seaut (Keos Masons)", "Hasegawa Tōhaku"):
        assert {("artist", f"by {name}"), ("artist", f"inspired by {name}")} <= labels
    for form in ("pixiv", "trending on pixiv", "featured on pixiv", "pixiv contest winner"):
        assert ("trending", form) in labels


def test_nothing_is_there_twice_and_all_of_it_is_text() -> None:
    for labels in (mined().labels, mined().negatives):
        folded = [label.text.casefold() for label in labels]
        assert len(set(folded)) == len(folded)
        assert [text for text in folded if not text or text != " ".join(text.split()) or not text.isprintable()] == []
        assert [text for text in folded if "\ufffd" in text or not any(map(str.isalnum, text))] == []


def test_what_is_in_two_groups_stays_in_the_more_telling_one() -> None:
    groups = {label.text: label.group for label in mined().labels}
    assert groups["pixel art"] == "medium"
    assert groups["surrealism"] == "movement"
    assert groups["behance"] == "trending"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("  two   spaces ", "two spaces"),
        ("\x08moebius", "moebius"),
        ("( ( dither ) )", "dither"),
        ("[ closeup ]!!", "closeup"),
        ("(canon", "canon"),
        ("cyberpunk 2077)", "cyberpunk 2077"),
        ("rogue one ( film )", "rogue one ( film )"),
        ("highly detailed in 4k”", "highly detailed in 4k"),
        ("#mechanical design", "mechanical design"),
        ("Edward P. Beard Jr.", "Edward P. Beard Jr."),
        ("a river.", "a river"),
        ("3 5 °", "3 5 °"),
        ("musÃ©e d'orsay", "musée d'orsay"),
        ("pokémon", "pokémon"),
        ("アニメ", "アニメ"),
    ],
)
def test_a_line_is_tidied(line: str, text: str) -> None:
    assert clean([line]) == [text]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("", "empty"), ("💣 💥", "empty"), ("!!!", "empty"), ("sculpted \ufffdー etsy", "damaged"), ("RIVER", "repeated")],
)
def test_what_is_left_out_is_counted(line: str, reason: str) -> None:
    dropped: Counter[str] = Counter()
    assert clean(["river", line], dropped) == ["river"]
    assert dropped == {reason: 1}


@given(st.lists(st.text(max_size=30), max_size=8))
def test_whatever_the_lines_what_is_kept_is_clean(lines: list[str]) -> None:
    kept = clean(lines)
    assert len({text.casefold() for text in kept}) == len(kept)
    for text in kept:
        assert text == " ".join(text.split())
        assert "\ufffd" not in text
        assert text[0].isalnum()


@pytest.mark.parametrize(
    ("tag", "labels"),
    [
        (
            Tag.UNSAFE,
            ["nsfw", "very sexy pose", "Sexually attractive", "hitler playing basketball", "nazism", "niggas"],
        ),
        (Tag.UNSAFE, ["severed limbs", "gory", "big breasts!!", "naked greg rutkowski", "faggots", "lewd smile"]),
        (Tag.ARTIST, ["greg rutkowski", "art by angrysnail", "in the style of sheng lam", "style of james gurney"]),
        (Tag.ARTIST, ["emma brownlow", "fog by claude monet", "brom", "zdzisław beksiński 4k", "artgerm and wlop"]),
        (Tag.BOILERPLATE, ["4k", "8 k", "ultra hd", "award - winning", "trending on artstation", "masterpiece", "the"]),
        (Tag.BOILERPLATE, ["unreal engine 5", "octane render", "1 0 8 0 p", "high quality photo", "w 1 0 2 4"]),
        (
            Tag.STYLE,
            ["cinematic lighting", "in the style of anime", "1 9 8 0 s style", "3 d render", "blade runner vibes"],
        ),
        (
            Tag.STYLE,
            ["muted colors", "oil on canvas", "low poly", "bokeh", "rembrandt lighting", "red and teal palette"],
        ),
        (
            Tag.SUBJECT,
            ["emma watson", "a red car", "oil painting of a dog", "portrait of a king", "dark forest", "sunset"],
        ),
        (
            Tag.SUBJECT,
            ["Essex", "cockatoo", "Dick Bruna's rabbit", "maine coon", "shiitake", "peacock", "analog clock"],
        ),
        (
            Tag.SUBJECT,
            ["moby dick", "breastplate", "glasses on a class bass", "grape juice", "guts from berserk", "art of war"],
        ),
    ],
)
def test_labels_are_tagged(tag: Tag, labels: list[str]) -> None:
    assert {label: TAG(label, "flavor") for label in labels} == dict.fromkeys(labels, tag)


def test_the_rules_agree_with_a_person_on_labels_they_were_not_made_from() -> None:
    lines = (Path(__file__).parent / "mined_tags.tsv").read_text(encoding="utf-8").splitlines()
    by_hand = {text: Tag(tag) for tag, text in (line.split("\t") for line in lines if not line.startswith("#"))}
    by_rule = {label.text: tag for label, tag in zip(mined().labels, mined().tags, strict=True)}
    wrong = {text: (str(tag), str(by_rule[text])) for text, tag in by_hand.items() if by_rule[text] is not tag}
    assert len(wrong) <= 0.15 * len(by_hand), wrong
    styles = [text for text in by_hand if by_rule[text] is Tag.STYLE]
    assert len([text for text in styles if text in wrong]) <= 0.1 * len(styles), wrong  # style_only relies on these


def test_the_group_tells_where_no_word_is_unsafe() -> None:
    assert TAG("by Anybody", "artist") is Tag.ARTIST
    assert TAG("cobra", "movement") is Tag.STYLE
    assert TAG("a statue", "medium") is Tag.STYLE
    assert TAG("pixiv", "trending") is Tag.BOILERPLATE
    assert TAG("a nude statue", "medium") is Tag.UNSAFE


def test_numbers_that_were_taken_apart_are_one_word() -> None:
    assert split("1 9 8 0 s, 8 K: Möbius\u2019s 3 d, 90's") == ("1980s", "8k", "mobius", "3d", "90s")


def test_label_and_tag_agree_on_what_is_style() -> None:
    assert all(label.style == (tag is Tag.STYLE) for label, tag in zip(mined().labels, mined().tags, strict=True))
    styles = {label.text for label in mined().labels if label.style}
    assert {"a watercolor painting", "impressionism", "volumetric lighting", "low-key lighting", "serene"} <= styles


def test_a_users_lists_join_their_groups_or_take_their_place(tmp_path: Path) -> None:
    (tmp_path / "artist.txt").write_text("Ada Lovelace\n", encoding="utf-8")
    (tmp_path / "flavors.txt").write_text("# mine\nunheard-of phrase\ngreg rutkowski\n", encoding="utf-8")
    (tmp_path / "negative.txt").write_text("extra fingers on a piano\n", encoding="utf-8")
    (tmp_path / "medium.txt").write_text("!\na lino print\na nude\n", encoding="utf-8")
    (tmp_path / "movement.txt").write_text("!\n", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not a list")
    joined = load_mined(tmp_path)
    groups = {group: [label.text for label in joined.labels if label.group == group] for group in GROUPS}
    assert {"by Ada Lovelace", "inspired by Ada Lovelace"} <= set(groups["artist"])
    assert groups["flavor"][-1] == "unheard-of phrase"
    assert groups["flavor"].count("greg rutkowski") == 1
    assert groups["medium"] == ["a lino print", "a nude"]
    assert groups["movement"] == []
    assert joined.negatives[-1].text == "extra fingers on a piano"
    assert joined.tags[[label.text for label in joined.labels].index("a nude")] is Tag.UNSAFE


def test_a_users_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "flavor.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(VocabularyError, match=r"flavor\.txt is not UTF-8"):
        load_mined(tmp_path)


def test_a_users_list_of_no_group_is_named_with_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "styles.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(VocabularyError, match=r"styles\.txt.*artist, flavor, medium, movement, trending, negative"):
        load_mined(tmp_path)


def test_two_lists_of_one_group_are_refused(tmp_path: Path) -> None:
    for name in ("flavor.txt", "flavors.txt"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(VocabularyError, match="one list each"):
        load_mined(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="nowhere"):
        load_mined(tmp_path / "nowhere")


def test_without_the_distribution_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[metadata.PackagePath]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    with pytest.raises(LabelsMissingError, match="pip install"):
        load_mined()


def test_the_package_itself_is_never_imported_nor_torch() -> None:
    code = (
        "import sys; from interrogator.mined import load_mined; load_mined();"
        "print([name for name in ('clip_interrogator', 'torch', 'open_clip') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
