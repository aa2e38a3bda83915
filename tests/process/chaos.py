"""The real bot and the real worker process under load, killed again and again: `make chaos`, and briefly in the tests.

A seeded order of blows: the worker is killed, or stopped without a word, or given an image that segfaults it; the bot
is killed, or told to stop; Discord drops the connection, and fails at some of the requests all the time. Afterwards
every question that was accepted must have exactly one answer, and the database must agree with what is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from asking import alive
from chaos_account import complaints
from chaos_people import Crowd
from chaos_report import KILLS, LIMIT_SECONDS, OTHERS, PEOPLE, SEED, Blow, Plan, Report
from chaos_supervisor import Supervisor, Trap
from discord_faults import Chance
from discord_interactions import Asked
from discord_stub import DiscordStub

LAST_SECONDS = 5.0  # for the workers of bots that have ended to end too
SETTLE_SECONDS = 120.0  # for what is unanswered when the last blow has fallen
LINE = 25  # blows from one line that tells how far it is to the next
FAULTS = 0.02  # of the requests


class Chaos:
    """One run."""

    def __init__(self, plan: Plan, stub: DiscordStub, folder: Path, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._random = Random(f"{plan.seed} blows")
        self._stub = stub
        self._crowd = Crowd(stub, plan.seed, plan.people)
        self._supervisor = Supervisor(stub, folder)
        self._trap = Trap(self._random, self._supervisor)
        self._chance = Chance(f"{plan.seed} faults", FAULTS)
        self._blows: Counter[str] = Counter()
        self._begun = time.monotonic()
        self._trapped = 0
        self._wrong: list[str] = []

    async def run(self) -> Report:
        """Raises TimeoutError where it does not come to an end."""
        try:
            async with asyncio.timeout(self._plan.limit_seconds + 2 * SETTLE_SECONDS):
                await self._supervisor.start()
                await self._stub.gateway.until_connected()
                self._stub.faults = lambda request: self._trap(request) or self._chance(request)
                self._crowd.start()
                for number, blow in enumerate(order := self._order()):
                    if self._seconds > self._plan.limit_seconds:
                        self._tell(f"the time is over after {number} of {len(order)} blows")
                        break
                    if number % LINE == 0:
                        self._tell(f"{number} of {len(order)} blows, {self._seconds:.0f} s")
                    await asyncio.sleep(self._random.uniform(0, 1))
                    await self._strike(blow)
                    self._blows[blow] += 1
                await self._crowd.stop()
                self._stub.faults = lambda _request: None
                await self._settle()
            return self._report()
        finally:
            self._supervisor.kill()
            await asyncio.gather(*(bot.end() for bot in self._supervisor.bots))
            await self._crowd.stop()

    def write_log(self, folder: Path) -> None:
        """What every bot has logged, to a file."""
        (folder / "bots.log").write_text("\n".join(self._supervisor.log()))

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._begun

    def _order(self) -> list[Blow]:
        blows = [blow for blow in Blow for _ in range(self._plan.count(blow))]
        self._random.shuffle(blows)
        return blows

    async def _strike(self, blow: Blow) -> None:
        match blow:
            case Blow.WORKER_KILLED:
                await self._tell_worker(signal.SIGKILL)
            case Blow.WORKER_STOPPED:
                await self._stop_worker()
            case Blow.WORKER_SEGFAULT:
                await self._segfault()
            case Blow.BOT_KILLED:
                await self._kill_bot()
                await self._start_again()
            case Blow.BOT_STOPPED:
                status = await self._supervisor.end(signal.SIGTERM)
                self._wrong += [f"status {status} of a bot that was told to stop"] * (status not in (0, -15))
                await self._start_again()
            case Blow.CONNECTION_CLOSED:
                await self._stub.gateway.close(4000)
            case Blow.CONNECTION_MOVED:
                await self._stub.gateway.ask_to_reconnect()
            case Blow.SESSION_ENDED:
                await self._stub.gateway.invalidate()

    async def _tell_worker(self, number: signal.Signals) -> int:
        """As soon as there is one. Its id."""
        while True:
            for pid in self._supervisor.bot.workers():
                with suppress(ProcessLookupError):  # it has just ended by itself
                    os.kill(pid, number)
                    return pid
            await asyncio.sleep(0.02)

    async def _stop_worker(self) -> None:
        """Mostly until it is noticed; else what comes next falls on a bot whose worker is stopped."""
        pid = await self._tell_worker(signal.SIGSTOP)
        if self._random.random() < 0.8:
            while alive(pid):  # noqa: ASYNC110  another process ends it
                await asyncio.sleep(0.02)

    async def _segfault(self) -> None:
        """Until it has been answered, or was not accepted."""
        asked = await self._crowd.segfault(self._random)
        await self._crowd.wait_for(asked, SETTLE_SECONDS)

    async def _kill_bot(self) -> None:
        """At any moment, or at one where it matters."""
        if self._random.random() < 0.6 and await self._trap.spring():
            self._trapped += 1
            await self._supervisor.bot.end()
        else:
            await self._supervisor.end(signal.SIGKILL)

    async def _start_again(self) -> None:
        """At once; mostly what comes next falls on a bot that is connected."""
        await self._supervisor.start()
        if self._random.random() < 0.8:
            await self._stub.gateway.until_connected()
            await asyncio.sleep(self._random.uniform(0, 1))

    async def _settle(self) -> None:
        """Until all is answered and stored, then stop the bot."""
        await self._stub.gateway.until_connected()
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until and (self._unanswered() or self._unfinished()):  # noqa: ASYNC110  other processes
            await asyncio.sleep(0.1)
        if status := await self._supervisor.end(signal.SIGTERM):
            self._wrong.append(f"status {status} of the last bot")
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                while left := self._supervisor.left():
                    for pid in left:  # one that was stopped before it could tie its life to the bot's sees its end now
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGCONT)
                    await asyncio.sleep(0.1)

    def _unanswered(self) -> list[Asked]:
        kept = (one for one in self._stub.asked if one.id not in self._crowd.unkept)
        return [one for one in kept if one.responded is not None and one.answered is None]

    def _unfinished(self) -> list[int]:
        return [row["id"] for row in self._supervisor.bot.rows() if row["finished_at"] is None]

    def _report(self) -> Report:
        bot, asked = self._supervisor.bot, self._stub.asked
        rows, log = bot.rows(), self._supervisor.log()
        integrity = [row["integrity_check"] for row in bot.query("PRAGMA integrity_check")]
        self._wrong += [f"the database: {line}" for line in integrity if line != "ok"]
        self._wrong += [f"process {pid} is left" for pid in self._supervisor.left()]
        self._wrong += [f"logged: {line}" for line in log if "unexpected error" in line]
        return Report(
            plan=self._plan,
            blows=self._blows,
            trapped=self._trapped,
            segfaults=sum("ended with status -11" in line for line in log),
            faults=self._chance.counts,
            starts=len(self._supervisor.bots),
            interactions=len(asked),
            accepted=sum(one.responded is not None for one in asked),
            unkept=len(self._crowd.unkept),
            rows=Counter(row["state"] for row in rows),
            answers=sum(len(one.ends()) for one in asked),
            strays=sum(message.end() is None for one in asked for message in one.follow_ups),
            longest_wait=max((one.answered - one.pushed for one in asked if one.answered is not None), default=0.0),
            seconds=self._seconds,
            wrong=self._wrong + complaints(asked, rows, unkept=self._crowd.unkept, stops=self._supervisor.stops),
        )


async def in_folder(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Report:
    """Run it with this folder for the database and, where something is wrong, the log; `tell` hears how far it is."""
    async with DiscordStub.running() as stub:
        chaos = Chaos(plan, stub, folder, tell)
        try:
            report = await chaos.run()
        except BaseException:
            chaos.write_log(folder)
            raise
    if report.wrong:
        chaos.write_log(folder)
    return report


def say(text: str) -> None:
    """At once, also where the output is a file."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Prints a report of each run; 1 where one of them found something wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[SEED], metavar="SEED")
    parser.add_argument("--kills", type=int, default=KILLS, help="of each kind (%(default)s)")
    parser.add_argument("--others", type=int, default=OTHERS, help="blows of each other kind (%(default)s)")
    parser.add_argument("--people", type=int, default=PEOPLE, help="who ask at the same time (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=LIMIT_SECONDS, help="of a run, before its last blow (%(default)g)"
    )
    chosen = parser.parse_args()
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))  # for the pipelines
    for seed in chosen.seeds:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        say(f"seed {seed}; what is left, if it fails, is in {folder}")
        plan = Plan(seed, chosen.kills, chosen.others, chosen.people, chosen.seconds)
        report = asyncio.run(in_folder(plan, folder, say))
        say("\n".join(report.lines()))
        if report.wrong:
            return 1
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
