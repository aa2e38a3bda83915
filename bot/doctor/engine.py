"""The models and the device. Both are asked in processes of their own: this one imports nothing of them."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import time
from asyncio.subprocess import PIPE
from contextlib import aclosing
from typing import Any

from bot.doctor.findings import Finding, failure, ok, warning
from bot.samples import NAMES, read_sample
from bot.settings import Settings
from bot.workers import queue_of
from interrogator.profiles import LiteProfile
from interrogator.types import Done, Failed, Interrogation, Job, JobId, Mode, Options, Progress

MODELS, WORKER = "models", "worker"
LIST_SECONDS = 120.0
ANSWER_SECONDS = 180.0  # a first start of a CLIP profile may take longer, on a CPU


async def check_models(settings: Settings) -> Finding:
    """Whether what the profile needs is on this machine, and on which device it would compute."""
    if settings.worker_address is not None:
        return ok(MODELS, f"{settings.profile}: those of the worker at {settings.worker}")
    if isinstance(settings.models, LiteProfile):
        return ok(MODELS, f"{settings.profile}, on the CPU: they come with the packages")
    command = [sys.executable, "-P", "-m", "interrogator", "models", settings.profile, "--json"]
    if settings.profiles is not None:
        command += ["--profiles", str(settings.profiles)]
    try:
        async with asyncio.timeout(LIST_SECONDS):
            listed = await _output(command)
    except (OSError, ValueError, TimeoutError) as error:
        return failure(MODELS, f"they cannot be listed: {error or type(error).__name__}", "Try: interrogate models")
    return judged(listed, settings)


async def check_worker(settings: Settings) -> Finding:
    """Start a worker with the profile as the bot does, or ask that which runs by itself, to answer a sample picture."""
    image = read_sample(NAMES[0])
    job = Job(
        id=JobId("doctor"),
        image=image,
        options=Options(mode=Mode.FAST, profile=settings.profile),
        deadline=time.time() + ANSWER_SECONDS,
    )
    started = time.monotonic()
    loading: Progress | None = None
    async with (
        queue_of(settings) as queue,
        aclosing(queue.submit(job)) as events,
    ):
        async for event in events:
            match event:
                case Progress():
                    loading = event
                case Failed(kind, message):
                    return _not_answered(kind, message, loading)
                case Done(answer):
                    return _answered(answer, time.monotonic() - started)
    return failure(WORKER, "it said nothing", "Look at the log of: python -m bot run --log-level DEBUG")


def _answered(answer: Interrogation, seconds: float) -> Finding:
    alone = f"the picture alone {answer.seconds:.1f} s"
    return ok(WORKER, f"answered a sample in {seconds:.1f} s ({alone}) with {answer.engine}")


def _not_answered(kind: str, message: str, loading: Progress | None) -> Finding:
    if kind == "deadline" and loading is not None:
        return warning(
            WORKER,
            f"not ready after {ANSWER_SECONDS:.0f} s: {loading.stage.value} {loading.done}/{loading.total}",
            "The first start with a profile embeds all phrases, which takes long without a graphics card. "
            "What is done is kept: start the bot, or ask again.",
        )
    return failure(WORKER, message, "Look at the log of: python -m bot run --log-level DEBUG")


async def _output(command: list[str]) -> dict[str, Any]:
    """The object that the command prints. Raises OSError, and ValueError where it prints none."""
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        out, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ValueError(complaint.decode(errors="replace").strip().rpartition("\n")[2])
    printed: dict[str, Any] = json.loads(out)
    return printed


def judged(listed: dict[str, Any], settings: Settings) -> Finding:
    """What the object of `interrogate models --json` says of the profile."""
    profile = settings.profile
    record = next(one for one in listed["profiles"] if one["name"] == profile)
    if record["problem"]:
        return failure(
            MODELS, f"{profile}: {record['problem']}", "Set another device in the profile, or mend that one."
        )
    if record["ready"]:
        needed = ", ".join([*record["models"], *filter(None, [record["captioner"]])])
        return ok(MODELS, f"{profile}, on {record['device']}: {needed}")
    parts = {*record["models"], record["captioner"]}
    absent = [model for model in listed["models"] if model["name"] in parts and not model["present"]]
    said = "; ".join(model["problem"] or f"{model['name']} is not on this machine" for model in absent)
    return failure(MODELS, f"{profile}: {said}", f"Fetch them: {_fetching(settings)}")


def _fetching(settings: Settings) -> str:
    """The command, with the file where the profile is described."""
    words = ["interrogate", "fetch", settings.profile]
    return shlex.join(words if settings.profiles is None else [*words, "--profiles", str(settings.profiles)])
