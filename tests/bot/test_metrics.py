"""What is counted of a job, by its events."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Metrics
from interrogator.counters import WorkerCounters
from interrogator.queue import QueueStatus, WorkerState
from interrogator.types import Done, Failed, Interrogation, Mode, Progress, Queued, Stage

ANSWER = Interrogation(
    sha256="0" * 64,
    width=4,
    height=3,
    profile="lite",
    engine="lite",
    mode=Mode.FAST,
    style_only=False,
    caption="a cat",
    prompt="a cat",
    phrases=(),
    similarity=0.5,
    seconds=1.0,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def metrics(restarts: int = 0) -> Metrics:
    return Metrics(lambda: QueueStatus(waiting=3, running=2, worker=WorkerState.RESTARTING, restarts=restarts))


def samples(counted: Metrics) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(counted.text().decode())
        for sample in family.samples
    }


def test_waiting_stages_and_the_whole_are_timed() -> None:
    counted, clock = metrics(), Clock()
    watch = counted.watch(clock)
    for seconds, event in (
        (1, Queued(1)),
        (2, Progress(Stage.LOAD, 1, 2)),
        (4, Progress(Stage.READ)),
        (8, Progress(Stage.SEARCH, 0, 2)),
        (16, Progress(Stage.SEARCH, 1, 2)),
        (32, Done(ANSWER)),
    ):
        clock.now += seconds
        watch.saw(event)
    found = samples(counted)
    assert found["interrogator_wait_seconds_sum",] == 1 + 2 + 4
    assert found["interrogator_stage_seconds_sum", "reading the image"] == 8
    assert found["interrogator_stage_seconds_sum", "search"] == 16 + 32
    assert found["interrogator_job_seconds_sum",] == 63
    assert found["interrogator_cached_answers_total",] == 0


def test_an_answer_without_work_is_a_cached_one_and_a_failure_is_not() -> None:
    counted = metrics()
    counted.watch().saw(Done(ANSWER))
    counted.watch().saw(Failed("deadline", "Too late."))
    found = samples(counted)
    assert found["interrogator_cached_answers_total",] == 1
    assert found["interrogator_job_seconds_count",] == 2
    assert found["interrogator_wait_seconds_count",] == 0


def test_the_queue_is_asked_at_each_look() -> None:
    found = samples(metrics(restarts=7))
    assert found["interrogator_jobs", "waiting"] == 3
    assert found["interrogator_jobs", "running"] == 2
    assert found["interrogator_worker_restarts_total",] == 7
    assert found["interrogator_worker_ready",] == 0


def test_what_the_worker_counts_is_shown() -> None:
    counters = WorkerCounters(
        images=11,
        batches={1: 2, 3: 3},
        hits={"results": 4, "captions": 1},
        misses={"results": 11, "captions": 10},
        stage_seconds={Stage.SEARCH: 2.5},
    )
    found = samples(
        Metrics(lambda: QueueStatus(waiting=0, running=0, worker=WorkerState.READY, restarts=0, counters=counters))
    )
    assert found["interrogator_worker_images_total",] == 11
    buckets = {le: found["interrogator_worker_batch_images_bucket", le] for le in ("1.0", "2.0", "4.0", "+Inf")}
    assert buckets == {"1.0": 2, "2.0": 2, "4.0": 5, "+Inf": 5}
    assert found["interrogator_worker_batch_images_sum",] == 11
    assert found["interrogator_worker_batch_images_count",] == 5
    assert found["interrogator_worker_cache_hits_total", "results"] == 4
    assert found["interrogator_worker_cache_misses_total", "captions"] == 10
    assert found["interrogator_worker_stage_seconds_total", "search"] == 2.5


def test_answers_are_counted_by_mode_and_errors_by_kind() -> None:
    counted = metrics()
    counted.answered(Mode.BEST)
    counted.failed("deadline")
    counted.failed("deadline")
    found = samples(counted)
    assert found["interrogator_answers_total", "best"] == 1
    assert found["interrogator_answers_total", "turbo"] == 0
    assert found["interrogator_errors_total", "deadline"] == 2


def test_two_bots_count_apart() -> None:
    one, other = metrics(), metrics()
    one.answered(Mode.BEST)
    assert samples(other)["interrogator_answers_total", "best"] == 0
