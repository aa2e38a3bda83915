"""`interrogate IMAGE...`: the images in batches, each answer written as soon as its batch is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interrogator.cli.commands.interrogate import InterrogateArguments
from interrogator.cli.display import Display, shown
from interrogator.cli.exits import Exit, after
from interrogator.cli.inputs import find_images, open_picture, read_image
from interrogator.cli.output import open_writer
from interrogator.cli.records import Answer
from interrogator.cli.resume import pick_up
from interrogator.cli.runners import Interrogate, Result, open_runner
from interrogator.cli.settings import settings_of
from interrogator.cli.targets import check_targets
from interrogator.errors import InterrogatorError

if TYPE_CHECKING:
    from interrogator.engines import Report

MOST_BYTES = 128 * 1024 * 1024
"""Of the files of a batch that are in memory together; one that is larger alone is a batch of its own."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file and its bytes, None where it cannot be read; and why nothing can be made of it."""

    path: str
    content: bytes | None = None
    problem: InterrogatorError | None = None

    @property
    def image(self) -> bytes | None:
        """What the models are asked about."""
        return None if self.problem else self.content


def run_interrogate(arguments: InterrogateArguments) -> Exit:
    """Answer everything that was asked."""
    found = find_images(arguments.images)
    check_targets(arguments.files, found.images)
    images: Sequence[str] = found.images
    if arguments.skip_done and arguments.csv is not None:
        images = pick_up(arguments.csv, images, settings_of(arguments))
    with Display(total=len(images)) as display, open_writer(arguments, display) as write:
        for problem in found.problems:
            display.complain(problem)
        if arguments.csv is not None and len(images) < len(found.images):
            count = _answered(len(found.images) - len(images))
            display.remark(f"{count} in {shown(arguments.csv)} already, and left out")
        succeeded = 0
        problems: list[InterrogatorError] = []
        for answer in _answers(images, arguments, display.report):
            write(answer)
            succeeded += answer.succeeded
            if answer.of_models and isinstance(answer.outcome, InterrogatorError):
                problems.append(answer.outcome)
            display.advance()
    return Exit.OK if succeeded == len(images) and not found.problems else after(problems)


def _answers(images: Iterable[str], arguments: InterrogateArguments, report: Report) -> Iterator[Answer]:
    """Those of all files. The models are loaded when there is an image for them."""
    with ExitStack() as models:
        interrogate: Interrogate | None = None
        for batch in batches(images, arguments.batch):
            files = batch if interrogate or arguments.elsewhere else without_damaged(batch, arguments.options.frame)
            if interrogate is None and any(one.image is not None for one in files):
                interrogate = models.enter_context(open_runner(arguments, report))
            yield from answer_all(files, arguments, interrogate or _nothing)


def _nothing(images: Sequence[bytes]) -> Sequence[Result]:
    """The answers to no image."""
    assert not images
    return ()


def without_damaged(batch: Sequence[Read], frame: int = 1) -> Sequence[Read]:
    """The files, those before the first image marked as none: where there is no image, no models are needed."""
    marked = list(batch)
    for place, one in enumerate(batch):
        if one.image is None:
            continue
        try:
            open_picture(one.image, frame)
        except InterrogatorError as error:
            marked[place] = Read(one.path, one.content, error)
        else:
            break
    return marked


def batches(images: Iterable[str], size: int) -> Iterator[list[Read]]:
    """The files, read: so many readable ones at a time, fewer where their bytes would be too many together."""
    batch: list[Read] = []
    readable, held = 0, 0
    for path in images:
        one = read(path)
        weight = len(one.content or b"")
        if readable and held + weight > MOST_BYTES:
            yield batch
            batch, readable, held = [], 0, 0
        batch.append(one)
        readable += one.image is not None
        held += weight
        if readable == size:
            yield batch
            batch, readable, held = [], 0, 0
    if batch:
        yield batch


def read(path: str) -> Read:
    """The file, whatever is wrong with it."""
    try:
        return Read(path, read_image(path))
    except InterrogatorError as error:
        return Read(path, problem=error)


def answer_all(batch: Sequence[Read], arguments: InterrogateArguments, interrogate: Interrogate) -> Iterator[Answer]:
    """One answer a file, in order; what is wrong with a file is an answer too."""
    results = iter(interrogate([one.image for one in batch if one.image is not None]))
    for one in batch:
        if one.problem is not None:
            yield Answer(one.path, arguments.options, one.problem, one.content)
        else:
            result = next(results)
            explanation, of_models = result.explanation, result.of_models
            yield Answer(one.path, arguments.options, result.outcome, one.content, explanation, of_models)


def _answered(count: int) -> str:
    return "1 image is answered" if count == 1 else f"{count} images are answered"
