"""Pipelines for `--pipeline`: what the image says is what happens. They load no model."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from interrogator.engines import Report
from interrogator.errors import InterrogatorError, ModelMissingError, UnreadableImageError
from interrogator.features import FeatureCache
from interrogator.profiles import Profile
from interrogator.request import MeasureRequest, Request
from interrogator.types import Contribution, Explanation, Group, Interrogation, Measurement, Phrase, Progress, Stage

DIES = b"die"  # the process kills itself; whatever follows makes it another image
DIES_ONCE = b"die once:"  # followed by the path of a file that remembers
STEPS = b"steps"  # a hundred steps of search, each reported
WAITS = b"wait"  # until it is stopped through its report
HOLDS = b"hold:"  # until the file exists whose path follows
SLEEPS = b"sleep:"  # without a word, for the seconds that follow
PACES = b"pace:"  # a search of ten steps, which takes the seconds that follow; after a space comes anything
HURRIES = b"hurry"  # the answer says that it was stopped early
UNREADABLE = b"unreadable"
RAISES = b"raise"
SEGFAULTS = b"segfault"  # the process reads where it must not; whatever follows makes it another image
PRINTS = b"print"
FLAGGED = b"flagged"  # anywhere in it: a picture that is not for everyone
TELLS = b"tell:"  # the value of the environment variable whose name follows is the answer


@dataclass(frozen=True)
class Scripted:
    """Answers with the bytes of the image as the prompt, one after the other."""

    batch_limit: int = 1
    features: FeatureCache = field(default_factory=FeatureCache)

    def run(self, requests: Sequence[Request]) -> list[Interrogation | InterrogatorError]:
        return [self._outcome(request) for request in requests]

    def measure(self, requests: Sequence[MeasureRequest]) -> list[Measurement | InterrogatorError]:
        """What is measured is of no meaning: the prompts come back as phrases."""
        return [self._measured(request) for request in requests]

    def _measured(self, request: MeasureRequest) -> Measurement | InterrogatorError:
        try:
            _die(request.image)
            self._play(request.image, request.report)
        except InterrogatorError as error:
            return error
        prompts = request.measure.prompts
        return Measurement(
            sha256="0" * 64,
            width=1,
            height=1,
            profile=request.options.profile,
            engine="scripted",
            explanations=tuple(Explanation(0.5, (Contribution(prompt, 0.25, 0.25),)) for prompt in prompts),
            groups=(Group("light", (("soft light", 0.5),)),) * request.measure.top,
            seconds=0.01,
        )

    def _outcome(self, request: Request) -> Interrogation | InterrogatorError:
        self.features.captions.complete([request.image[:1].decode(errors="replace")], lambda _: ["a caption"])
        try:
            _die(request.image)
            self._play(request.image, request.report)
        except InterrogatorError as error:
            return error
        if request.image.startswith(TELLS):
            value = os.environ.get(request.image.removeprefix(TELLS).decode(), "")
            return replace(answer(request), prompt=value)
        return answer(request)

    def _play(self, image: bytes, report: Report) -> None:
        if image == STEPS:
            for step in range(101):
                report(Progress(Stage.SEARCH, step, 100))
        elif image == WAITS:
            while True:
                report(Progress(Stage.SEARCH))
                time.sleep(0.001)
        elif image.startswith(HOLDS):
            while not Path(os.fsdecode(image.removeprefix(HOLDS))).exists():
                report(Progress(Stage.SEARCH))
                time.sleep(0.001)
        elif image.startswith(SLEEPS):
            time.sleep(float(image.removeprefix(SLEEPS)))
        elif image.startswith(PACES):
            seconds, _, _ = image.removeprefix(PACES).partition(b" ")
            for step in range(10):
                report(Progress(Stage.SEARCH, step, 10))
                time.sleep(float(seconds) / 10)
        elif image == UNREADABLE:
            raise UnreadableImageError("This file is not an image.")
        elif image == RAISES:
            raise ZeroDivisionError("a secret detail")
        elif image == PRINTS:
            print("a stray line")  # noqa: T201
            sys.stdout.flush()
            os.write(1, b"\xff\xff\xff\xff and more of them")


def _die(image: bytes) -> None:
    if image.startswith(DIES_ONCE):
        memory = Path(os.fsdecode(image.removeprefix(DIES_ONCE)))
        if memory.exists():
            return
        memory.touch()
    if image.startswith(SEGFAULTS):
        ctypes.string_at(0)
    if image.startswith(DIES):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Together(Scripted):
    """Answers several at once; `similarity` tells how many they were."""

    batch_limit: int = 4

    def run(self, requests: Sequence[Request]) -> list[Interrogation | InterrogatorError]:
        outcomes = super().run(requests)
        return [
            replace(outcome, similarity=len(requests)) if isinstance(outcome, Interrogation) else outcome
            for outcome in outcomes
        ]


def answer(request: Request) -> Interrogation:
    return Interrogation(
        sha256="0" * 64,
        width=4,
        height=3,
        profile=request.options.profile,
        engine="scripted",
        mode=request.options.mode,
        style_only=request.options.style_only,
        caption="a caption — ünïcode",
        prompt=request.image.decode(),
        phrases=(Phrase("soft light", "light", 0.5),),
        similarity=0.25,
        seconds=0.01,
        stopped_early=request.image == HURRIES,
        note="",
        nsfw=1.0 if FLAGGED in request.image else None,
    )


def scripted(profile: Profile, report: Report) -> Scripted:
    report(Progress(Stage.LOAD, 0, 2))
    report(Progress(Stage.LOAD, 2, 2))
    return Scripted()


def together(profile: Profile, report: Report) -> Together:
    return Together()


def missing(profile: Profile, report: Report) -> Scripted:
    if "WEIGHTS" in os.environ and Path(os.environ["WEIGHTS"]).exists():
        return Scripted()
    raise ModelMissingError(f"The weights of {profile.name} are not on this machine.")


def broken(profile: Profile, report: Report) -> Scripted:
    raise ZeroDivisionError("the weights make no sense")


def dying(profile: Profile, report: Report) -> Scripted:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def endless(profile: Profile, report: Report) -> Scripted:
    report(Progress(Stage.LOAD, 0, 1))
    while True:
        time.sleep(60)
