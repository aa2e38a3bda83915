"""`interrogate analyze IMAGE...`: the nearest phrases of every group, as a table, JSON or a chart."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interrogator.cli.analysis import Analyse, Analysis, open_analyst
from interrogator.cli.display import Display, shown
from interrogator.cli.exits import EXIT_CODES, Exit, after
from interrogator.cli.inputs import find_images, open_picture, read_image
from interrogator.cli.output import explained
from interrogator.cli.parser import IMAGES_HELP, Parser, add_frame_option, problem_of_images, whole_number
from interrogator.cli.profile_options import add_profile_options, chosen_profile
from interrogator.cli.records import error_record, image_hash, rounded
from interrogator.cli.tables import aligned
from interrogator.cli.targets import TargetError, check_plot
from interrogator.errors import InterrogatorError
from interrogator.process_settings import prepare_process
from interrogator.profiles import Profile

if TYPE_CHECKING:
    from interrogator.images import LoadedImage

TOP = 5
MOST_BARS = 50  # of a group: a chart that is much higher cannot be drawn

EXAMPLES = f"""\
examples:
  interrogate analyze photo.jpg --profile sd1
  interrogate analyze photo.jpg --profile sd1 --top 10 --plot phrases.png
  interrogate analyze holidays/ --json

{EXIT_CODES}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeArguments:
    """What was asked; `plot` is a file to draw, or None."""

    images: tuple[str, ...]
    profile: Profile
    top: int
    frame: int
    json: bool
    plot: str | None


@dataclass(frozen=True, slots=True)
class Analyzed:
    """What came of one file, as `Answer` is for a prompt."""

    path: str
    profile: str
    outcome: Analysis | InterrogatorError
    image: bytes | None = None
    frame: int = 1


@dataclass(frozen=True, slots=True)
class _Read:
    """The bytes of a file, None where it cannot be read, and the picture or why there is none."""

    content: bytes | None
    picture: LoadedImage | InterrogatorError


def parse_analyze(argv: Sequence[str]) -> AnalyzeArguments:
    """Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    parser = _parser()
    values = parser.read(argv, "images")
    if problem := problem_of_images(values.images):
        parser.error(problem)
    if values.plot is not None and Path(values.plot).suffix.lower() != ".png":
        parser.error(f"--plot draws a PNG: “{values.plot}” should end in .png")
    if values.plot is not None and values.top > MOST_BARS:
        parser.error(f"--plot draws at most {MOST_BARS} phrases of a group: --top {values.top} is more")
    try:
        profile = chosen_profile(values)
    except InterrogatorError as error:
        parser.error(str(error))
    return AnalyzeArguments(
        images=tuple(values.images),
        profile=profile,
        top=values.top,
        frame=values.frame,
        json=values.json,
        plot=values.plot,
    )


def run_analyze(arguments: AnalyzeArguments) -> Exit:
    """Write what is nearest to each image."""
    found = find_images(arguments.images)
    if arguments.plot is not None:
        if len(found.images) > 1:
            raise TargetError(f"--plot draws one image, and {len(found.images)} are named")
        check_plot(arguments.plot, found.images)
    succeeded = 0
    analyse: Analyse | InterrogatorError | None = None
    with Display(total=len(found.images)) as display:
        for problem in found.problems:
            display.complain(problem)
        for path in found.images:
            one = _read(path, arguments.frame)
            if isinstance(one.picture, InterrogatorError):
                outcome: Analysis | InterrogatorError = one.picture
            else:
                analyse = analyse or _open(arguments, display)  # where there is no image, no models are needed
                outcome = _analyze(one.picture, analyse)
            with display.aside(), explained():
                _write(Analyzed(path, arguments.profile.name, outcome, one.content, arguments.frame), arguments)
            succeeded += isinstance(outcome, Analysis)
            if isinstance(outcome, InterrogatorError) and outcome is not analyse:
                display.complain(f"{shown(path)}: {outcome}")
            display.advance()
    if succeeded == len(found.images) and not found.problems:
        return Exit.OK
    return after([analyse] if isinstance(analyse, InterrogatorError) else [])


def _open(arguments: AnalyzeArguments, display: Display) -> Analyse | InterrogatorError:
    """The models, or why there are none: that is said now, once for all images."""
    prepare_process()
    try:
        return open_analyst(arguments.profile, arguments.top, display.report)
    except InterrogatorError as error:
        display.complain(str(error))
        return error


def _read(path: str, frame: int) -> _Read:
    content: bytes | None = None
    try:
        content = read_image(path)
        return _Read(content, open_picture(content, frame))
    except InterrogatorError as error:
        return _Read(content, error)


def _analyze(picture: LoadedImage, analyse: Analyse | InterrogatorError) -> Analysis | InterrogatorError:
    if isinstance(analyse, InterrogatorError):
        return analyse
    try:
        return analyse(picture)
    except InterrogatorError as error:
        return error


def _write(analyzed: Analyzed, arguments: AnalyzeArguments) -> None:
    if arguments.json:
        sys.stdout.write(json.dumps(analysis_record(analyzed), ensure_ascii=False, allow_nan=False) + "\n")
    elif isinstance(analyzed.outcome, Analysis):
        sys.stdout.write(f"{shown(analyzed.path)}\n{_table(analyzed.outcome)}\n")
    sys.stdout.flush()
    if arguments.plot is not None and isinstance(analyzed.outcome, Analysis):
        from interrogator.cli.plot import plot  # noqa: PLC0415  matplotlib

        plot(analyzed.outcome, Path(arguments.plot), title=analyzed.path)


def _table(analysis: Analysis) -> str:
    rows = [
        (group.name if place == 0 else "", f"{similarity:.4f}", shown(text))
        for group in analysis.groups
        for place, (text, similarity) in enumerate(group.nearest)
    ]
    return aligned([("group", "similarity", "phrase"), *rows], right=[1])


def analysis_record(analyzed: Analyzed) -> dict[str, Any]:
    """The documented object of `analyze --json`: the same keys where the image could not be read."""
    found = analyzed.outcome if isinstance(analyzed.outcome, Analysis) else None
    return {
        "path": analyzed.path,
        "sha256": image_hash(analyzed.image),
        "width": found.width if found else None,
        "height": found.height if found else None,
        "frame": analyzed.frame,
        "profile": analyzed.profile,
        "engine": found.engine if found else None,
        "groups": {
            group.name: [{"text": text, "similarity": rounded(similarity)} for text, similarity in group.nearest]
            for group in (found.groups if found else ())
        },
        "error": error_record(analyzed.outcome) if isinstance(analyzed.outcome, InterrogatorError) else None,
    }


def _parser() -> Parser:
    parser = Parser(
        prog="interrogate analyze",
        usage="interrogate analyze [options] IMAGE [IMAGE ...]",
        description="Show the phrases of every group that are nearest to an image.",
        epilog=EXAMPLES,
    )
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=IMAGES_HELP)
    parser.add_argument(
        "--top", type=whole_number(1, 1000), default=TOP, metavar="N", help="phrases of a group (default: %(default)s)"
    )
    add_frame_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line and image")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the similarities of one image as bars")
    add_profile_options(parser)
    return parser
