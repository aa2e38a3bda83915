"""The command line of `interrogate`, checked before anything heavy is imported."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from interrogator.cli.display import shown
from interrogator.cli.inputs import IMAGE_SUFFIXES, STDIN
from interrogator.profiles import profile_names
from interrogator.types import DEFAULT_MODE, DEFAULT_PROFILE, Mode, Options

STDOUT = "-"
PLANNED = ("analyze", "score", "models", "fetch", "serve")  # words that will be subcommands

EXAMPLES = """\
examples:
  interrogate photo.jpg
  interrogate holidays/ --mode best --csv prompts.csv
  interrogate photo.jpg --style-only --json | jq .prompt
  curl --silent https://example.org/photo.jpg | interrogate -
  interrogate -- -odd-name.png

exit codes: 0 all images were answered, 1 some were not, 2 wrong usage
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What was asked. `csv` and `txt` are a file, `-` for standard output, or None."""

    images: tuple[str, ...]
    options: Options
    worker: bool
    json: bool
    csv: str | None
    txt: str | None

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files to write."""
        return tuple(name for name in (self.csv, self.txt) if name is not None and name != STDOUT)


def parse(argv: Sequence[str]) -> Arguments:
    """Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    parser = _parser()
    if argv and argv[0] in PLANNED:
        word = argv[0]
        parser.error(f"“{word}” is not available in this version (for a file or folder of that name: ./{word})")
    before, after = _split(argv)
    values = parser.parse_intermixed_args(before)
    if not values.images and not after:
        parser.error("name at least one IMAGE or folder")
    arguments = Arguments(
        images=(*values.images, *after),
        options=Options(mode=Mode(values.mode), style_only=values.style_only, profile=values.profile),
        worker=values.worker,
        json=values.json,
        csv=values.csv,
        txt=values.txt,
    )
    if problem := _contradiction(arguments):
        parser.error(problem)
    return arguments


def _split(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The words before and after the first `--`. argparse loses it where options and images are mixed."""
    if "--" not in argv:
        return argv, ()
    place = list(argv).index("--")
    return argv[:place], argv[place + 1 :]


def _contradiction(arguments: Arguments) -> str | None:
    """Why these arguments have no meaning together."""
    if arguments.options.style_only and arguments.options.mode is Mode.CAPTION:
        return "--style-only leaves the subject out, and --mode caption is nothing but the subject"
    if (arguments.csv, arguments.txt).count(STDOUT) + arguments.json > 1:
        return "only one of --json, --csv - and --txt - can be written to standard output"
    if arguments.images.count(STDIN) > 1:
        return "standard input, “-”, can be read only once"
    for name in arguments.files:
        if Path(name).suffix.lower() in IMAGE_SUFFIXES:
            return f"“{name}” is an image and would be overwritten: --csv and --txt name the file to write"
    return None


def _parser() -> _Parser:
    parser = _Parser(
        prog="interrogate",
        usage="interrogate [options] IMAGE [IMAGE ...]",
        description="Turn images into prompts for text-to-image models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="an image file, a folder with its sub-folders, or - for standard input",
    )
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=DEFAULT_MODE.value,
        help="how the prompt is made (default: %(default)s)",
    )
    parser.add_argument("--style-only", action="store_true", help="leave the subject out, keep the style")
    parser.add_argument(
        "--profile", choices=profile_names(), default=DEFAULT_PROFILE, help="the models (default: %(default)s)"
    )
    parser.add_argument(
        "--worker", action="store_true", help="run the models in a process of their own, which survives bad images"
    )
    output = parser.add_argument_group(
        "output", "Without any of these: readable text. Files are replaced, and written image by image; - is stdout."
    )
    output.add_argument("--json", action="store_true", help="one JSON object a line and image")
    output.add_argument("--csv", metavar="FILE", help="a table with a row for each image")
    output.add_argument("--txt", metavar="FILE", help="the prompts, one a line; an empty line where an image failed")
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """As argparse's own; a message may quote what somebody else has chosen."""
        super().error(shown(message))


class _Version(argparse.Action):
    """Like argparse's own, but looks the version up only when asked."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002  argparse's name
        super().__init__(option_strings, dest=dest, default=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"interrogate {importlib.metadata.version('interrogator-bot')}\n")
        parser.exit()
