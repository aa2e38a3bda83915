"""Answers in the forms that were asked for: text for people, JSON lines, a CSV table, plain prompts."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from interrogator.cli.arguments import STDOUT, Arguments
from interrogator.cli.display import Display, shown
from interrogator.errors import InterrogatorError
from interrogator.types import Interrogation, Options

DECIMALS = 6  # about what float32 knows
CSV_COLUMNS = (
    "path",
    "prompt",
    "caption",
    "similarity",
    "seconds",
    "mode",
    "style_only",
    "profile",
    "engine",
    "width",
    "height",
    "sha256",
)

Writer = Callable[["Answer"], None]


class OutputError(Exception):
    """The output cannot be written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one file. `image` are its bytes, None where it could not be read."""

    path: str
    options: Options
    outcome: Interrogation | InterrogatorError
    image: bytes | None = None

    @property
    def succeeded(self) -> bool:
        return isinstance(self.outcome, Interrogation)


def record(answer: Answer) -> dict[str, Any]:
    """The documented object of `--json`: the same keys for an answer and for a failure, where most are null."""
    if isinstance(answer.outcome, InterrogatorError):
        return _failure(answer, answer.outcome)
    found = answer.outcome
    return {
        "path": answer.path,
        "sha256": found.sha256,
        "width": found.width,
        "height": found.height,
        "profile": found.profile,
        "mode": found.mode,
        "style_only": found.style_only,
        "caption": found.caption,
        "prompt": found.prompt,
        "phrases": [
            {"text": phrase.text, "group": phrase.group, "similarity": round(phrase.similarity, DECIMALS)}
            for phrase in found.phrases
        ],
        "similarity": round(found.similarity, DECIMALS),
        "seconds": round(found.seconds, DECIMALS),
        "stopped_early": found.stopped_early,
        "embedded": found.embedded,
        "error": None,
        "engine": found.engine,
        "note": found.note,
    }


def _failure(answer: Answer, error: InterrogatorError) -> dict[str, Any]:
    return {
        "path": answer.path,
        "sha256": None if answer.image is None else hashlib.sha256(answer.image).hexdigest(),
        "width": None,
        "height": None,
        "profile": answer.options.profile,
        "mode": answer.options.mode,
        "style_only": answer.options.style_only,
        "caption": None,
        "prompt": None,
        "phrases": [],
        "similarity": None,
        "seconds": None,
        "stopped_early": False,
        "embedded": None,
        "error": {"kind": error.kind, "message": str(error)},
        "engine": None,
        "note": None,
    }


@contextmanager
def open_writer(arguments: Arguments, display: Display) -> Iterator[Writer]:
    """A function that writes an answer to everything that was asked for, at once. Failures go to stderr as well.

    Raises `OutputError` where a file cannot be opened, or, later, written.
    """
    with ExitStack() as files:
        writers = _writers(arguments, display, files)

        def write(answer: Answer) -> None:
            with display.aside(), _explained():
                for writer in writers:
                    writer(answer)

        yield write


def _writers(arguments: Arguments, display: Display, files: ExitStack) -> list[Writer]:
    writers = [_complain_to(display)]
    if arguments.json:
        writers.append(_json_lines(sys.stdout))
    if arguments.csv is not None:
        writers.append(_csv_rows(_open(arguments.csv, files)))
    if arguments.txt is not None:
        writers.append(_prompts(_open(arguments.txt, files)))
    return writers if len(writers) > 1 else [*writers, _text(sys.stdout, display)]


@contextmanager
def _explained() -> Iterator[None]:
    """A full disk and a missing folder are a sentence; a reader that has left is for the caller to take quietly."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        name = f" “{shown(error.filename)}”" if error.filename else ""
        raise OutputError(f"the output{name} cannot be written: {error.strerror or error}") from error


def _open(name: str, files: ExitStack) -> TextIO:
    return sys.stdout if name == STDOUT else files.enter_context(_output_file(name))


@contextmanager
def _output_file(name: str) -> Iterator[TextIO]:
    with _explained():
        file = Path(name).open("w", encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115  closed below
    try:
        yield file
    finally:
        with _explained():  # what a full disk did not take is tried again here
            file.close()


def _complain_to(display: Display) -> Writer:
    def write(answer: Answer) -> None:
        if isinstance(answer.outcome, InterrogatorError):
            display.complain(f"{shown(answer.path)}: {answer.outcome}")

    return write


def _json_lines(stream: TextIO) -> Writer:
    def write(answer: Answer) -> None:
        stream.write(json.dumps(record(answer), ensure_ascii=False, allow_nan=False) + "\n")
        stream.flush()

    return write


def _csv_rows(stream: TextIO) -> Writer:
    rows = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    with _explained():
        rows.writerow([*CSV_COLUMNS, "error"])
        stream.flush()

    def write(answer: Answer) -> None:
        values = record(answer)
        error = values["error"]["message"] if values["error"] else None
        rows.writerow([*(values[column] for column in CSV_COLUMNS), error])
        stream.flush()

    return write


def _prompts(stream: TextIO) -> Writer:
    def write(answer: Answer) -> None:
        prompt = answer.outcome.prompt if isinstance(answer.outcome, Interrogation) else ""
        stream.write(" ".join(prompt.split()) + "\n")
        stream.flush()

    return write


def _text(stream: TextIO, display: Display) -> Writer:
    notes: set[str] = set()

    def write(answer: Answer) -> None:
        found = answer.outcome
        if isinstance(found, InterrogatorError):
            return
        facts = f"similarity {found.similarity:.3f}, {found.seconds:.2f} s, profile {found.profile}"
        stream.write(f"{shown(answer.path)}\n{found.prompt}\n({facts})\n\n")
        stream.flush()
        if found.note and found.note not in notes:
            notes.add(found.note)
            display.remark(found.note)

    return write
