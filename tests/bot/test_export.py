"""A history as a file, and what /queue says."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from bot.commands.queue import queue_text
from bot.entries import Entry
from bot.export import COLUMNS, Format, as_file
from bot.history import State
from interrogator.queue import QueueStatus, WorkerState
from interrogator.types import Mode, Queued

ENTRY = replace(
    Entry(**{field.name: None for field in fields(Entry)}),  # type: ignore[arg-type]
    state=State.DONE,
    image_name="kite.png",
    mode=Mode.FAST,
    style_only=False,
    profile="lite",
    engine="lite",
    caption="a kite",
    prompt="a kite, soft light",
    similarity=0.5,
    starred=True,
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
LIMIT = 10_000


def written(wanted: Format, *prompts: str) -> str:
    content = as_file([replace(ENTRY, prompt=prompt) for prompt in prompts], wanted, LIMIT)
    assert content is not None
    return content.decode("utf-8-sig")


def test_a_text_has_a_prompt_a_line() -> None:
    assert written(Format.TXT, "a kite,\nred", "ein Drachen, grün") == "a kite, red\nein Drachen, grün\n"


def test_a_table_holds_what_is_known_and_nothing_that_a_spreadsheet_computes() -> None:
    head, *rows = csv.reader(io.StringIO(written(Format.CSV, 'a "kite", red', "=HYPERLINK(1)", " @x", "-1", "\uff0b1")))
    assert tuple(head) == COLUMNS
    assert [row[-1] for row in rows] == ['a "kite", red', "'=HYPERLINK(1)", "'@x", "'-1", "'\uff0b1"]
    assert rows[0][:5] == ["2026-01-02T03:04:05+00:00", "kite.png", "lite", "lite", "fast"]


def test_json_is_a_list_of_records() -> None:
    [record] = json.loads(written(Format.JSON, "a kite"))
    assert tuple(record) == COLUMNS
    assert (record["prompt"], record["similarity"], record["starred"]) == ("a kite", 0.5, True)


@pytest.mark.parametrize("wanted", Format)
def test_a_lone_surrogate_does_not_stop_an_export_and_a_large_one_is_none(wanted: Format) -> None:
    assert "kite" in written(wanted, "kite \ud800")
    assert as_file([ENTRY], wanted, 5) is None


@pytest.mark.parametrize(
    ("status", "own", "lines"),
    [
        (QueueStatus(0, 0, WorkerState.READY, 0), 0, ["model is ready", "Nobody waits"]),
        (QueueStatus(3, 1, WorkerState.READY, 0), 1, ["model is ready", "**3** waiting, **1** being", "One of them"]),
        (QueueStatus(2, 0, WorkerState.RESTARTING, 1), 2, ["started again", "**2** waiting", "2 of them are yours"]),
        (QueueStatus(0, 0, WorkerState.STOPPED, 1), 0, ["does not run"]),
    ],
)
def test_what_the_queue_says(status: QueueStatus, own: int, lines: list[str]) -> None:
    shown = queue_text(status, own, []).splitlines()
    assert len(shown) == len(lines)
    assert all(part in line for part, line in zip(lines, shown, strict=True))


def test_of_one_s_own_the_place_and_the_time_are_told() -> None:
    status = QueueStatus(waiting=5, running=1, worker=WorkerState.READY, restarts=0)
    shown = queue_text(status, 3, [Queued(1), Queued(2, 12.3), Queued(4, -1.0)])
    assert shown.splitlines()[-3:] == [
        "Yours: next",
        "Yours: position 2, about 12\N{NO-BREAK SPACE}s",
        "Yours: position 4, about 0.1\N{NO-BREAK SPACE}s",
    ]
