"""What falls on the bot in a run of chaos, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SEED = 1
KILLS = 50  # of each kind
OTHERS = 20  # of each kind of blow that kills nothing
PEOPLE = 8
LIMIT_SECONDS = 45 * 60.0


class Blow(StrEnum):
    """What falls on the bot."""

    WORKER_KILLED = "worker killed (SIGKILL)"
    WORKER_STOPPED = "worker stopped (SIGSTOP)"
    WORKER_SEGFAULT = "worker given an image that segfaults it"
    BOT_KILLED = "bot killed (SIGKILL)"
    BOT_STOPPED = "bot told to stop (SIGTERM)"
    CONNECTION_CLOSED = "gateway closed"
    CONNECTION_MOVED = "gateway asks to reconnect"
    SESSION_ENDED = "gateway session invalid"


DEADLY = frozenset({Blow.WORKER_KILLED, Blow.WORKER_STOPPED, Blow.WORKER_SEGFAULT, Blow.BOT_KILLED})


@dataclass(frozen=True, slots=True)
class Plan:
    """`kills` of each deadly kind of blow and `others` of each other, in an order that depends on the seed."""

    seed: int = SEED
    kills: int = KILLS
    others: int = OTHERS
    people: int = PEOPLE
    limit_seconds: float = LIMIT_SECONDS

    def count(self, blow: Blow) -> int:
        """How many there are of this kind."""
        return self.kills if blow in DEADLY else self.others


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. `trapped`: how often the bot was killed at a request that tells something. `strays`: messages
    beside the answers that say nothing but that something is to come, sent just before a bot was killed."""

    plan: Plan
    blows: Counter[str]
    trapped: int
    segfaults: int
    faults: dict[str, int]
    starts: int
    interactions: int
    accepted: int
    unkept: int
    rows: Counter[str]
    answers: int
    strays: int
    longest_wait: float
    seconds: float
    wrong: list[str]

    def lines(self) -> list[str]:
        """For people to read."""
        return [
            f"seed {self.plan.seed}, {self.seconds:.0f} s",
            *(f"  {count:4} x {blow}" for blow, count in sorted(self.blows.items())),
            f"  {self.trapped:4} times the bot was killed at a request that tells somebody something",
            f"  {self.segfaults:4} workers ended by a segmentation fault, {self.starts} starts of the bot",
            f"  requests that went wrong: {_counted(self.faults)}",
            f"{self.interactions} interactions, {self.accepted} accepted, {self.answers} answers, {self.strays} strays",
            f"{self.unkept} of them inquiries and presses of buttons, of which nothing is stored",
            f"rows: {_counted(self.rows)}",
            f"longest wait {self.longest_wait:.1f} s",
            *(f"WRONG: {line}" for line in self.wrong),
            f"{len(self.wrong)} complaints",
        ]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
