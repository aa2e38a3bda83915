"""What the doctor finds, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bot.text import one_line

NAME_COLUMN = 14


class Level(StrEnum):
    """How bad it is. A warning keeps nobody from starting the bot."""

    OK = "ok"
    WARNING = "warn"
    FAILURE = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: of what, how bad, what is found, and what to do where something is not as it should be."""

    name: str
    level: Level
    text: str
    advice: str = ""

    def __str__(self) -> str:
        """As it is printed: two lines where there is advice. What others wrote cannot move the cursor."""
        line = f"{self.level:<4}  {self.name:<{NAME_COLUMN}}{one_line(self.text)}"
        return f"{line}\n{'':<6}{'':<{NAME_COLUMN}}-> {one_line(self.advice)}" if self.advice else line


def ok(name: str, text: str) -> Finding:
    """As it should be."""
    return Finding(name, Level.OK, text)


def warning(name: str, text: str, advice: str) -> Finding:
    """The bot works, but not for everybody or not for long."""
    return Finding(name, Level.WARNING, text, advice)


def failure(name: str, text: str, advice: str) -> Finding:
    """The bot does not work like this."""
    return Finding(name, Level.FAILURE, text, advice)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The object of `--json`."""
    return {"ok": is_well(findings), "checks": [asdict(finding) for finding in findings]}


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing fails."""
    return all(finding.level is not Level.FAILURE for finding in findings)
