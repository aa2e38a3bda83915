"""Answers in the forms that were asked for: text for people, JSON lines, a CSV table, plain prompts."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO

from interrogator.cli.commands.interrogate import InterrogateArguments
from interrogator.cli.debugging import HINT, debugging
from interrogator.cli.display import Display, shown
from interrogator.cli.parser import STDOUT
from interrogator.cli.records import CSV_COLUMNS, CUT, Answer, record, was_cut
from interrogator.cli.settings import settings_of
from interrogator.cli.tables import contributions, embedded_lines
from interrogator.errors import InternalError, InterrogatorError
from interrogator.types import Interrogation

HEADER = (*CSV_COLUMNS, "settings", "error")

Writer = Callable[[Answer], None]


class OutputError(Exception):
    """The output cannot be written."""


@contextmanager
def open_writer(arguments: InterrogateArguments, display: Display) -> Iterator[Writer]:
    """A function that writes an answer to everything that was asked for, at once. Failures go to stderr as well.

    Raises `OutputError` where a file cannot be opened, or, later, written.
    """
    with ExitStack() as files:
        writers = _writers(arguments, display, files)

        def write(answer: Answer) -> None:
            with display.aside(), explained():
                for writer in writers:
                    writer(answer)

        yield write


def _writers(arguments: InterrogateArguments, display: Display, files: ExitStack) -> list[Writer]:
    writers = [_complain_to(display), _remark_to(display)]
    if arguments.json:
        writers.append(_json_lines(sys.stdout))
    if arguments.csv is not None:
        stream = _open(arguments.csv, files, append=arguments.skip_done)
        writers.append(_csv_rows(stream, settings_of(arguments)))
    if arguments.txt is not None:
        writers.append(_prompts(_open(arguments.txt, files)))
    if not (arguments.json or arguments.csv is not None or arguments.txt is not None):
        writers.append(_text(sys.stdout, display))
    return writers


@contextmanager
def explained() -> Iterator[None]:
    """A full disk and a missing folder are a sentence; a reader that has left is for the caller to take quietly."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        name = f" “{shown(error.filename)}”" if error.filename else ""
        raise OutputError(f"the output{name} cannot be written: {error.strerror or error}") from error


def _open(name: str, files: ExitStack, *, append: bool = False) -> TextIO:
    return sys.stdout if name == STDOUT else files.enter_context(_output_file(name, "a" if append else "w"))


@contextmanager
def _output_file(name: str, mode: Literal["a", "w"]) -> Iterator[TextIO]:
    with explained():
        file = Path(name).open(mode, encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115  closed below
    try:
        yield file
    finally:
        with explained():  # what a full disk did not take is tried again here
            file.close()


def _complain_to(display: Display) -> Writer:
    """What is wrong with an image is said with its name; what is wrong with the models, once."""
    said: set[str] = set()

    def once(sentence: str, say: Callable[[str], None]) -> None:
        if sentence not in said:
            said.add(sentence)
            say(sentence)

    def write(answer: Answer) -> None:
        error = answer.outcome
        if not isinstance(error, InterrogatorError):
            return
        if answer.of_models:
            once(str(error), display.complain)
        else:
            display.complain(f"{shown(answer.path)}: {error}")
        if isinstance(error, InternalError) and not debugging():
            once(HINT, display.remark)

    return write


def _remark_to(display: Display) -> Writer:
    def write(answer: Answer) -> None:
        if was_cut(answer):
            display.remark(f"{shown(answer.path)}: {CUT}")

    return write


def _json_lines(stream: TextIO) -> Writer:
    def write(answer: Answer) -> None:
        stream.write(json.dumps(record(answer), ensure_ascii=False, allow_nan=False) + "\n")
        stream.flush()

    return write


class TableWriter(Protocol):
    """As `csv.writer`."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write the row now."""


def table_writer(stream: TextIO) -> TableWriter:
    """For rows as those of `HEADER`."""
    return csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def _csv_rows(stream: TextIO, settings: str) -> Writer:
    rows = table_writer(stream)
    if not _holds_something(stream):
        with explained():
            rows.writerow(HEADER)
            stream.flush()

    def write(answer: Answer) -> None:
        values = record(answer)
        error = values["error"]["message"] if values["error"] else None
        rows.writerow([*(values[column] for column in CSV_COLUMNS), settings, error])
        stream.flush()

    return write


def _holds_something(stream: TextIO) -> bool:
    """Whether this is a file that is gone on with: its header is there."""
    return stream is not sys.stdout and stream.seekable() and stream.tell() > 0


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
        if found.frames > 1:
            facts += f", frame {found.frame} of {found.frames}"
        if found.stopped_early:
            facts += ", stopped early"
        table = contributions(answer.explanation.phrases) if answer.explanation else ""
        carried = embedded_lines(found.embedded) if found.embedded else ""
        stream.write(f"{shown(answer.path)}\n{carried}{found.prompt}\n({facts})\n{table}\n")
        stream.flush()
        if found.note and found.note not in notes:
            notes.add(found.note)
            display.remark(found.note)

    return write
