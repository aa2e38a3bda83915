"""What is kept, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interrogator.bounded_cache import ENTRY_BYTES, BoundedCache
from interrogator.errors import NotFiniteError


def cache_for(entries: int, size: int = 100) -> BoundedCache[str, bytes]:
    """Room for so many values of `size` bytes."""
    return BoundedCache(entries * (ENTRY_BYTES + size), len)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3000))), st.integers(0, 10_000))
@settings(deadline=None)
def test_it_holds_no_more_than_its_limit_and_what_it_holds_is_the_last_put(
    puts: list[tuple[str, int]], limit: int
) -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(limit, len)
    last: dict[str, bytes] = {}
    for number, (key, size) in enumerate(puts):
        last[key] = bytes([number % 256]) * size
        cache.put(key, last[key])
        assert cache.held <= limit
        fits = size + ENTRY_BYTES <= limit
        assert cache.get(key) == (last[key] if fits else None)
    kept = [value for key in last if (value := cache.get(key)) is not None]
    assert cache.held == sum(len(value) + ENTRY_BYTES for value in kept)
    assert all(cache.get(key) in (None, value) for key, value in last.items())


def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache = cache_for(2)
    cache.put("a", bytes(100))
    cache.put("b", bytes(100))
    assert cache.get("a") is not None
    cache.put("c", bytes(100))
    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]


def test_a_value_larger_than_all_the_room_is_not_kept_and_drives_nothing_out() -> None:
    cache = cache_for(2)
    cache.put("a", bytes(100))
    cache.put("b", bytes(10_000))
    assert cache.get("b") is None
    assert cache.get("a") is not None


def test_what_is_missing_is_computed_in_one_call_each_once() -> None:
    cache = cache_for(10)
    cache.put("b", b"known")
    calls: list[list[int]] = []

    def compute(places: list[int]) -> list[bytes]:
        calls.append(places)
        return [b"%d" % place for place in places]

    keys = ["a", "b", "c", "a"]
    assert cache.complete(keys, compute) == [b"0", b"known", b"2", b"0"]
    assert cache.complete(keys, compute) == [b"0", b"known", b"2", b"0"]
    assert calls == [[0, 2]]


def test_without_room_everything_is_computed_each_time_and_still_each_once() -> None:
    calls: list[list[int]] = []

    def compute(places: list[int]) -> list[bytes]:
        calls.append(places)
        return [b"x" for _ in places]

    cache = cache_for(0)
    for _ in range(2):
        assert cache.complete(["a", "a", "b"], compute) == [b"x"] * 3
    assert calls == [[0, 2]] * 2


def test_what_cannot_be_computed_is_not_kept() -> None:
    cache = cache_for(10)

    def fail(_: list[int]) -> list[bytes]:
        raise NotFiniteError("no numbers")

    with pytest.raises(NotFiniteError):
        cache.complete(["a"], fail)
    assert cache.get("a") is None
    assert cache.complete(["a"], lambda _: [b"x"]) == [b"x"]
