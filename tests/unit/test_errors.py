"""Failures as they cross a process boundary: a kind for programs, a sentence for people."""

from __future__ import annotations

import pytest

from interrogator.errors import BY_KIND, CancelledError, DeadlineError, InternalError, from_kind


@pytest.mark.parametrize("kind", BY_KIND)
def test_a_failure_is_the_same_on_the_other_side(kind: str) -> None:
    error = from_kind(kind, "A sentence.")
    assert (type(error).kind, type(error), str(error)) == (kind, BY_KIND[kind], "A sentence.")


def test_a_kind_that_this_version_does_not_know_is_still_told() -> None:
    error = from_kind("of_the_future", "A sentence.")
    assert (type(error), str(error)) == (InternalError, "A sentence.")


@pytest.mark.parametrize("reason", [DeadlineError, CancelledError])
def test_what_several_parts_say_has_its_sentence_in_one_place(
    reason: type[DeadlineError] | type[CancelledError],
) -> None:
    assert str(reason()).endswith(".")
    assert str(reason("The shop closes.")) == "The shop closes."
