"""Places for pictures: bounded in all, by person and by bytes, and free again whatever happens in them."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.places import Places
from interrogator.errors import QueueFullError

ANN, BOB = 1, 2


def test_one_person_cannot_take_more_than_their_share() -> None:
    places = Places(most=9, most_of_one=1)
    with places.taken(ANN, 1), places.taken(BOB, 1), pytest.raises(QueueFullError, match="You have 1 image in"):
        places.taken(ANN, 1).__enter__()


def test_all_together_cannot_take_more_than_there_are() -> None:
    places = Places(most=2, most_of_one=2)
    with places.taken(ANN, 1), places.taken(BOB, 1), pytest.raises(QueueFullError, match=r"full \(2 images"):
        places.taken(BOB, 1).__enter__()


def test_bytes_are_bounded_too() -> None:
    places = Places(most=9, most_of_one=9, most_bytes=100)
    with places.taken(ANN, 60):
        with pytest.raises(QueueFullError, match="full"):
            places.taken(BOB, 41).__enter__()
        with places.taken(BOB, 40):
            pass


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60)), max_size=12))
def test_whatever_was_taken_or_refused_all_is_free_afterwards(asked: list[tuple[int, int]]) -> None:
    places = Places(most=4, most_of_one=2, most_bytes=100)
    with ExitStack() as stack:
        for user, size in asked:
            try:
                stack.enter_context(places.taken(user, size))
            except QueueFullError:
                continue
    with places.taken(ANN, 50), places.taken(ANN, 50):
        pass
    with places.taken(BOB, 0), places.taken(BOB, 0), places.taken(ANN, 0), places.taken(ANN, 0):
        pass
