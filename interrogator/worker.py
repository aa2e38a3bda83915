"""The process that owns the device: `python -m interrogator.worker`, spoken to through its stdin and stdout.

Two threads: one reads jobs and cancellations, the main one loads the models and runs what waits. The end of stdin means
that the process that asked is gone, and ends this one at once, whatever it is computing. It is started by
`interrogator.queue.process`; nothing of `interrogator` needs to import it.
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
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, NoReturn, cast

from interrogator import wire
from interrogator.batch import run_batch
from interrogator.errors import CancelledError, DeadlineError, InterrogatorError
from interrogator.process_settings import prepare_process
from interrogator.profiles import Profile, from_argument
from interrogator.request import Request
from interrogator.scheduler import Scheduler, Ticket
from interrogator.types import DEFAULT_PROFILE, Interrogation, JobId, Progress, Stage

if TYPE_CHECKING:
    from interrogator.engines import Report
    from interrogator.pipeline import Pipeline

    LoadPipeline = Callable[[Profile, Report], Pipeline]

DEFAULT_PIPELINE = "interrogator.pipeline:load_pipeline"
PROGRESS_SECONDS = 0.1  # progress within a stage is sent at most this often

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
        self._outbox.send(wire.LogLine(level=record.levelno, text=self.format(record)))


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
        self._scheduler = Scheduler(announce=self._announce)

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
        gate = ProgressGate()

        def report(progress: Progress) -> None:
            if gate.opens(progress):
                self._outbox.send(wire.Loading(progress))

        return load_pipeline(profile, report)

    def run(self, pipeline: Pipeline) -> NoReturn:
        """Answer jobs for ever."""
        self._outbox.send(wire.Ready())
        while True:
            batch = [ticket for ticket in self._scheduler.take() if not self._refused(ticket)]
            if batch:
                self._answer(pipeline, batch)

    def _receive(self, message: wire.ToWorker) -> None:
        if isinstance(message, wire.Submit):
            self._scheduler.add(message.job)
        elif isinstance(message, wire.Cancel) and (ticket := self._scheduler.cancel(message.id)):
            self._conclude(ticket, CancelledError())

    def _refused(self, ticket: Ticket) -> bool:
        if ticket.expired:
            self._conclude(ticket, DeadlineError())
        return ticket.expired

    def _answer(self, pipeline: Pipeline, batch: Sequence[Ticket]) -> None:
        self._outbox.send(wire.JobsStarted(tuple(ticket.job.id for ticket in batch)))
        requests = [Request(ticket.job.image, ticket.job.options, self._reporter(ticket)) for ticket in batch]
        outcomes = run_batch(pipeline, requests)
        for ticket, outcome in zip(batch, outcomes, strict=True):
            self._conclude(ticket, outcome)

    def _reporter(self, ticket: Ticket) -> Report:
        gate = ProgressGate()

        def report(progress: Progress) -> None:
            if ticket.cancelled.is_set():
                raise CancelledError
            if ticket.expired:
                raise DeadlineError
            if gate.opens(progress):
                self._outbox.send(wire.JobProgress(ticket.job.id, progress))

        return report

    def _announce(self, job_id: JobId, position: int) -> None:
        self._outbox.send(wire.JobQueued(job_id, position))

    def _conclude(self, ticket: Ticket, outcome: Interrogation | InterrogatorError) -> None:
        if isinstance(outcome, InterrogatorError):
            self._outbox.send(wire.JobFailed(ticket.job.id, outcome.kind, str(outcome)))
        else:
            self._outbox.send(wire.JobDone(ticket.job.id, outcome))


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
    """`profile` and `pipeline`; ends the process with a sentence where the words make no sense."""
    parser = argparse.ArgumentParser(prog="python -m interrogator.worker", description=__doc__)
    parser.add_argument("--profile", default=DEFAULT_PROFILE, help="a name, or what `profiles.to_argument` writes")
    parser.add_argument("--pipeline", default=DEFAULT_PIPELINE, metavar="MODULE:FUNCTION")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Serve the process at the other end of stdin and stdout until it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the asking process decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    arguments = parse(argv)
    inbox, stream = claim_standard_streams()
    faulthandler.enable()
    outbox = Outbox(stream)
    outbox.send(wire.Hello(wire.PROTOCOL))
    logging.basicConfig(level=logging.INFO, handlers=[LogHandler(outbox)], format="%(name)s: %(message)s")
    sys.excepthook = leave_after
    threading.excepthook = lambda problem: leave_after(problem.exc_type, problem.exc_value, problem.exc_traceback)
    prepare_process()
    worker = Worker(outbox)
    threading.Thread(target=worker.read, args=(inbox,), name="reader", daemon=True).start()
    try:
        pipeline = worker.load(resolve(arguments.pipeline), from_argument(arguments.profile))
    except InterrogatorError as error:
        outbox.send(wire.Fatal(error.kind, str(error)))
        leave(1)
    worker.run(pipeline)


if __name__ == "__main__":
    main()
