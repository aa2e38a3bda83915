"""What the parsers of all commands have in common."""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from interrogator.cli.display import shown
from interrogator.cli.inputs import IMAGE_SUFFIXES, STDIN
from interrogator.limits import MAX_FRAME

STDOUT = "-"
IMAGES_HELP = "an image file, a folder with its sub-folders, or - for standard input"


class Parser(argparse.ArgumentParser):
    """Options and words may be mixed, and everything after `--` is a word."""

    def __init__(self, prog: str, usage: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=prog,
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """As argparse's own; a message may quote what somebody else has chosen."""
        super().error(shown(message))

    def read(self, argv: Sequence[str], words: str) -> argparse.Namespace:
        """The values; those of the positional `words` hold what follows `--` too, which argparse would lose."""
        before, after = _split(argv)
        values = self.parse_intermixed_args(before)
        setattr(values, words, [*getattr(values, words), *after])
        return values


class Version(argparse.Action):
    """Like argparse's own, but looks the version up only when asked."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002  argparse's name
        super().__init__(option_strings, dest=dest, default=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"interrogate {importlib.metadata.version('interrogator-bot')}\n")
        parser.exit()


def _split(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    if "--" not in argv:
        return argv, ()
    place = list(argv).index("--")
    return argv[:place], argv[place + 1 :]


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of an option: a whole number within bounds."""
    bounds = f"from {least} to {most}" if most is not None else f"of {least} or more"

    def read(word: str) -> int:
        try:
            number = int(word)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"“{word}” is not a whole number {bounds}")
        return number

    return read


def add_frame_option(parser: Parser) -> None:
    """`--frame`, for every command that opens images."""
    parser.add_argument(
        "--frame",
        type=whole_number(1, MAX_FRAME),
        default=1,
        metavar="N",
        help="which picture of an animation or a document of pages (default: %(default)s, the first)",
    )


def has_words(text: str) -> bool:
    """Whether there is a letter, a digit or a symbol (an emoji is one) in it: punctuation alone says nothing."""
    return any(unicodedata.category(letter)[0] in "LNS" for letter in text)


def seconds(word: str) -> float:
    """The type of an option: a time."""
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"“{word}” is not a number of seconds above 0")
    return number


def problem_of_images(images: Sequence[str]) -> str | None:
    """Why these words cannot be the images."""
    if not images:
        return "name at least one IMAGE or folder"
    if "" in images:
        return "the name of an IMAGE is empty"
    if images.count(STDIN) > 1:
        return "standard input, “-”, can be read only once"
    return None


def problem_of_files(files: Sequence[str]) -> str | None:
    """Why these files, of the options --csv and --txt, cannot be written: the name of an image is a slip."""
    for name in files:
        if Path(name).suffix.lower() in IMAGE_SUFFIXES:
            return f"“{name}” is an image and would be overwritten: --csv and --txt name the file to write"
    return None
