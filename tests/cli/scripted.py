"""A runner without models: it answers every image alike, or as it was told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from interrogator.cli.commands.interrogate import InterrogateArguments
from interrogator.cli.runners import Interrogate, Result
from interrogator.engines import Report
from interrogator.errors import InterrogatorError, UnreadableImageError
from interrogator.types import Embedded, Interrogation, Phrase, Progress, Stage

NOTE = "This is a scripted engine."


class ScriptedRunner:
    """`prompt` is what it answers, `error` (if any) takes its place, `embedded` is what it finds in every file, `asked`
    remembers the arguments, `batches` how many images came at once."""

    def __init__(self) -> None:
        self.prompt = "a teal field, flat colour, “quoted”, ünïcode"
        self.error: BaseException | None = None
        self.embedded: Embedded | None = None
        self.batches: list[int] = []
        self.asked: list[InterrogateArguments] = []

    @contextmanager
    def open(self, arguments: InterrogateArguments, report: Report) -> Iterator[Interrogate]:
        self.asked.append(arguments)

        def interrogate(images: Sequence[bytes]) -> list[Result]:
            self.batches.append(len(images))
            return [Result(self._outcome(arguments, image, report)) for image in images]

        yield interrogate

    def _outcome(
        self, arguments: InterrogateArguments, image: bytes, report: Report
    ) -> Interrogation | InterrogatorError:
        report(Progress(Stage.SEARCH, 1, 2, 0.25))
        if isinstance(self.error, InterrogatorError):
            return self.error
        if self.error is not None:
            raise self.error
        return self._answer(arguments, image) if image else UnreadableImageError("That file is empty.")

    def _answer(self, arguments: InterrogateArguments, image: bytes) -> Interrogation:
        return Interrogation(
            sha256=hashlib.sha256(image).hexdigest(),
            width=8,
            height=6,
            profile=arguments.options.profile,
            engine="scripted",
            mode=arguments.options.mode,
            style_only=arguments.options.style_only,
            caption="a teal field",
            prompt=self.prompt,
            phrases=(Phrase("flat colour", "light", 0.1234567),),
            similarity=0.3456789,
            seconds=0.5,
            embedded=self.embedded,
            note=NOTE,
            frame=arguments.options.frame,
            frames=arguments.options.frame,
        )
