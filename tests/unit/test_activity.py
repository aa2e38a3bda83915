"""What the worker tells of its main thread."""

from __future__ import annotations

from interrogator.activity import Activity
from interrogator.types import Stage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_work_is_stalled_for_as_long_as_there_was_no_sign_and_rest_is_not() -> None:
    clock = Clock()
    activity = Activity(clock)
    clock.now += 3
    assert activity.stalled == 3  # it loads from the start
    activity.gets_on(Stage.LABELS)
    assert activity.stalled == 0
    clock.now += 2
    assert activity.stalled == 2
    activity.rests()
    clock.now += 1000
    assert activity.stalled == 0
    activity.gets_on()
    clock.now += 1
    assert activity.stalled == 1


def test_a_stage_lasts_until_the_next_and_is_summed_over_batches() -> None:
    clock = Clock()
    activity = Activity(clock)
    for _ in range(2):
        for stage, seconds in ((Stage.READ, 1), (Stage.SEARCH, 4), (Stage.SEARCH, 8)):
            activity.gets_on(stage)
            clock.now += seconds
        activity.computed(3)
        clock.now += 100  # between the batches
    counters = activity.counters({})
    assert counters.stage_seconds == {Stage.READ: 2, Stage.SEARCH: 24}
    assert (counters.images, counters.batches) == (6, {3: 2})


def test_what_was_known_is_a_hit_and_what_was_computed_a_miss() -> None:
    activity = Activity(Clock())
    activity.computed(2)
    activity.knew()
    counters = activity.counters({"captions": (5, 7)})
    assert counters.hits == {"results": 1, "captions": 5}
    assert counters.misses == {"results": 2, "captions": 7}
