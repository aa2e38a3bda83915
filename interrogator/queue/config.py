"""How much a queue takes, and how long it waits for its worker."""

from __future__ import annotations

from dataclasses import dataclass

BEAT_SECONDS = 1.0
"""Between two heartbeats of a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConfig:
    """Bounds and patience. Bytes are of the images of all unfinished jobs; users without a key share no bound.

    A worker that is loading has more time, for a sign of life (the libraries that it reads may hold it up) as for a
    sign that it gets on.
    """

    max_jobs: int = 100
    max_jobs_per_user: int = 5
    max_bytes: int = 512 * 1024 * 1024
    max_failures: int = 3  # lives of the worker in a row that came to nothing, before the jobs that wait are failed
    backoff_seconds: float = 0.25
    max_backoff_seconds: float = 30.0
    grace_seconds: float = 3.0
    heartbeat_seconds: float = 20.0  # without a sign of life from a worker that is ready, before it is given up
    loading_heartbeat_seconds: float = 60.0  # the same, of one that is not ready
    stall_seconds: float = 120.0  # without a sign that a batch gets on, before the worker is given up
    loading_stall_seconds: float = 600.0  # without one that loading does
    silence_seconds: float = 30.0  # without a word from a worker that was told to drop a job, before it is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalQueueConfig(QueueConfig):
    """Of a queue with a worker of its own."""

    beat_seconds: float = BEAT_SECONDS
    pipeline: str | None = None  # "module:function" in place of `interrogator.pipeline.load_serving`
    command: tuple[str, ...] | None = None  # in place of our worker, for one that speaks the same protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteQueueConfig(QueueConfig):
    """Of a queue whose worker runs by itself: it may be restarted, so that jobs wait longer, for about half a minute;
    after that the worker is looked for again every `retry_seconds`, whether a job comes or not."""

    profile: str | None = None  # that the worker must serve; where None, any
    max_failures: int = 10
    max_backoff_seconds: float = 5.0
    connect_seconds: float = 5.0  # for the connection and the handshake
    retry_seconds: float = 5.0
