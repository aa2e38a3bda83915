"""A batch of images in, a list of outcomes out, in the same order: an expected failure is a value of that list."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from interrogator.engines import Engine, Report
from interrogator.engines.lite import load_lite
from interrogator.errors import InterrogatorError, UnsupportedOptionError
from interrogator.images import Limits, LoadedImage, open_image
from interrogator.label_table import build_label_table
from interrogator.modes import check, compose
from interrogator.profiles import Profile, profile
from interrogator.ranking import Kit, Scene
from interrogator.request import Request, silent
from interrogator.types import DEFAULT_PROFILE, Interrogation, Progress, Stage
from interrogator.vocabulary import load_vocabulary

T = TypeVar("T")
R = TypeVar("R")


Outcome = Interrogation | InterrogatorError


class _Batch:
    """The requests of one run and the failures among them: a request that failed takes no further part."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = requests
        self.failures: dict[int, InterrogatorError] = {}

    def each(self, items: Mapping[int, T], step: Callable[[Request, T], R]) -> dict[int, R]:
        """The results of a step by place in the batch, without those that failed now or before."""
        results: dict[int, R] = {}
        for index, item in items.items():
            if index in self.failures:
                continue
            try:
                results[index] = step(self._requests[index], item)
            except InterrogatorError as error:
                self.failures[index] = error
        return results

    def tell(self, stage: Stage, items: Mapping[int, T], done: int = 0) -> dict[int, T]:
        """Reports a stage of one unit to those of `items` still in the batch; who is left of them."""

        def tell(request: Request, item: T) -> T:
            request.report(Progress(stage, done, 1))
            return item

        return self.each(items, tell)


class Pipeline:
    """A profile with everything loaded: engine, vocabulary and the embeddings of its labels."""

    def __init__(self, kit: Kit, limits: Limits | None = None) -> None:
        self.kit = kit
        self._limits = limits or Limits()

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """One outcome a request, in order. The images are captioned and embedded together, then searched one by one.

        Typed errors, those that a request's `report` raises among them, are outcomes; anything else is a defect and
        propagates.
        """
        started = time.perf_counter()
        batch = _Batch(requests)
        loaded = batch.each(dict(enumerate(requests)), self._read)
        scenes = self._scenes(batch, loaded)

        def answer(request: Request, item: tuple[LoadedImage, Scene]) -> Interrogation:
            return self._answer(request, *item, started)

        answers = batch.each({index: (loaded[index], scene) for index, scene in scenes.items()}, answer)
        return [answers[index] if index in answers else batch.failures[index] for index in range(len(requests))]

    def _read(self, request: Request, _: Request) -> LoadedImage:
        options = request.options
        if options.profile != self.kit.profile.name:
            profile(options.profile)  # an unknown one is refused with those that exist
            raise UnsupportedOptionError(f"The profile “{options.profile}” is not loaded here.")
        check(options.mode, style_only=options.style_only)
        request.report(Progress(Stage.READ, 0, 1))
        return open_image(request.image, self._limits)

    def _scenes(self, batch: _Batch, loaded: dict[int, LoadedImage]) -> dict[int, Scene]:
        """Captions, cues and embeddings of the whole batch, each in one call of the engine."""
        engine = self.kit.engine
        loaded = batch.tell(Stage.CAPTION, loaded)
        if not loaded:
            return {}
        images = [one.image for one in loaded.values()]
        captions = engine.captions(images)
        cues = engine.cues(images)
        batch.tell(Stage.EMBED, loaded)
        embedded = engine.embed_images(images)
        named = [caption for caption in captions if caption]
        subjects = dict(zip(named, engine.text.embed(named), strict=True)) if named else {}
        scenes = {
            index: Scene(caption=caption, cues=tuple(own), image=image, subject=subjects.get(caption))
            for index, caption, own, image in zip(loaded, captions, cues, embedded, strict=True)
        }
        return batch.tell(Stage.RANK, scenes)

    def _answer(self, request: Request, loaded: LoadedImage, scene: Scene, started: float) -> Interrogation:
        options, engine = request.options, self.kit.engine
        prompt = compose(self.kit, scene, options.mode, style_only=options.style_only, report=request.report)
        return Interrogation(
            sha256=hashlib.sha256(request.image).hexdigest(),
            width=loaded.width,
            height=loaded.height,
            profile=self.kit.profile.name,
            engine=engine.name,
            mode=options.mode,
            style_only=options.style_only,
            caption=scene.caption,
            prompt=prompt.text,
            phrases=prompt.phrases,
            similarity=prompt.similarity,
            seconds=time.perf_counter() - started,
            note=engine.note,
        )


def load_pipeline(profile_name: str = DEFAULT_PROFILE, report: Report | None = None) -> Pipeline:
    """The pipeline of a profile, loaded now: seconds, and some hundred megabytes for `lite`.

    Raises UnsupportedOptionError for an unknown profile and ModelMissingError where its weights are not there.
    """
    report = report or silent
    chosen = profile(profile_name)
    engine = _load_engine(chosen, report)
    vocabulary = load_vocabulary()
    table = build_label_table(engine, vocabulary.labels, report)
    kinds = build_label_table(engine, vocabulary.kinds, report)
    return Pipeline(Kit(engine=engine, vocabulary=vocabulary, table=table, kinds=kinds, profile=chosen))


def _load_engine(chosen: Profile, report: Report) -> Engine:
    if chosen.engine == "lite":
        return load_lite(report)
    raise UnsupportedOptionError(f"The engine “{chosen.engine}” of profile “{chosen.name}” does not exist.")
