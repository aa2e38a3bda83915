"""`interrogate score IMAGE PROMPT`: how well a prompt fits an image, and what each phrase contributes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interrogator.cli.analysis import without_captioner
from interrogator.cli.display import Display, shown
from interrogator.cli.exits import EXIT_CODES, Exit, after
from interrogator.cli.inputs import open_picture, read_image
from interrogator.cli.output import explained
from interrogator.cli.parser import Parser, add_frame_option, problem_of_images
from interrogator.cli.profile_options import add_profile_options, chosen_profile
from interrogator.cli.records import contribution_record, error_record, explanation_record, image_hash, rounded
from interrogator.cli.tables import contributions
from interrogator.errors import InterrogatorError
from interrogator.process_settings import prepare_process
from interrogator.profiles import ClipProfile, Profile
from interrogator.request import MeasureRequest
from interrogator.types import Measure, Options

if TYPE_CHECKING:
    from PIL import Image

    from interrogator.explain import Comparison
    from interrogator.types import Explanation

EXAMPLES = f"""\
examples:
  interrogate score photo.jpg "a fox in the snow, oil painting"
  interrogate score photo.jpg "a red fox, oil painting" --before "a fox, oil painting" --profile sd1

{EXIT_CODES}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreArguments:
    """What was asked; `before` is a prompt to compare with, or None."""

    image: str
    prompt: str
    before: str | None
    profile: Profile
    frame: int
    json: bool


@dataclass(frozen=True, slots=True)
class Score:
    """Of the prompt, and of the one before with what differs, where there is one."""

    engine: str
    now: Explanation
    before: Explanation | None = None
    comparison: Comparison | None = None


def parse_score(argv: Sequence[str]) -> ScoreArguments:
    """Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    parser = _parser()
    values = parser.read(argv, "words")
    if len(values.words) != 2:
        parser.error('name one IMAGE and one PROMPT, the prompt in quotes: interrogate score photo.jpg "a fox, snow"')
    image, prompt = values.words
    if problem := problem_of_images([image]):
        parser.error(problem)
    if not has_phrases(prompt) or (values.before is not None and not has_phrases(values.before)):
        parser.error("a prompt needs words")
    try:
        profile = chosen_profile(values)
    except InterrogatorError as error:
        parser.error(str(error))
    return ScoreArguments(
        image=image, prompt=prompt, before=values.before, profile=profile, frame=values.frame, json=values.json
    )


def run_score(arguments: ScoreArguments) -> Exit:
    """Write the score."""
    image: bytes | None = None
    outcome: Score | InterrogatorError
    status = Exit.SOME_FAILED
    with Display(total=1) as display:
        try:
            image = read_image(arguments.image)
            picture = open_picture(image, arguments.frame).image
        except InterrogatorError as error:
            outcome = error
            display.complain(f"{shown(arguments.image)}: {error}")
        else:
            try:
                outcome = _score(image, picture, arguments, display)
                status = Exit.OK
            except InterrogatorError as error:
                outcome, status = error, after([error])
                display.complain(str(error))
    with explained():
        if arguments.json:
            row = score_record(arguments, image, outcome)
            sys.stdout.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        elif isinstance(outcome, Score):
            sys.stdout.write(_text(outcome))
        sys.stdout.flush()
    return status


def _score(image: bytes, picture: Image.Image, arguments: ScoreArguments, display: Display) -> Score:
    prepare_process()
    from interrogator.explain import compare  # noqa: PLC0415

    prompts = (arguments.prompt,) if arguments.before is None else (arguments.prompt, arguments.before)
    if isinstance(arguments.profile, ClipProfile):
        engine, found = _by_clip(picture, prompts, arguments.profile, display)
    else:
        engine, found = _by_pipeline(image, prompts, arguments, display)
    if arguments.before is None:
        return Score(engine, found[0])
    now, before = found
    return Score(engine, now, before, compare(before, now))


def _by_clip(
    picture: Image.Image, prompts: Sequence[str], profile: ClipProfile, display: Display
) -> tuple[str, Sequence[Explanation]]:
    """By its towers alone: no captioner, and no labels to be embedded first."""
    from interrogator.engines.clip import load_clip  # noqa: PLC0415
    from interrogator.explain import explain  # noqa: PLC0415

    engine = load_clip(without_captioner(profile), display.report)
    embedding = engine.embed_images([picture])[0]
    return engine.name, [explain(engine.text, embedding, prompt) for prompt in prompts]


def _by_pipeline(
    image: bytes, prompts: tuple[str, ...], arguments: ScoreArguments, display: Display
) -> tuple[str, Sequence[Explanation]]:
    from interrogator.pipeline import load_pipeline  # noqa: PLC0415

    pipeline = load_pipeline(arguments.profile, display.report)
    options = Options(profile=arguments.profile.name, frame=arguments.frame)
    (measured,) = pipeline.measure([MeasureRequest(image, options, display.report, Measure(prompts=prompts))])
    if isinstance(measured, InterrogatorError):
        raise measured
    return measured.engine, measured.explanations


def has_phrases(prompt: str) -> bool:
    """Whether anything stands between its commas."""
    return bool(prompt.replace(",", " ").strip())


def _text(score: Score) -> str:
    text = f"similarity {score.now.similarity:.4f}"
    if score.before and score.comparison:
        text += f" (before {score.before.similarity:.4f}, difference {score.comparison.difference:+.4f})"
    text += f"\n{contributions(score.now.phrases)}"
    if score.comparison and score.comparison.removed:
        text += contributions(score.comparison.removed, "phrase that is gone")
    if score.now.left_out:
        text += f"not read, the prompt is too long: {shown(', '.join(score.now.left_out))}\n"
    return text


def score_record(arguments: ScoreArguments, image: bytes | None, outcome: Score | InterrogatorError) -> dict[str, Any]:
    """The documented object of `score --json`: the same keys where the image could not be read."""
    score = outcome if isinstance(outcome, Score) else None
    before, comparison = (score.before, score.comparison) if score else (None, None)
    return {
        "path": arguments.image,
        "sha256": image_hash(image),
        "frame": arguments.frame,
        "profile": arguments.profile.name,
        "engine": score.engine if score else None,
        "prompt": arguments.prompt,
        "similarity": rounded(score.now.similarity) if score else None,
        "explanation": explanation_record(score.now) if score else None,
        "before": {"prompt": arguments.before, "explanation": explanation_record(before)} if before else None,
        "difference": rounded(comparison.difference) if comparison else None,
        "added": [contribution_record(phrase) for phrase in comparison.added] if comparison else [],
        "removed": [contribution_record(phrase) for phrase in comparison.removed] if comparison else [],
        "error": error_record(outcome) if isinstance(outcome, InterrogatorError) else None,
    }


def _parser() -> Parser:
    parser = Parser(
        prog="interrogate score",
        usage='interrogate score [options] IMAGE "PROMPT"',
        description="Say how well a prompt fits an image, and what each of its phrases contributes.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "words", nargs="*", metavar='IMAGE "PROMPT"', help="an image file (- for standard input), a prompt"
    )
    parser.add_argument("--before", metavar='"PROMPT"', help="an earlier prompt, to tell the difference")
    add_frame_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_profile_options(parser)
    return parser
