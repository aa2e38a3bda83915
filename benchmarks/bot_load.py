"""A crowd that uses the real bot at once: is everybody heard in time, is anybody forgotten, does memory grow?

    python -m benchmarks.bot_load [--interactions 1000] [--users 200] [--seconds 60] [--quick] [--json]

`python -m bot run` and its worker with the engine lite run as processes of their own; Discord is the stand-in of the
tests, in this process. Of five interactions two ask about a picture (half of them one that was asked about before), one
presses a mode button of an earlier answer, one is /history and one /help. `lost` are those that came to no answer, and
to no sentence that says why there is none; `twice` those that came to more than one; `late_acks` those that were not
acknowledged within Discord's three seconds. It ends with 1 where there is any of them. `--quick` asks 100 times, of 20
users, in 10 s, where nothing else is said.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from PIL import Image

STAND_IN = Path(__file__).parent.parent / "tests" / "process"
sys.path.insert(0, str(STAND_IN))  # where the tests find it, too

if TYPE_CHECKING:
    from bot_process import BotProcess
    from discord_interactions import Asked
    from discord_stub import DiscordStub

WHOLE, QUICK = (1000, 200, 60.0), (100, 20, 10.0)  # interactions, users, seconds
WRONG = ("lost", "twice", "late_acks")
ACK_SECONDS = 3.0
LAST_SECONDS = 120.0  # for what is unanswered when the last has asked
FIRST_USER = 700_000_000_000_000_001
KNOWN = 20  # pictures that are asked about again and again
MODES = ("Best", "Fast", "Classic", "Caption", "Negative")
MIB = 2**20


@dataclass(slots=True)
class Load:
    """What happened. `bot_mb` and `worker_mb` are their memory, second by second."""

    asked: list[tuple[str, Asked]] = field(default_factory=list)
    bot_mb: list[float] = field(default_factory=list)
    worker_mb: list[float] = field(default_factory=list)
    seconds: float = 0.0


def main(words: list[str] | None = None) -> None:
    arguments = _parser().parse_args(words)
    usual = QUICK if arguments.quick else WHOLE
    given = (arguments.interactions, arguments.users, arguments.seconds)
    interactions, users, seconds = (known if one is None else one for one, known in zip(given, usual, strict=True))
    print(
        f"bot_load: {interactions} interactions of {users} users in {seconds:.0f} s, {os.cpu_count()} cores", flush=True
    )
    load = asyncio.run(measured(interactions, users, seconds))
    figures = figures_of(load)
    for line in described(load, figures):
        print(line)
    if arguments.json:
        print(json.dumps(figures))
    sys.exit(int(any(figures[wrong] for wrong in WRONG)))


async def measured(interactions: int, users: int, seconds: float) -> Load:
    """Let them ask, evenly spread over the seconds, and wait until all is answered."""
    from bot_process import own_bot  # noqa: PLC0415 - of the tests, found by the path above

    with tempfile.TemporaryDirectory() as folder:
        async with own_bot(Path(folder)) as (stub, bot):
            await (await stub.interrogate(picture(0))).answer()  # the models are loaded
            load, begun = Load(), time.monotonic()
            watching = asyncio.create_task(_watch(bot, load))
            random = Random(interactions)
            for number in range(interactions):
                await asyncio.sleep(begun + seconds * number / interactions - time.monotonic())
                load.asked.append(await _ask(stub, random, number, FIRST_USER + random.randrange(users), load))
            load.seconds = time.monotonic() - begun
            await _settle(load)
            await asyncio.sleep(1)  # one more look at the memory, and time for an answer too many
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching  # what went wrong with it is raised here
            return load


async def _ask(stub: DiscordStub, random: Random, number: int, by: int, load: Load) -> tuple[str, Asked]:
    answered = [asked.original for kind, asked in load.asked[-200:] if kind == "picture" and _has_buttons(asked)]
    match number % 5:
        case 0:
            return "picture", await stub.interrogate(picture(KNOWN + number), by=by)
        case 1:
            return "picture", await stub.interrogate(picture(random.randrange(KNOWN)), by=by)
        case 2 if answered:
            message = random.choice(answered)
            assert message is not None
            return "button", await stub.press(random.choice(MODES), message, by=by)
        case 3:
            return "/history", await stub.history(by=by)
        case _:
            return "/help", await stub.use("help", by=by)


def _has_buttons(asked: Asked) -> bool:
    return asked.original is not None and bool(asked.original.embeds) and bool(asked.original.components)


async def _watch(bot: BotProcess, load: Load) -> None:
    while True:
        load.bot_mb.append(_resident(bot.pid))
        load.worker_mb.append(sum(map(_resident, bot.workers())))
        await asyncio.sleep(1)


def _resident(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss) / MIB
    except psutil.NoSuchProcess:  # it has ended between the two looks
        return 0.0


async def _settle(load: Load) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_SECONDS):
            for _, asked in load.asked:
                while asked.answered is None:  # noqa: ASYNC110 - it is told in another task, and to nobody
                    await asyncio.sleep(0.05)


def picture(number: int) -> Any:
    """A file that differs from all of other numbers: coloured fields, as JPEG."""
    from discord_stub import Upload  # noqa: PLC0415

    fields = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(fields).resize((512, 512)).save(buffer, "JPEG")
    return Upload(f"{number}.jpg", buffer.getvalue(), "image/jpeg")


def figures_of(load: Load) -> dict[str, Any]:
    """The object of `--json`; seconds as asked and answered, memory in MiB."""
    acks = [asked.responded - asked.pushed for _, asked in load.asked if asked.responded is not None]
    answers = [asked.answered - asked.pushed for _, asked in load.asked if asked.answered is not None]
    late = sum(asked.responded is None or asked.responded - asked.pushed > ACK_SECONDS for _, asked in load.asked)
    both = [bot + worker for bot, worker in zip(load.bot_mb, load.worker_mb, strict=True)]
    return {
        "interactions": len(load.asked),
        "seconds": round(load.seconds, 1),
        "answered": sum(_embeds(asked) for _, asked in load.asked),
        "refused": sum(asked.answered is not None and not _embeds(asked) for _, asked in load.asked),
        "lost": sum(asked.answered is None for _, asked in load.asked),
        "twice": sum(len(asked.ends()) > 1 for _, asked in load.asked),
        "late_acks": late,
        "ack_p50_s": _quantile(acks, 0.5),
        "ack_p99_s": _quantile(acks, 0.99),
        "answer_p50_s": _quantile(answers, 0.5),
        "answer_p99_s": _quantile(answers, 0.99),
        "rss_mb": round(max(both, default=0)),
        **_thirds("bot", load.bot_mb),
        **_thirds("worker", load.worker_mb),
    }


def _thirds(name: str, seen: Sequence[float]) -> dict[str, int]:
    """The median of the first third of the run, and of the last."""
    third = max(len(seen) // 3, 1)
    first, last = seen[:third], seen[-third:]
    return {
        f"{name}_first_mb": round(statistics.median(first or [0])),
        f"{name}_last_mb": round(statistics.median(last or [0])),
    }


def described(load: Load, figures: dict[str, Any]) -> list[str]:
    """The same for people, and how long each kind took."""
    lines = [f"  {name.replace('_', ' '):<22}{value}" for name, value in figures.items()]
    for kind in dict.fromkeys(kind for kind, _ in load.asked):
        answers = [a.answered - a.pushed for name, a in load.asked if name == kind and a.answered is not None]
        p50, p99 = _quantile(answers, 0.5), _quantile(answers, 0.99)
        lines.append(f"  {kind:<10}{len(answers):>6} ended   p50 {p50} s   p99 {p99} s")
    return lines


def _embeds(asked: Asked) -> bool:
    return any(message.embeds for message in asked.everything)


def _quantile(values: Sequence[float], share: float) -> float:
    return round(sorted(values)[min(int(len(values) * share), len(values) - 1)], 4) if values else 0.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int)
    parser.add_argument("--users", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK[0]} interactions in {QUICK[2]:.0f} s")
    parser.add_argument("--json", action="store_true", help="one object as the last line")
    return parser


if __name__ == "__main__":
    main()
