"""The short form of `make chaos`: always the same seed, two blows of each deadly kind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from chaos import in_folder
from chaos_report import Blow, Plan

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")


async def test_every_question_that_was_accepted_is_answered_once_whatever_is_killed(tmp_path: Path) -> None:
    plan = Plan(seed=1, kills=2, others=0, people=4, limit_seconds=240)
    report = await in_folder(plan, tmp_path, print)
    told = "\n".join(report.lines())
    assert report.wrong == [], told
    assert dict(report.blows) == {blow: plan.count(blow) for blow in Blow if plan.count(blow)}, told
    assert report.segfaults >= plan.kills, told
    # Enough was going on for all of this to mean something.
    assert report.rows["done"] > 15, told
    assert report.rows["failed"] >= plan.kills, told
    assert sum(report.faults.values()) > 2, told
