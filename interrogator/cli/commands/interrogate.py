"""`interrogate IMAGE...`: what may be asked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interrogator.address import FORMS, Address, parse_address
from interrogator.cli.exits import EXIT_CODES
from interrogator.cli.parser import (
    IMAGES_HELP,
    STDOUT,
    Parser,
    Version,
    add_frame_option,
    has_words,
    problem_of_files,
    problem_of_images,
    seconds,
    whole_number,
)
from interrogator.cli.profile_options import add_profile_options, chosen_profile
from interrogator.errors import InterrogatorError
from interrogator.limits import MAX_SUBJECT
from interrogator.profiles import ClipProfile, Profile
from interrogator.types import DEFAULT_MODE, Mode, Options
from interrogator.worker_secret import SECRET_VARIABLE, read_secret

MOST_IN_A_BATCH = 64
CLIP_BATCH = 8
"""How many images are answered together where nothing is said: their searches share the text tower's batches."""

USAGE = """interrogate [options] IMAGE [IMAGE ...]
       interrogate {analyze,score,models,fetch,serve} ... (each has its own --help)"""

EXAMPLES = f"""\
commands:
  analyze   the nearest phrases of every group, as a table or a chart
  score     how well a prompt fits an image, and what each phrase contributes
  models    which models there are, and which of them are on this machine
  fetch     download the models of a profile
  serve     keep the models loaded for bots and command lines, which ask with --connect

examples:
  interrogate photo.jpg
  interrogate holidays/ --mode best --csv prompts.csv
  interrogate holidays/ --mode best --csv prompts.csv --skip-done
  interrogate photo.jpg --style-only --json | jq .prompt
  interrogate photo.jpg --profile sdxl --explain
  curl --silent https://example.org/photo.jpg | interrogate -
  interrogate -- -odd-name.png

{EXIT_CODES}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterrogateArguments:
    """What was asked. `csv` and `txt` are a file, `-` for standard output, or None; `batch` images are answered
    together; `profile` is that of `options`. `connect` is where a worker that runs already is asked,
    with the secret."""

    images: tuple[str, ...]
    options: Options
    profile: Profile
    worker: bool
    connect: Address | None
    secret: bytes | None = field(default=None, repr=False)
    batch: int
    explain: bool
    skip_done: bool
    json: bool
    csv: str | None
    txt: str | None

    @property
    def elsewhere(self) -> bool:
        """Whether another process has the models."""
        return self.worker or self.connect is not None

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files to write."""
        return tuple(name for name in (self.csv, self.txt) if name is not None and name != STDOUT)


def parse_interrogate(argv: Sequence[str]) -> InterrogateArguments:
    """Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    parser = interrogate_parser()
    values = parser.read(argv, "images")
    if problem := problem_of_images(values.images):
        parser.error(problem)
    try:
        profile = chosen_profile(values)
        connect = parse_address(values.connect) if values.connect is not None else None
        secret = read_secret(values.secret_file) if connect else None
    except InterrogatorError as error:
        parser.error(str(error))
    alone = values.worker or connect is not None or values.seconds is not None
    arguments = InterrogateArguments(
        images=tuple(values.images),
        options=_options(values, profile),
        profile=profile,
        worker=values.worker,
        connect=connect,
        secret=secret,
        batch=values.batch or _usual_batch(profile, alone=alone),
        explain=values.explain,
        skip_done=values.skip_done,
        json=values.json,
        csv=values.csv,
        txt=values.txt,
    )
    if problem := _contradiction(arguments):
        parser.error(problem)
    return arguments


def _options(values: argparse.Namespace, profile: Profile) -> Options:
    return Options(
        mode=Mode(values.mode),
        style_only=values.style_only,
        subject=" ".join((values.subject or "").split()),
        profile=profile.name,
        caption=values.caption or "",
        seconds=values.seconds,
        artists=not values.no_artists,
        unsafe=values.allow_unsafe,
        blocked=tuple(word for words in values.block for word in words),
        min_phrases=values.min_phrases,
        max_phrases=values.max_phrases,
        frame=values.frame,
    )


def _usual_batch(profile: Profile, *, alone: bool) -> int:
    """One by one where sharing gains nothing, so that each answer is there as soon as it can be; and where time is
    short, which those of a batch would have to share."""
    return CLIP_BATCH if isinstance(profile, ClipProfile) and not alone else 1


def _contradiction(arguments: InterrogateArguments) -> str | None:
    """Why these arguments have no meaning together."""
    return (
        _contradiction_of_options(arguments.options)
        or _contradiction_of_bounds(arguments.options, arguments.profile)
        or _contradiction_of_outputs(arguments)
        or problem_of_files(arguments.files)
        or _contradiction_of_explain(arguments)
        or _contradiction_of_workers(arguments)
    )


def _contradiction_of_options(options: Options) -> str | None:
    if options.style_only and options.mode is Mode.CAPTION:
        return "--style-only leaves the subject out, and --mode caption is nothing but the subject"
    if options.subject and options.style_only:
        return "--style-only leaves any subject out: leave it or --subject out"
    if options.subject and options.mode in (Mode.CAPTION, Mode.NEGATIVE):
        return f"--subject is put into the style, of which --mode {options.mode.value} says nothing"
    if len(options.subject) > MAX_SUBJECT:
        return f"--subject takes {MAX_SUBJECT} characters at most"
    return None


def _contradiction_of_bounds(options: Options, profile: Profile) -> str | None:
    """A most that is below the profile's least lowers that; a least that is above the profile's most is a slip."""
    least, most = options.min_phrases or 0, options.max_phrases
    if most is not None and least > most:
        return f"--min-phrases {least} is more than --max-phrases {most}"
    if most is None and isinstance(profile, ClipProfile) and least > profile.max_phrases:
        return (
            f"--min-phrases {least} is more than the {profile.max_phrases} phrases that the profile “{profile.name}” "
            "allows: give --max-phrases too"
        )
    return None


def _contradiction_of_outputs(arguments: InterrogateArguments) -> str | None:
    if (arguments.csv, arguments.txt).count(STDOUT) + arguments.json > 1:
        return "only one of --json, --csv - and --txt - can be written to standard output"
    if arguments.skip_done and (arguments.csv is None or arguments.csv == STDOUT):
        return "--skip-done goes on with a table that was begun: name its file with --csv FILE"
    if arguments.skip_done and arguments.txt is not None:
        return "--txt holds a line for each image of one run, so it cannot be gone on with: use --csv FILE alone"
    return None


def _contradiction_of_explain(arguments: InterrogateArguments) -> str | None:
    if not arguments.explain:
        return None
    if arguments.elsewhere:
        return "--explain asks the models of this process: leave --worker and --connect out"
    return None


def _contradiction_of_workers(arguments: InterrogateArguments) -> str | None:
    if arguments.worker and arguments.connect is not None:
        return "--worker starts a process with the models, and --connect asks one that runs already: choose one"
    return None


def interrogate_parser() -> Parser:
    """Of the command line without a command's name."""
    parser = Parser(
        prog="interrogate",
        usage=USAGE,
        description="Turn images into prompts for text-to-image models.",
        epilog=EXAMPLES,
    )
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=IMAGES_HELP)
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=DEFAULT_MODE.value,
        help="how the prompt is made (default: %(default)s)",
    )
    parser.add_argument("--style-only", action="store_true", help="leave the subject out, keep the style")
    parser.add_argument(
        "--subject", type=_words, metavar="TEXT", help="put this in the image's style, not its own subject"
    )
    add_frame_option(parser)
    _add_prompt_options(parser)
    add_profile_options(parser)
    _add_output_options(parser)
    _add_running_options(parser)
    parser.add_argument("--version", action=Version, help="show the version and exit")
    return parser


def _add_prompt_options(parser: Parser) -> None:
    group = parser.add_argument_group("prompt")
    group.add_argument("--caption", type=_words, metavar="TEXT", help="in place of the captioner's")
    group.add_argument(
        "--seconds", type=seconds, metavar="S", help="how long a search may take; then the best so far is the answer"
    )
    group.add_argument("--no-artists", action="store_true", help="no names of artists")
    group.add_argument("--allow-unsafe", action="store_true", help="sexual and hateful words too")
    group.add_argument(
        "--block",
        type=_word_list,
        action="append",
        default=[],
        metavar="WORDS",
        help="no phrase with one of these words, separated by commas",
    )
    group.add_argument(
        "--min-phrases", type=whole_number(0), metavar="N", help="so many are tried before each must help"
    )
    group.add_argument("--max-phrases", type=whole_number(1), metavar="N", help="at most so many after the caption")


def _add_output_options(parser: Parser) -> None:
    group = parser.add_argument_group(
        "output", "Without any of these: readable text. Files are replaced, and written batch by batch; - is stdout."
    )
    group.add_argument("--json", action="store_true", help="one JSON object a line and image")
    group.add_argument("--csv", metavar="FILE", help="a table with a row for each image")
    group.add_argument("--txt", metavar="FILE", help="the prompts, one a line; an empty line where an image failed")
    group.add_argument("--explain", action="store_true", help="what each phrase contributes, in text and JSON")
    group.add_argument(
        "--skip-done",
        action="store_true",
        help="go on with the table of --csv: leave out the images that it answers already and add the others. Compared "
        "are the file's name and content, the options of the prompt, and the profile with its models and captioner "
        "(column “settings”). Not with --txt",
    )


def _add_running_options(parser: Parser) -> None:
    group = parser.add_argument_group("running")
    group.add_argument(
        "--worker", action="store_true", help="run the models in a process of their own, which survives bad images"
    )
    group.add_argument(
        "--connect",
        metavar="ADDRESS",
        help=f"ask a worker that runs already (interrogate serve), at {FORMS}; its profile must be the one asked for",
    )
    group.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help=f"holds the secret of --connect (default: the variable {SECRET_VARIABLE})",
    )
    group.add_argument(
        "--batch",
        type=whole_number(1, MOST_IN_A_BATCH),
        metavar="N",
        help=f"images that are answered together (default: {CLIP_BATCH} with CLIP; 1 with lite and with --worker, "
        "--connect or --seconds)",
    )


def _words(text: str) -> str:
    if not has_words(text):
        raise argparse.ArgumentTypeError("it needs words: a letter, a digit or a symbol")
    return text


def _word_list(text: str) -> tuple[str, ...]:
    words = tuple(word for word in (" ".join(part.split()) for part in text.split(",")) if word)
    if not words:
        raise argparse.ArgumentTypeError("it needs words, separated by commas")
    return words
