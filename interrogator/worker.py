"""The process that owns the device: `python -m interrogator.worker`, spoken to through its stdin and stdout.

Three threads: one reads jobs and cancellations and answers what was answered before, the main one loads the models and
runs what waits, the last tells every second that the process lives, and for how long the main thread has not got on: it
may hang in foreign code that leaves the others running. The end of stdin means that the process that asked is gone, and
ends this one at once, whatever it is computing. It is started by `interrogator.queue.process`; nothing of
`interrogator` needs to import it.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, NoReturn, cast

import msgspec

from interrogator import wire
from interrogator.activity import Activity
from interrogator.batch import run_batch
from interrogator.bounded_cache import BoundedCache
from interrogator.errors import CancelledError, DeadlineError, InterrogatorError
from interrogator.estimates import Estimates
from interrogator.fairness import timed_as
from interrogator.process_settings import end_with_parent, prepare_process
from interrogator.profiles import Profile, from_argument
from interrogator.request import MeasureRequest, Request
from interrogator.scheduler import Scheduler
from interrogator.sharing import Run, Ticket, Work, work_of
from interrogator.types import DEFAULT_PROFILE, Answer, Interrogation, JobId, Measure, Measurement, Progress, Stage

if TYPE_CHECKING:
    from interrogator.engines import Report
    from interrogator.pipeline import Pipeline

    LoadPipeline = Callable[[Profile, Report], Pipeline]

DEFAULT_PIPELINE = "interrogator.pipeline:load_serving"
PROGRESS_SECONDS = 0.1  # progress within a stage is sent at most this often
BEAT_SECONDS = 1.0  # between two heartbeats, where the one who starts it says nothing else
RESULT_BYTES = 16 * 1024 * 1024  # of answers kept for who asks for the same again: some thousands

log = logging.getLogger("interrogator.worker")


class Outbox:
    """Writes frames to the asking process, from any thread. A reader that is gone ends this process."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: wire.FromWorker) -> None:
        """Write the message now. Raises `ProtocolError` where it fits in no frame."""
        frame = wire.encode(message)
        try:
            with self._lock:
                self._stream.write(frame)
                self._stream.flush()
        except BrokenPipeError:
            leave(0)


class LogHandler(logging.Handler):
    """Sends the log of this process to the log of the one that started it."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox

    def emit(self, record: logging.LogRecord) -> None:
        """As `logging.Handler.emit`."""
        text = self.format(record).encode("utf-8", "backslashreplace").decode()  # names of files may not be Unicode
        self._outbox.send(wire.LogLine(level=record.levelno, text=text))


class ProgressGate:
    """Lets a stage's first and last progress through, and what lies between at most every `PROGRESS_SECONDS`."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._sent = 0.0

    def opens(self, progress: Progress) -> bool:
        """Whether this progress is to be sent; what is let through is remembered."""
        now = time.monotonic()
        complete = progress.total > 0 and progress.done >= progress.total
        if progress.stage == self._stage and not complete and now - self._sent < PROGRESS_SECONDS:
            return False
        self._stage, self._sent = progress.stage, now
        return True


class Worker:
    """Runs what the scheduler hands out and sends what comes of it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._activity = Activity()
        self._pipeline: Pipeline | None = None  # once it is loaded
        self._profile = ""
        self._scheduler = Scheduler(self._announce, Estimates())
        self._results: BoundedCache[Work, Answer] = BoundedCache(RESULT_BYTES, encoded_length)

    def read(self, inbox: BinaryIO) -> NoReturn:
        """Take in messages until the other side goes, then end the process. Runs in a thread of its own."""
        try:
            body = wire.read_frame(inbox)
            if body is not None:
                wire.check_version(wire.decode_to_worker(body))
            while (body := wire.read_frame(inbox)) is not None:
                self._receive(wire.decode_to_worker(body))
        except wire.ProtocolError:
            log.exception("the messages to the worker make no sense")
            leave(1)
        leave(0)

    def load(self, load_pipeline: LoadPipeline, profile: Profile) -> Pipeline:
        """The pipeline; raises what its loading raises."""
        self._profile = profile.name
        gate = ProgressGate()

        def report(progress: Progress) -> None:
            self._activity.gets_on(progress.stage)
            if gate.opens(progress):
                self._outbox.send(wire.Loading(progress))

        return load_pipeline(profile, report)

    def beat(self, seconds: float) -> NoReturn:
        """Tell again and again that the process runs, how it gets on, and what it has done where that has changed. Runs
        in a thread of its own."""
        told = None
        while True:
            self._outbox.send(wire.Heartbeat(self._activity.stalled))
            counters = self._activity.counters(self._pipeline.features.uses() if self._pipeline else {})
            if counters != told:
                self._outbox.send(wire.Statistics(counters))
                told = counters
            time.sleep(seconds)

    def run(self, pipeline: Pipeline, most: int | None = None) -> NoReturn:
        """Answer jobs for ever, up to `most` at once, else as many as the pipeline would take."""
        self._pipeline = pipeline
        self._outbox.send(wire.Ready(self._profile))
        self._scheduler.resize(most or pipeline.batch_limit)
        while True:
            self._activity.rests()
            taken = self._scheduler.take()
            self._activity.gets_on()
            runs = [run for run in taken if not self._ended_early(run)]
            if runs:
                self._answer(pipeline, runs)
            else:
                self._scheduler.end()

    def _receive(self, message: wire.ToWorker) -> None:
        if isinstance(message, wire.Submit):
            self._submit(Ticket(message.job, work_of(message.job), message.alone))
        elif isinstance(message, wire.Cancel) and (ticket := self._scheduler.cancel(message.id)):
            self._conclude(ticket, CancelledError())

    def _submit(self, ticket: Ticket) -> None:
        if known := self._results.get(ticket.work):
            self._activity.knew()
            self._conclude(ticket, known)
        elif self._scheduler.add(ticket):
            self._outbox.send(wire.JobsStarted((ticket.job.id,)))

    def _ended_early(self, run: Run) -> bool:
        """Whether nobody waits for it any more, or the answer has become known while it waited."""
        self._dismiss_late(run)
        outcome = run.reason_to_stop or self._results.get(run.first.work)
        if isinstance(outcome, Answer):
            self._activity.knew()
        if outcome is not None:
            self._finish(run, outcome)
        return outcome is not None

    def _answer(self, pipeline: Pipeline, batch: Sequence[Run]) -> None:
        self._outbox.send(wire.JobsStarted(tuple(job_id for run in batch for job_id in run.ids)))
        started = time.monotonic()
        outcomes = self._outcomes(pipeline, batch)
        seconds = time.monotonic() - started
        self._activity.computed(len(batch))
        for run, outcome in zip(batch, outcomes, strict=True):
            if not isinstance(outcome, InterrogatorError) and not _cut(outcome):
                self._results.put(run.first.work, replace(outcome, cached=True))
            self._finish(run, outcome)
        complete = not any(isinstance(outcome, InterrogatorError) for outcome in outcomes)  # else it was shorter
        computed = [timed_as(run.first.job) for run in batch] if complete else []
        self._scheduler.end(computed, seconds, cut=any(map(_cut, outcomes)))

    def _outcomes(self, pipeline: Pipeline, batch: Sequence[Run]) -> Sequence[Answer | InterrogatorError]:
        """One outcome a run; all of them, or none, are to be measured."""
        jobs = [(run.first.job, self._reporter(run)) for run in batch]
        if batch[0].first.job.measure is None:
            return run_batch(pipeline.run, [Request(job.image, job.options, report) for job, report in jobs])
        asked = [MeasureRequest(job.image, job.options, report, job.measure or Measure()) for job, report in jobs]
        return run_batch(pipeline.measure, asked)

    def _finish(self, run: Run, outcome: Answer | InterrogatorError) -> None:
        for ticket in run.close():
            self._conclude(ticket, outcome)

    def _reporter(self, run: Run) -> Report:
        gate = ProgressGate()

        def report(progress: Progress) -> None:
            self._activity.gets_on(progress.stage)
            self._dismiss_late(run)
            if reason := run.reason_to_stop:
                raise reason
            if gate.opens(progress):
                for job_id in run.ids:
                    self._outbox.send(wire.JobProgress(job_id, progress))

        return report

    def _dismiss_late(self, run: Run) -> None:
        for ticket in run.dismiss_late():
            self._conclude(ticket, DeadlineError())

    def _announce(self, job_id: JobId, position: int, eta: float | None) -> None:
        self._outbox.send(wire.JobQueued(job_id, position, eta))

    def _conclude(self, ticket: Ticket, outcome: Answer | InterrogatorError) -> None:
        if isinstance(outcome, InterrogatorError):
            self._outbox.send(wire.JobFailed(ticket.job.id, outcome.kind, str(outcome)))
        elif isinstance(outcome, Measurement):
            self._outbox.send(wire.JobMeasured(ticket.job.id, outcome))
        else:
            self._outbox.send(wire.JobDone(ticket.job.id, outcome))


def encoded_length(answer: Answer) -> int:
    """Bytes of the answer as it is sent."""
    return len(msgspec.msgpack.encode(answer))


def _cut(outcome: Answer | InterrogatorError) -> bool:
    """Whether it is what a search had found when its time was over."""
    return isinstance(outcome, Interrogation) and outcome.stopped_early


def leave(status: int) -> NoReturn:
    """End the process now, also from a thread and in the middle of tensor work, where `sys.exit` would wait."""
    sys.stderr.flush()
    os._exit(status)


def leave_after(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """In place of Python's own end after an unexpected error, which would wait for threads; the reader's never ends."""
    log.critical("the worker cannot go on", exc_info=(kind, error or kind(), trace))
    leave(1)


def claim_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for frames: what a library prints goes to stderr, what it tries to read is empty."""
    inbox, outbox = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return open(inbox, "rb"), open(outbox, "wb")  # noqa: PTH123  file descriptors, open until the end


def resolve(name: str) -> LoadPipeline:
    """The function that `module:function` names."""
    module, _, function = name.partition(":")
    return cast("LoadPipeline", getattr(importlib.import_module(module), function))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """`profile`, `pipeline`, `batch` and `beat_seconds`; ends the process with a sentence where the words make no
    sense."""
    parser = argparse.ArgumentParser(prog="python -m interrogator.worker", description=__doc__)
    parser.add_argument("--profile", default=DEFAULT_PROFILE, help="a name, or what `profiles.to_argument` writes")
    parser.add_argument("--pipeline", default=DEFAULT_PIPELINE, metavar="MODULE:FUNCTION")
    parser.add_argument("--batch", type=_positive, help="images answered together (default: the pipeline's number)")
    parser.add_argument("--beat-seconds", type=float, default=BEAT_SECONDS, help="between two heartbeats")
    return parser.parse_args(argv)


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError("not positive")
    return number


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Serve the process at the other end of stdin and stdout until it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the asking process decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    arguments = parse(argv)
    end_with_parent()
    inbox, stream = claim_standard_streams()
    faulthandler.enable()
    outbox = Outbox(stream)
    outbox.send(wire.Hello(wire.PROTOCOL))
    logging.basicConfig(level=logging.INFO, handlers=[LogHandler(outbox)], format="%(name)s: %(message)s")
    sys.excepthook = leave_after
    threading.excepthook = lambda problem: leave_after(problem.exc_type, problem.exc_value, problem.exc_traceback)
    prepare_process()
    worker = Worker(outbox)
    threading.Thread(target=worker.beat, args=(arguments.beat_seconds,), name="heartbeat", daemon=True).start()
    threading.Thread(target=worker.read, args=(inbox,), name="reader", daemon=True).start()
    try:
        pipeline = worker.load(resolve(arguments.pipeline), from_argument(arguments.profile))
    except InterrogatorError as error:
        outbox.send(wire.Fatal(error.kind, str(error)))
        leave(1)
    worker.run(pipeline, arguments.batch)


if __name__ == "__main__":
    main()
