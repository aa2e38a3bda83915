"""The two ways to answer: in this process, or in a worker's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interrogator.cli.commands.interrogate import InterrogateArguments
from interrogator.errors import InternalError, InterrogatorError, from_kind
from interrogator.process_settings import prepare_process
from interrogator.profiles import to_argument
from interrogator.queue import WorkerState
from interrogator.request import MeasureRequest, Request
from interrogator.types import Done, Explanation, Failed, Interrogation, Job, JobId, Measure, Measurement, Progress

if TYPE_CHECKING:
    from interrogator.engines import Report
    from interrogator.pipeline import Pipeline
    from interrogator.queue.supervised import SupervisedQueue

Outcome = Interrogation | InterrogatorError

CONNECTIONS = 3  # tries to reach a worker, before a person who waits is told that there is none


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one image; the explanation where it was asked for and there is a prompt. `of_models`: the models
    cannot be loaded, so that it would be the same for any image."""

    outcome: Outcome
    explanation: Explanation | None = None
    of_models: bool = False


Interrogate = Callable[[Sequence[bytes]], Sequence[Result]]
"""Answers the bytes of a batch of images, in order; never raises for what may go wrong with them or the models."""


def open_runner(arguments: InterrogateArguments, report: Report) -> AbstractContextManager[Interrogate]:
    """What was asked for by `--worker` and `--connect`; the imports are heavy, so that each happens only where it is
    needed."""
    return _worker(arguments, report) if arguments.elsewhere else _in_process(arguments, report)


@contextmanager
def _in_process(arguments: InterrogateArguments, report: Report) -> Iterator[Interrogate]:
    prepare_process()
    from interrogator.pipeline import load_pipeline  # noqa: PLC0415

    try:
        pipeline = load_pipeline(arguments.profile, report)
    except InterrogatorError as error:
        problem = Result(error, of_models=True)
        yield lambda images: [problem for _ in images]
        return

    def interrogate(images: Sequence[bytes]) -> list[Result]:
        outcomes = _outcomes(pipeline, [Request(image, arguments.options, report) for image in images])
        if not arguments.explain:
            return [Result(outcome) for outcome in outcomes]
        return [
            _explained(pipeline, Request(image, arguments.options, report), outcome)
            for image, outcome in zip(images, outcomes, strict=True)
        ]

    yield interrogate


def _outcomes(pipeline: Pipeline, requests: Sequence[Request]) -> list[Outcome]:
    """Those of the batch. An unexpected error takes all of a batch with it, so each of them is then asked alone: only
    the image that was the cause has to go without an answer."""
    from interrogator.batch import run_batch  # noqa: PLC0415

    if not requests:
        return []
    outcomes = list(run_batch(pipeline.run, requests))
    if len(requests) > 1 and all(isinstance(outcome, InternalError) for outcome in outcomes):
        return [run_batch(pipeline.run, [request])[0] for request in requests]
    return outcomes


def _explained(pipeline: Pipeline, request: Request, outcome: Outcome) -> Result:
    """With what each phrase contributes; without it where the prompt cannot be measured."""
    if isinstance(outcome, InterrogatorError):
        return Result(outcome)
    measure = Measure(prompts=(outcome.prompt,))
    (measured,) = pipeline.measure([MeasureRequest(request.image, request.options, request.report, measure)])
    return Result(outcome, measured.explanations[0] if isinstance(measured, Measurement) else None)


@contextmanager
def _worker(arguments: InterrogateArguments, report: Report) -> Iterator[Interrogate]:
    numbers = itertools.count(1)
    problem: InterrogatorError | None = None

    async def ask(images: Sequence[bytes]) -> list[Outcome]:
        jobs = [Job(id=JobId(str(next(numbers))), image=image, options=arguments.options) for image in images]
        return await asyncio.gather(*(_ask(queue, job, report) for job in jobs))

    def interrogate(images: Sequence[bytes]) -> list[Result]:
        nonlocal problem
        if problem is not None:
            return [Result(problem, of_models=True) for _ in images]
        outcomes = loop.run(ask(images))
        failures = [outcome for outcome in outcomes if isinstance(outcome, InterrogatorError)]
        if failures and queue.status().worker is WorkerState.STOPPED:
            problem = failures[-1]  # asking for each image would take as long each time
        return [Result(outcome, of_models=problem is not None) for outcome in outcomes]

    with asyncio.Runner() as loop:
        queue = _queue(arguments)
        loop.run(queue.__aenter__())
        try:
            yield interrogate
        finally:
            loop.run(queue.__aexit__(None, None, None))


def _queue(arguments: InterrogateArguments) -> SupervisedQueue:
    if arguments.connect is not None:
        from interrogator.queue.remote import RemoteQueue, RemoteQueueConfig  # noqa: PLC0415

        config = RemoteQueueConfig(profile=arguments.profile.name, max_failures=CONNECTIONS)
        return RemoteQueue(arguments.connect, arguments.secret, config)
    from interrogator.queue.local import LocalQueue  # noqa: PLC0415

    return LocalQueue(to_argument(arguments.profile))


async def _ask(queue: SupervisedQueue, job: Job, report: Report) -> Outcome:
    async for event in queue.submit(job):
        match event:
            case Progress():
                report(event)
            case Done(interrogation):
                return interrogation
            case Failed(kind, message):
                return from_kind(kind, message)
    raise AssertionError("a job ends in Done or Failed")
