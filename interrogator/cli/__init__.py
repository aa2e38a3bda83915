"""`interrogate`: images and folders in, prompts out; the commands beside it look at models and phrases.

How it ends: `interrogator.cli.exits`.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from interrogator.cli.answering import run_interrogate
from interrogator.cli.arguments import Arguments, parse
from interrogator.cli.commands.analyze import AnalyzeArguments, run_analyze
from interrogator.cli.commands.fetch import FetchArguments, run_fetch
from interrogator.cli.commands.interrogate import InterrogateArguments
from interrogator.cli.commands.models import ModelsArguments, run_models
from interrogator.cli.commands.score import ScoreArguments, run_score
from interrogator.cli.commands.serve import ServeArguments, run_serve
from interrogator.cli.debugging import log_for_people
from interrogator.cli.exits import Exit, after
from interrogator.cli.output import OutputError
from interrogator.cli.targets import TargetError
from interrogator.errors import InterrogatorError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. Usage errors end in `SystemExit(2)`, as argparse does."""
    speak_utf8()
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        with log_for_people():
            status = run(arguments)
        sys.stdout.flush()
    except TargetError as error:
        sys.stderr.write(f"interrogate: {error}\n")
        return Exit.WRONG_USAGE
    except OutputError as error:
        sys.stderr.write(f"interrogate: {error}\n")
        return Exit.SOME_FAILED
    except InterrogatorError as error:
        sys.stderr.write(f"interrogate: {error}\n")
        return after([error])
    except BrokenPipeError:
        discard_stdout()
        return Exit.PIPE_CLOSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return status


def run(arguments: Arguments) -> Exit:
    """Do what was asked."""
    match arguments:
        case InterrogateArguments():
            return run_interrogate(arguments)
        case AnalyzeArguments():
            return run_analyze(arguments)
        case ScoreArguments():
            return run_score(arguments)
        case ModelsArguments():
            return run_models(arguments)
        case FetchArguments():
            return run_fetch(arguments)
        case ServeArguments():
            return run_serve(arguments)


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
