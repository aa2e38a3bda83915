"""The two ways to answer: in this process, or in a worker's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from interrogator.cli.arguments import Arguments
from interrogator.errors import InterrogatorError, from_kind
from interrogator.queue import WorkerState
from interrogator.request import Request
from interrogator.threads import let_threads_sleep
from interrogator.types import Done, Failed, Interrogation, Job, JobId, Options, Progress

if TYPE_CHECKING:
    from interrogator.engines import Report
    from interrogator.queue.local import LocalQueue

Interrogate = Callable[[bytes], Interrogation | InterrogatorError]
"""Answers the bytes of an image; never raises for what may go wrong with them, or with the models."""


def open_runner(arguments: Arguments, report: Report) -> AbstractContextManager[Interrogate]:
    """What was asked for by `--worker`; the imports are heavy, so that each happens only where it is needed."""
    return _worker(arguments.options, report) if arguments.worker else _in_process(arguments.options, report)


@contextmanager
def _in_process(options: Options, report: Report) -> Iterator[Interrogate]:
    let_threads_sleep()
    from interrogator.batch import run_batch  # noqa: PLC0415
    from interrogator.pipeline import load_pipeline  # noqa: PLC0415

    try:
        pipeline = load_pipeline(options.profile, report)
    except InterrogatorError as error:
        problem = error
        yield lambda _image: problem
        return
    yield lambda image: run_batch(pipeline, [Request(image, options, report)])[0]


@contextmanager
def _worker(options: Options, report: Report) -> Iterator[Interrogate]:
    from interrogator.queue.local import LocalQueue  # noqa: PLC0415

    numbers = itertools.count(1)
    problem: InterrogatorError | None = None

    def interrogate(image: bytes) -> Interrogation | InterrogatorError:
        nonlocal problem
        if problem is not None:
            return problem
        job = Job(id=JobId(str(next(numbers))), image=image, options=options)
        outcome = loop.run(_ask(queue, job, report))
        if isinstance(outcome, InterrogatorError) and queue.status().worker is WorkerState.STOPPED:
            problem = outcome  # the models cannot be loaded; asking again for each image would take as long each time
        return outcome

    with asyncio.Runner() as loop:
        queue = LocalQueue(options.profile)
        loop.run(queue.__aenter__())
        try:
            yield interrogate
        finally:
            loop.run(queue.__aexit__(None, None, None))


async def _ask(queue: LocalQueue, job: Job, report: Report) -> Interrogation | InterrogatorError:
    async for event in queue.submit(job):
        match event:
            case Progress():
                report(event)
            case Done(interrogation):
                return interrogation
            case Failed(kind, message):
                return from_kind(kind, message)
    raise AssertionError("a job ends in Done or Failed")
