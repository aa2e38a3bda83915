"""The asking side of `benchmarks.throughput`: pictures, people who ask, and what they saw of the queue."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from benchmarks.scenes import HELD_OUT, scene
from benchmarks.throughput_worker import RECORDS
from interrogator.profiles import LiteProfile, Profile, to_argument
from interrogator.queue.local import LocalQueue, LocalQueueConfig
from interrogator.queue.process import worker_command
from interrogator.types import Done, Failed, Interrogation, Job, JobId, Mode, Options, Queued

PIPELINE = "benchmarks.throughput_worker:watched"
REPOSITORY = Path(__file__).parent.parent
LAG_PERIOD = 0.01  # seconds between two looks at the event loop
LARGE_SIDE = 1826  # pixels: as BMP, 10 MB
REPEAT_PAUSE = 0.05  # seconds between two questions for what is known
LARGE_PAUSE = 0.1  # seconds between two large files
_ROOM = 10_000  # jobs: the bounds of the queue are not what is measured

_numbers = itertools.count(1)


class LoadError(Exception):
    """What was asked was not answered as it should be, so there is nothing to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is asked: `jobs` of `users` at once; then `many` by one person, beside `lone` people with one each and
    `repeats` of what was answered; then `large` files. `side` is that of the pictures, in pixels."""

    jobs: int = 200
    users: int = 20
    many: int = 100
    lone: int = 10
    repeats: int = 40
    large: int = 10
    side: int = 1024


@dataclass(frozen=True, slots=True)
class Side:
    """What is asked of whom: a profile, the mode, and the function that loads the pipeline."""

    profile: Profile
    mode: Mode
    pipeline: str = PIPELINE


@dataclass(eq=False, slots=True)
class Asked:
    """A job as its user saw it. Times are of `time.monotonic`; `announced` are times with the seconds then told."""

    job: Job
    asked: float
    answered: float = 0.0
    announced: list[tuple[float, float]] = field(default_factory=list)
    interrogation: Interrogation | None = None

    @property
    def seconds(self) -> float:
        """From the question to the answer."""
        return self.answered - self.asked


@dataclass(frozen=True, slots=True)
class Questions:
    """All that is asked, made before anything is measured; no picture comes twice."""

    first: Job
    jobs: list[Job]
    many: list[Job]
    lone: list[Job]
    large: list[Job]
    beside_large: list[Job]


def questions(side: Side, plan: Plan) -> Questions:
    """As the plan says; what a scene shows is its caption, where the profile has no captioner."""
    seeds = itertools.count(HELD_OUT)

    def jobs(count: int, user: str, users: int = 1, draw: Callable[[int, int], bytes] = picture) -> list[Job]:
        made = []
        for number, seed in enumerate(itertools.islice(seeds, count)):
            caption = "" if isinstance(side.profile, LiteProfile) else scene(seed).caption
            options = Options(mode=side.mode, profile=side.profile.name, caption=caption)
            made.append(Job(id=_id(), image=draw(seed, plan.side), options=options, user=f"{user} {number % users}"))
        return made

    return Questions(
        first=jobs(1, "first")[0],
        jobs=jobs(plan.jobs, "user", plan.users),
        many=jobs(plan.many, "many"),
        lone=jobs(plan.lone, "lone", plan.lone),
        large=jobs(plan.large, "large", draw=lambda seed, _: noise(seed)),
        beside_large=jobs(plan.large, "other"),
    )


def picture(seed: int, side: int) -> bytes:
    """A scene as a JPEG file of so many pixels a side, with some grain, as a photograph has."""
    small = scene(seed).image.resize((side, side), Image.Resampling.BICUBIC)
    grain = np.random.default_rng(seed).normal(0, 4, (side, side, 1))
    return _file(np.clip(np.asarray(small) + grain, 0, 255), "JPEG")


def noise(seed: int) -> bytes:
    """A BMP file of 10 MB."""
    return _file(np.random.default_rng(seed).integers(0, 256, (LARGE_SIDE, LARGE_SIDE, 3)), "BMP")


def _file(pixels: NDArray[Any], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, kind, quality=90)
    return buffer.getvalue()


def _id() -> JobId:
    return JobId(f"job-{next(_numbers)}")


class LagMeter:
    """How late the event loop is, in seconds, as `bot.health.watch_event_loop` measures it, but more often."""

    def __init__(self) -> None:
        self.samples: list[float] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Measures while the block lasts."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            expected = loop.time() + LAG_PERIOD
            await asyncio.sleep(LAG_PERIOD)
            self.samples.append(max(0.0, loop.time() - expected))


@contextmanager
def recording(file: Path, cache: Path) -> Iterator[None]:
    """Workers started in the block find the pipeline of this benchmark, write to `file`, and keep what they compute of
    labels in `cache`."""
    ours = {
        RECORDS: str(file),
        "INTERROGATOR_CACHE": str(cache),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@asynccontextmanager
async def worker(side: Side, batch: int | None = None) -> AsyncIterator[LocalQueue]:
    """A queue whose worker is ready, and takes `batch` images at once, else as many as it does as shipped."""
    command = worker_command(to_argument(side.profile), side.pipeline)
    config = LocalQueueConfig(
        max_jobs=_ROOM,
        max_jobs_per_user=_ROOM,
        max_bytes=1 << 40,
        command=command if batch is None else (*command, "--batch", str(batch)),
    )
    async with LocalQueue(config=config) as queue:
        await queue.wait_ready()
        yield queue


async def ask(queue: LocalQueue, job: Job) -> Asked:
    """Follows the job to its answer. LoadError where there is none."""
    asked = Asked(job, time.monotonic())
    async with aclosing(queue.submit(job)) as events:
        async for event in events:
            match event:
                case Queued(eta=float(eta)):
                    asked.announced.append((time.monotonic(), eta))
                case Done(interrogation):
                    asked.answered, asked.interrogation = time.monotonic(), interrogation
                case Failed(message=message):
                    raise LoadError(message)
    return asked


async def ask_all(queue: LocalQueue, jobs: Iterable[Job]) -> list[Asked]:
    """All of them at once."""
    return list(await asyncio.gather(*(ask(queue, job) for job in jobs)))


async def ask_again(queue: LocalQueue, known: Asked) -> Asked:
    """What was answered is asked once more. LoadError where it is not known."""
    again = await ask(queue, replace(known.job, id=_id(), user="again"))
    if again.interrogation is None or not again.interrogation.cached:
        raise LoadError("what was answered before was computed once more")
    return again


@dataclass(frozen=True, slots=True)
class Beside:
    """What those saw who asked beside one another: the one with many jobs, those with one, and those who asked for what
    was known."""

    many: list[Asked]
    lone: list[Asked]
    again: list[Asked]


async def ask_beside(queue: LocalQueue, asking: Questions, known: Sequence[Asked]) -> Beside:
    """One person asks for many at once. While they are answered, others come with one each, spread evenly."""
    many = len(asking.many)
    begins = {(number + 1) * many // (len(asking.lone) + 1): job for number, job in enumerate(asking.lone)}
    lone: list[asyncio.Task[Asked]] = []
    again: list[Asked] = []
    answered = 0

    async def one_of_many(job: Job) -> Asked:
        nonlocal answered
        asked = await ask(queue, job)
        answered += 1
        if answered in begins:
            lone.append(asyncio.create_task(ask(queue, begins[answered])))
        return asked

    async def repeat() -> None:
        for one in itertools.cycle(known):
            again.append(await ask_again(queue, one))
            await asyncio.sleep(REPEAT_PAUSE)

    repeating = asyncio.create_task(repeat())
    seen = list(await asyncio.gather(*map(one_of_many, asking.many)))
    repeating.cancel()
    await asyncio.wait([repeating])
    if not repeating.cancelled():
        repeating.result()
    return Beside(seen, list(await asyncio.gather(*lone)), again)


async def ask_large(queue: LocalQueue, asking: Questions) -> None:
    """Large files come one after another while the worker has as many others to do."""
    tasks = [asyncio.create_task(ask(queue, job)) for job in asking.beside_large]
    for job in asking.large:
        tasks.append(asyncio.create_task(ask(queue, job)))
        await asyncio.sleep(LARGE_PAUSE)
    await asyncio.gather(*tasks)


def peak_mb(pid: int) -> float:
    """The most memory that the process has held, where the system tells (Linux), else what it holds now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    return float(psutil.Process(pid).memory_info().rss / 1e6)
