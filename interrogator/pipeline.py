"""A batch of images in, a list of outcomes out, in the same order: an expected failure is a value of that list."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from PIL import Image

from interrogator.engines import Engine, Report
from interrogator.engines.clip import load_clip
from interrogator.engines.lite import load_lite
from interrogator.errors import InterrogatorError, NotFiniteError, UnsupportedOptionError
from interrogator.explain import explain
from interrogator.features import FeatureCache, PictureKey
from interrogator.images import Limits, LoadedImage, open_image
from interrogator.label_cache import build_label_table
from interrogator.label_table import LabelTable
from interrogator.metadata import read_parameters
from interrogator.mined import MinedVocabulary, load_mined
from interrogator.profiles import LITE, ClipProfile, LiteProfile, Profile
from interrogator.recipes import Prompt, Recipe, Scene, Task, check
from interrogator.recipes.curated.modes import Curated
from interrogator.recipes.curated.ranking import Kit
from interrogator.recipes.ranked import Ranked
from interrogator.request import MeasureRequest, Request, silent
from interrogator.safety import Rate, load_rater
from interrogator.types import Interrogation, Measurement, Progress, Stage
from interrogator.vocabulary import load_vocabulary

T = TypeVar("T")
R = TypeVar("R")

BATCH_LIMIT = 8
"""Images answered together: what shares most of the work, before the last of them has to wait for long."""

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
    """A profile with everything loaded: the engine, and the recipe with its vocabulary."""

    batch_limit = BATCH_LIMIT

    def __init__(
        self,
        profile: str,
        engine: Engine,
        recipe: Recipe,
        limits: Limits | None = None,
        features: FeatureCache | None = None,
    ) -> None:
        """`profile` is its name. `features` keeps what the engine says of an image for the next time; without it,
        nothing is kept from one run to another. Where `rate` is set, images are rated by it."""
        self.profile = profile
        self.engine = engine
        self.recipe = recipe
        self.features = features or FeatureCache(0)
        self.rate: Rate | None = None
        self._limits = limits or Limits()

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """One outcome a request, in order. The images are captioned, embedded and searched together.

        Typed errors, those that a request's `report` raises among them, are outcomes; anything else is a defect and
        propagates.
        """
        started = time.perf_counter()
        batch = _Batch(requests)
        loaded = batch.each(dict(enumerate(requests)), self._read)
        keys = _keys(requests, loaded)
        try:
            scenes = self._scenes(batch, requests, loaded, keys)
        except InterrogatorError as error:  # of the engine: its memory does not suffice
            return [batch.failures.get(index, error) for index in range(len(requests))]
        ratings = self._ratings({index: loaded[index].image for index in scenes}, keys)
        tasks = [
            Task(scene=scene, options=requests[i].options, report=requests[i].report) for i, scene in scenes.items()
        ]
        prompts = dict(zip(scenes, self.recipe.compose(tasks), strict=True))

        def answer(request: Request, item: tuple[int, Prompt | InterrogatorError]) -> Interrogation:
            index, prompt = item
            found = self._answer(request, keys[index].sha256, loaded[index], scenes[index], prompt, seconds)
            return replace(found, nsfw=ratings.get(index))

        seconds = (time.perf_counter() - started) / max(len(requests), 1)  # images of a batch share its time
        answers = batch.each({index: (index, prompt) for index, prompt in prompts.items()}, answer)
        return [answers[index] if index in answers else batch.failures[index] for index in range(len(requests))]

    def measure(self, requests: Sequence[MeasureRequest]) -> list[Measurement | InterrogatorError]:
        """One outcome a request, in order; the images are looked at together. Errors as in `run`, PromptError for a
        prompt that cannot be measured among them."""
        started = time.perf_counter()
        batch = _Batch(requests)
        loaded = batch.each(dict(enumerate(requests)), self._read)
        keys = _keys(requests, loaded)
        try:
            scenes = self._scenes(batch, requests, loaded, keys, captioned=self.recipe.looks_at_captions)
        except InterrogatorError as error:  # as in `run`
            return [batch.failures.get(index, error) for index in range(len(requests))]

        ratings = self._ratings({index: loaded[index].image for index in scenes}, keys)

        def answer(_: Request, index: int) -> Measurement:
            found = self._measurement(requests[index], keys[index].sha256, loaded[index], scenes[index])
            return replace(found, nsfw=ratings.get(index))

        answers = batch.each({index: index for index in scenes}, answer)
        seconds = (time.perf_counter() - started) / max(len(requests), 1)  # images of a batch share its time
        answers = {index: replace(found, seconds=seconds) for index, found in answers.items()}
        return [answers[index] if index in answers else batch.failures[index] for index in range(len(requests))]

    def _measurement(self, request: MeasureRequest, digest: str, loaded: LoadedImage, scene: Scene) -> Measurement:
        measure, options, recipe = request.measure, request.options, self.recipe
        target = recipe.target(scene, options.mode)
        explanations = []
        for number, prompt in enumerate(measure.prompts):
            request.report(Progress(Stage.SCORE, number, len(measure.prompts)))
            explanations.append(explain(recipe.text, target, prompt))
        return Measurement(
            sha256=digest,
            width=loaded.width,
            height=loaded.height,
            profile=self.profile,
            engine=self.engine.name,
            explanations=tuple(explanations),
            groups=recipe.nearest(scene, options, measure.top) if measure.top > 0 else (),
            seconds=0.0,
            note=self.engine.note,
            frame=loaded.frame,
            frames=loaded.frames,
        )

    def _read(self, request: Request, _: Request) -> LoadedImage:
        options = request.options
        if options.profile != self.profile:
            raise UnsupportedOptionError(
                f"The profile “{options.profile[:40]}” is not loaded here: “{self.profile}” is."
            )
        check(options)
        request.report(Progress(Stage.READ, 0, 1))
        return open_image(request.image, self._limits, frame=options.frame)

    def _scenes(
        self,
        batch: _Batch,
        requests: Sequence[Request],
        loaded: dict[int, LoadedImage],
        keys: Mapping[int, PictureKey],
        *,
        captioned: bool = True,
    ) -> dict[int, Scene]:
        """Captions (none unless `captioned`), cues and embeddings of the whole batch, each in one call of the engine
        for those not known yet."""
        engine = self.engine
        loaded = batch.tell(Stage.CAPTION, loaded)
        if not loaded:
            return {}
        images = {index: one.image for index, one in loaded.items()}
        captions = self._captions(images, requests, keys) if captioned else [""] * len(images)
        cues = self.features.cues.complete(
            [keys[index] for index in images], lambda places: engine.cues(_chosen(images, places))
        )
        batch.tell(Stage.EMBED, loaded)
        embedded = self._embedded(batch, images, keys)
        named = [caption for caption in captions if caption]
        subjects = dict(zip(named, engine.text.embed(named), strict=True)) if named else {}
        scenes = {
            index: Scene(caption=caption, cues=tuple(own), image=embedded[index], subject=subjects.get(caption))
            for index, caption, own in zip(images, captions, cues, strict=True)
            if index in embedded
        }
        return batch.tell(Stage.RANK, scenes)

    def _embedded(
        self, batch: _Batch, images: Mapping[int, Image.Image], keys: Mapping[int, PictureKey]
    ) -> dict[int, torch.Tensor]:
        """The images' embeddings. Where not all are finite, each is embedded by itself, so that only those fail."""

        def embed(indices: Sequence[int]) -> list[torch.Tensor]:
            return self.features.embeddings.complete(
                [keys[index] for index in indices],
                lambda places: [
                    row.clone()  # a row of its own, which does not keep the others of the batch in memory
                    for row in self.engine.embed_images([images[indices[place]] for place in places])
                ],
            )

        try:
            return dict(zip(images, embed(list(images)), strict=True))
        except NotFiniteError:
            return batch.each({index: index for index in images}, lambda _, index: embed([index])[0])

    def _ratings(self, images: Mapping[int, Image.Image], keys: Mapping[int, PictureKey]) -> dict[int, float]:
        """How fit the images are to be shown to everyone, where somebody is there to tell."""
        if self.rate is None or not images:
            return {}
        rate = self.rate
        rated = self.features.ratings.complete(
            [keys[index] for index in images], lambda places: rate(_chosen(images, places))
        )
        return dict(zip(images, rated, strict=True))

    def _captions(
        self, images: Mapping[int, Image.Image], requests: Sequence[Request], keys: Mapping[int, PictureKey]
    ) -> list[str]:
        """The caption that was given, else the engine's, one an image."""
        given = {index: " ".join(requests[index].options.caption.split()) for index in images}
        asked = {index: images[index] for index in images if not given[index]}
        own = self.features.captions.complete(
            [keys[index] for index in asked], lambda places: self.engine.captions(_chosen(asked, places))
        )
        return list({**given, **dict(zip(asked, own, strict=True))}.values())

    def _answer(
        self,
        request: Request,
        digest: str,
        loaded: LoadedImage,
        scene: Scene,
        prompt: Prompt | InterrogatorError,
        seconds: float,
    ) -> Interrogation:
        if isinstance(prompt, InterrogatorError):
            raise prompt
        options, engine = request.options, self.engine
        return Interrogation(
            sha256=digest,
            width=loaded.width,
            height=loaded.height,
            profile=self.profile,
            engine=engine.name,
            mode=options.mode,
            style_only=options.style_only,
            caption=scene.caption if options.subject else prompt.caption or scene.caption,
            subject=prompt.caption if options.subject else "",
            prompt=prompt.text,
            phrases=prompt.phrases,
            similarity=prompt.similarity,
            seconds=seconds,
            stopped_early=prompt.stopped_early,
            embedded=read_parameters(request.image, loaded.hidden),
            note=engine.note,
            frame=loaded.frame,
            frames=loaded.frames,
        )


def _keys(requests: Sequence[Request], loaded: Mapping[int, LoadedImage]) -> dict[int, PictureKey]:
    return {
        index: PictureKey(hashlib.sha256(requests[index].image).hexdigest(), one.frame) for index, one in loaded.items()
    }


def _chosen(images: Mapping[int, Image.Image], places: Sequence[int]) -> list[Image.Image]:
    """The images at these places, counted from 0."""
    listed = list(images.values())
    return [listed[place] for place in places]


def load_serving(profile: Profile = LITE, report: Report | None = None) -> Pipeline:
    """`load_pipeline` for a process that goes on and serves people: it remembers the images' features, and rates them.
    Raises as that, and as `load_rater`."""
    pipeline = load_pipeline(profile, report)
    pipeline.features = FeatureCache()
    pipeline.rate = load_rater()
    return pipeline


def load_pipeline(profile: Profile = LITE, report: Report | None = None) -> Pipeline:
    """The pipeline of a profile, loaded now: seconds, and some hundred megabytes for `lite`.

    Raises ModelMissingError where its weights are not there, and what `load_clip` and `load_mined` raise.
    """
    report = report or silent
    if isinstance(profile, LiteProfile):
        return _lite(profile, report)
    return _clip(profile, report)


def _lite(profile: LiteProfile, report: Report) -> Pipeline:
    engine = load_lite(report)
    vocabulary = load_vocabulary()
    table = build_label_table(engine, vocabulary.labels, report)
    kinds = build_label_table(engine, vocabulary.kinds, report)
    kit = Kit(engine=engine, vocabulary=vocabulary, table=table, kinds=kinds, profile=profile)
    return Pipeline(profile.name, engine, Curated(kit))


def _clip(profile: ClipProfile, report: Report) -> Pipeline:
    vocabulary = load_labels(profile)  # before the models: what is wrong with a list is said at once
    engine = load_clip(profile, report)
    table = embed_labels(engine, vocabulary, report)
    return Pipeline(profile.name, engine, Ranked(engine, vocabulary, table, profile))


def load_labels(profile: ClipProfile) -> MinedVocabulary:
    """The labels of a CLIP profile: CLIP Interrogator's, ours, and those of `profile.lists`. Raises as `load_mined`."""
    return load_mined(Path(profile.lists).expanduser() if profile.lists else None)


def embed_labels(engine: Engine, vocabulary: MinedVocabulary, report: Report) -> LabelTable:
    """Their embeddings: minutes the first time with a model, on a CPU. float16, as CLIP Interrogator keeps them: half
    the memory, and ranked in half the time."""
    return build_label_table(engine, vocabulary.labels, report, torch.float16)
