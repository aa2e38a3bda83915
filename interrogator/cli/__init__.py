"""`interrogate`: images and folders in, prompts out.

Exit codes: 0 every image was answered, 1 some were not, 2 the command line makes no sense; 130 after Ctrl-C and 141
where the reader of the output has gone, as a shell reports the two signals.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from interrogator.cli.arguments import Arguments, parse
from interrogator.cli.display import Display
from interrogator.cli.inputs import find_images, read_image
from interrogator.cli.output import Answer, OutputError, open_writer
from interrogator.cli.runners import Interrogate, open_runner
from interrogator.cli.targets import TargetError, check_targets
from interrogator.errors import InterrogatorError

OK, SOME_FAILED, WRONG_USAGE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. Usage errors end in `SystemExit(2)`, as argparse does."""
    speak_utf8()
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        status = run(arguments)
        sys.stdout.flush()
    except TargetError as error:
        sys.stderr.write(f"interrogate: {error}\n")
        return WRONG_USAGE
    except OutputError as error:
        sys.stderr.write(f"interrogate: {error}\n")
        return SOME_FAILED
    except BrokenPipeError:
        discard_stdout()
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def run(arguments: Arguments) -> int:
    """Answer everything that was asked; the exit code."""
    found = find_images(arguments.images)
    check_targets(arguments.files, found.images)
    with Display(total=len(found.images)) as display, open_writer(arguments, display) as write:
        for problem in found.problems:
            display.complain(problem)
        answered = 0
        if found.images:
            with open_runner(arguments, display.report) as interrogate:
                for path in found.images:
                    answer = answer_one(path, arguments, interrogate)
                    write(answer)
                    answered += answer.succeeded
                    display.advance()
    return OK if answered == len(found.images) and not found.problems else SOME_FAILED


def answer_one(path: str, arguments: Arguments, interrogate: Interrogate) -> Answer:
    """The answer to one file; what is wrong with the file is an answer too."""
    try:
        image = read_image(path)
    except InterrogatorError as error:
        return Answer(path, arguments.options, error)
    return Answer(path, arguments.options, interrogate(image), image)


def speak_utf8() -> None:
    """Whatever the locale. File names that are no Unicode appear escaped: their bytes would not be UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def discard_stdout() -> None:
    """Nobody reads it any more; Python would still try to write what is left when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
