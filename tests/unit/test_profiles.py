"""Profiles: found by name, refused with a sentence that helps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interrogator.errors import ProfileError, UnsupportedOptionError
from interrogator.profiles import (
    LITE,
    ClipProfile,
    LiteProfile,
    from_argument,
    load_profiles,
    profile,
    profile_names,
    to_argument,
)
from interrogator.types import DEFAULT_PROFILE


def test_every_name_leads_to_the_profile_of_that_name() -> None:
    assert DEFAULT_PROFILE in profile_names()
    assert [profile(name).name for name in profile_names()] == list(profile_names())


def test_an_unknown_name_is_refused_with_those_that_exist_and_not_echoed_at_length() -> None:
    with pytest.raises(UnsupportedOptionError, match="lite") as refusal:
        profile("x" * 5000)
    assert len(str(refusal.value)) < 200


def test_bounds_leave_room_for_a_prompt() -> None:
    assert 0 <= LITE.min_phrases <= LITE.max_phrases <= LITE.most_phrases <= LITE.pool
    assert LITE.kind_floor <= LITE.kind_sure <= LITE.kind_unnamed <= 1
    assert min(LITE.feedback, LITE.cue_feedback, LITE.flaw_feedback) >= 0
    for chosen in load_profiles().values():
        assert 0 <= chosen.min_phrases <= chosen.max_phrases <= chosen.pool


def test_sdxl_is_scored_by_both_of_its_text_encoders() -> None:
    chosen = profile("sdxl")
    assert isinstance(chosen, ClipProfile)
    assert chosen.models == ("ViT-L-14/openai", "ViT-bigG-14/laion2b_s39b_b160k")


OWN = """
[mine]
engine = "clip"
models = ["ViT-B-32/openai"]
captioner = "none"
device = "cuda:1"

[lite]
engine = "lite"
pool = 32
"""


def test_a_file_adds_profiles_and_replaces_those_of_the_same_name(tmp_path: Path) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(OWN)
    assert profile("mine", file) == ClipProfile(
        name="mine", models=("ViT-B-32/openai",), captioner="none", device="cuda:1"
    )
    assert profile("lite", file) == LiteProfile(name="lite", pool=32)
    assert profile_names(file) == (*profile_names(), "mine")
    assert profile("lite") == LITE


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[mine", "are no TOML"),
        (b"x = '\xe9'", "are no TOML"),
        ("mine = 3", "“mine” in .* is no profile: write it as a table"),
        ("[mine]\nengine = 'clap'", "“mine” in .* is wrong: Invalid value 'clap'"),
        ("[mine]\nengine = 'clip'", "missing required field `models`"),
        ("[mine]\nengine = 'clip'\nmodels = ['a']\ncolour = 1", "unknown field `colour`"),
        ("[mine]\nengine = 'clip'\nmodels = ['a']\nprecision = 'int8'", "precision"),
        ("[mine]\nengine = 'clip'\nmodels = []", "models"),
        ("[mine]\nengine = 'clip'\nmodels = ['a']\npool = 0", "`pool`|pool"),
        (
            "[mine]\nengine = 'clip'\nmodels = ['a']\nmin_phrases = 9\nmax_phrases = 3",
            r"min_phrases \(9\) is over max_phrases \(3\)",
        ),
        ("[mine]\nengine = 'clip'\nmodels = ['a']\npool = 24", r"max_phrases \(32\) is over pool \(24\)"),
    ],
)
def test_a_wrong_file_is_a_sentence(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    file = tmp_path / "profiles.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ProfileError, match=sentence):
        load_profiles(file)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read: No such file"):
        load_profiles(tmp_path / "none.toml")


@given(st.builds(ClipProfile, name=st.text(), models=st.tuples(st.text()), device=st.text(), pool=st.integers(50, 99)))
def test_a_profile_crosses_a_command_line(chosen: ClipProfile) -> None:
    assert from_argument(to_argument(chosen)) == chosen
    assert from_argument("lite") == LITE


@pytest.mark.parametrize("word", ["{", "{}", '{"engine": "clip"}'])
def test_an_argument_that_is_no_profile_is_a_sentence(word: str) -> None:
    with pytest.raises(ProfileError, match="That is no profile"):
        from_argument(word)
