"""Profiles: found by name, refused with a sentence that helps."""

from __future__ import annotations

import pytest

from interrogator.errors import UnsupportedOptionError
from interrogator.profiles import profile, profile_names
from interrogator.types import DEFAULT_PROFILE


def test_every_name_leads_to_the_profile_of_that_name() -> None:
    assert DEFAULT_PROFILE in profile_names()
    assert [profile(name).name for name in profile_names()] == list(profile_names())


def test_an_unknown_name_is_refused_with_those_that_exist_and_not_echoed_at_length() -> None:
    with pytest.raises(UnsupportedOptionError, match="lite") as refusal:
        profile("x" * 5000)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("name", profile_names())
def test_bounds_leave_room_for_a_prompt(name: str) -> None:
    chosen = profile(name)
    assert 0 <= chosen.min_phrases <= chosen.max_phrases <= chosen.most_phrases <= chosen.pool
    assert chosen.kind_floor <= chosen.kind_sure <= chosen.kind_unnamed <= 1
    assert min(chosen.feedback, chosen.cue_feedback, chosen.flaw_feedback) >= 0
