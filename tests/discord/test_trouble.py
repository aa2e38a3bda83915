"""Discord, the worker or the bot itself in trouble: the row ends, the person is told, nothing leaks."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import discord
import pytest
from worlds import MakeWorld, ScriptedQueue, World, answering, embed_of, prompt_of, told_alone

from bot import connection
from bot.connection import AbsentDatabaseError, BusyDatabaseError
from bot.conversation import NOT_PROMISED, RESTARTING
from bot.models import State
from bot.trouble import MODELS_MISSING, NOT_ALLOWED, OUTAGE
from interrogator.queue import QueueStatus
from interrogator.queue.local import LocalQueue
from interrogator.types import Event, Failed, Job, JobId, Progress, Queued, Stage

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")
EDIT = "/webhooks/*/messages/@original"


def edits(world: World) -> list[dict[str, object]]:
    return [entry.json for entry in world.env.http_requests if entry.method == "PATCH"]


async def test_progress_is_shown_in_place_before_the_answer(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(Queued(3, 12.0), Progress(Stage.SEARCH, 1, 4), answering()))
    result = await world.ann.slash(world.channel, "interrogate", image=PNG)
    *progress, answer = edits(world)
    assert all("⏳" in str(edit["content"]) for edit in progress)
    assert answer["content"] is None
    assert embed_of(result).description


async def test_an_outage_while_answering_is_tried_again_without_the_picture(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    world.env.inject_error("PATCH", EDIT, status=503)

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert "red kite" in prompt_of(result)
    assert result.response.attachments == []
    assert (await world.rows(world.ann))[0].state is State.DONE


@pytest.mark.parametrize(("status", "code"), [(404, 10008), (401, 50027), (403, 50013), (500, 0)])
async def test_the_answer_is_kept_where_discord_does_not_take_it(make_world: MakeWorld, status: int, code: int) -> None:
    world = await make_world(ScriptedQueue())
    world.env.inject_error("PATCH", EDIT, status=status, code=code, times=None)

    await world.ann.slash(world.channel, "interrogate", image=PNG)

    [row] = await world.rows(world.ann)
    assert (row.state, row.prompt) == (State.DONE, "a red kite, soft light")


async def test_an_answer_that_discord_forbids_is_told_with_what_to_do(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    world.env.inject_error("PATCH", EDIT, status=403, code=50013, times=2)

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert told_alone(result) == f"⚠️ {NOT_ALLOWED} The answer itself is in your /history."
    assert (await world.rows(world.ann))[0].state is State.DONE


async def test_an_answer_that_an_outage_swallows_is_told_to_be_in_the_history(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    world.env.inject_error("PATCH", EDIT, status=503, times=2)

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert told_alone(result) == f"⚠️ {OUTAGE} The answer itself is in your /history."


@pytest.mark.parametrize(("status", "code", "sentence"), [(403, 50001, NOT_ALLOWED), (503, 0, OUTAGE)])
async def test_a_command_that_discord_does_not_let_through(
    make_world: MakeWorld, status: int, code: int, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world(ScriptedQueue())
    world.env.inject_error("POST", "/interactions/*/*/callback", status=status, code=code)

    result = await world.ann.slash(world.channel, "history")
    world.expect_errors()

    assert told_alone(result) == f"⚠️ {sentence}"
    assert "Traceback" not in caplog.text


async def test_models_that_are_missing_are_told_without_where_they_should_be(make_world: MakeWorld) -> None:
    failed = Failed("model_missing", "The CLIP model x is not on this machine; it will be stored in /home/bot/.cache.")
    world = await make_world(ScriptedQueue(failed))

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert told_alone(result) == f"⚠️ {MODELS_MISSING}"
    assert (await world.rows(world.ann))[0].error_message == MODELS_MISSING


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process writes to the database meanwhile."""
    with closing(sqlite3.connect(folder / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that waits no longer than a moment for others."""
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)


async def test_a_question_that_a_locked_database_cannot_take_is_refused_at_once(
    make_world: MakeWorld, impatient: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queue = ScriptedQueue()
    world = await make_world(queue)

    with locked(tmp_path), caplog.at_level(logging.DEBUG, "bot"):
        result = await world.ann.slash(world.channel, "interrogate", image=PNG)
    world.expect_errors()

    assert told_alone(result) == f"⚠️ {BusyDatabaseError()}"
    assert not result.deferred
    assert queue.jobs == []
    assert "Traceback" not in caplog.text
    assert "database is locked" in caplog.text


async def test_a_database_that_is_locked_while_a_picture_is_worked_on_costs_nobody_the_answer(
    make_world: MakeWorld, impatient: None, tmp_path: Path
) -> None:
    class LockingQueue(ScriptedQueue):
        async def submit(self, job: Job) -> AsyncIterator[Event]:
            held.enter_context(locked(tmp_path))
            yield Progress(Stage.SEARCH)
            yield answering()(job)

    world = await make_world(LockingQueue())

    with ExitStack() as held:
        result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert "red kite" in prompt_of(result)
    assert (await world.rows(world.ann))[0].state is State.QUEUED  # the next start shows it in the same message


async def test_a_database_that_is_gone_is_told(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make_world(ScriptedQueue())

    def refuse(*_: object, **__: object) -> object:
        raise ConnectionRefusedError("as asyncpg says it")

    monkeypatch.setattr(world.history._database, "_sessions", type("Sessions", (), {"begin": refuse})())
    result = await world.ann.slash(world.channel, "history")
    world.expect_errors()
    monkeypatch.undo()

    assert told_alone(result) == f"⚠️ {AbsentDatabaseError()}"


async def test_the_asker_deletes_the_reply_while_waiting(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue(Queued(2), answering()))
    world.env.inject_error("PATCH", EDIT, status=404, code=10008, times=None)
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    assert (await world.rows(world.ann))[0].state is State.DONE


async def test_a_surprise_is_told_as_a_reference_that_the_log_explains(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world(ScriptedQueue(RuntimeError("the secret inner workings")))

    with caplog.at_level(logging.ERROR):
        result = await world.ann.slash(world.channel, "interrogate", image=PNG)
    world.expect_errors()

    told = told_alone(result)
    assert "secret" not in told
    reference = told.split("`")[1]
    [record] = [record for record in caplog.records if reference in record.getMessage()]
    assert record.exc_info is not None
    assert "the secret inner workings" in str(record.exc_info[1])
    assert (await world.rows(world.ann))[0].state is State.FAILED


@pytest.mark.parametrize("private", [False, True])
async def test_an_answer_that_is_shown_stays_where_it_cannot_be_stored(
    make_world: MakeWorld, tmp_path: Path, private: bool
) -> None:
    world = await make_world(ScriptedQueue())
    with closing(sqlite3.connect(tmp_path / "bot.db")) as connection, connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON interrogations WHEN new.state = 'done' "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )

    result = await world.ann.slash(world.channel, "interrogate", image=PNG, private=private)
    world.expect_errors()

    assert "red kite" in prompt_of(result)
    [followup] = result.followups
    assert followup.ephemeral
    assert "Something went wrong" in followup.content


async def test_a_surprise_behind_a_button_is_told_too(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    first = await world.ann.slash(world.channel, "interrogate", image=PNG)
    world.bot.queue.events = (RuntimeError("the secret inner workings"),)

    result = await world.ann.click(first.response, label="Best")

    assert "Something went wrong" in told_alone(result)


async def test_a_picture_that_discord_has_lost(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make_world(ScriptedQueue())
    monkeypatch.setattr(world.env.backend.cdn, "get", lambda _url: None)

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert "does not have this picture any more" in told_alone(result)
    assert (await world.rows(world.ann))[0].state is State.FAILED


class KillingQueue:
    """The real queue; its worker is killed as soon as it has begun the first job."""

    def __init__(self, queue: LocalQueue) -> None:
        self.queue = queue
        self.killed: int | None = None

    async def submit(self, job: Job) -> AsyncIterator[Event]:
        async for event in self.queue.submit(job):
            if isinstance(event, Progress) and self.killed is None:
                self.killed = self.queue.worker_pid
                os.kill(self.killed, signal.SIGKILL)
            yield event

    async def cancel(self, job_id: JobId) -> None:
        await self.queue.cancel(job_id)

    def status(self) -> QueueStatus:
        return self.queue.status()


async def test_a_worker_that_is_killed_at_work_still_answers(
    make_world: MakeWorld, lite_queue: LocalQueue, samples: dict[str, bytes]
) -> None:
    queue = KillingQueue(lite_queue)
    world = await make_world(queue)
    picture = samples["cat.jpg"] + b"\0"  # no other test has asked for this one, whose answer would be known

    result = await world.ann.slash(world.channel, "interrogate", image=("cat.jpg", picture))

    assert queue.killed is not None
    assert lite_queue.worker_pid != queue.killed
    assert "cat" in prompt_of(result)
    assert (await world.rows(world.ann))[0].state is State.DONE


async def test_the_bot_needs_no_permission_in_the_channel(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    closed = world.guild.create_text_channel(
        "closed",
        overwrites={
            world.guild.default_role: discord.PermissionOverwrite(view_channel=False),
            world.ann: discord.PermissionOverwrite(view_channel=True),
        },
    )

    result = await world.ann.slash(closed, "interrogate", image=PNG)

    assert "red kite" in prompt_of(result)


async def test_a_stop_while_somebody_waits_tells_them_and_leaves_the_row_queued(make_world: MakeWorld) -> None:
    class StoppingQueue(ScriptedQueue):
        async def submit(self, job: Job) -> AsyncIterator[Event]:
            yield Queued(1)
            stopping.append(asyncio.create_task(world.bot.close()))
            await asyncio.Event().wait()

    stopping: list[asyncio.Task[None]] = []
    world = await make_world(StoppingQueue(), drain_seconds=0)

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert result.response.content == RESTARTING
    assert (await world.rows(world.ann))[0].state is State.QUEUED
    await stopping[0]


async def test_what_is_asked_during_a_stop_is_refused_to_the_person_alone(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    await world.bot.drain()

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert "takes nothing new" in told_alone(result)
    assert await world.rows(world.ann) == ()


async def test_a_stop_waits_for_an_answer_that_comes_in_time(make_world: MakeWorld) -> None:
    class DrainedQueue(ScriptedQueue):
        async def submit(self, job: Job) -> AsyncIterator[Event]:
            yield Progress(Stage.SEARCH)
            draining.append(asyncio.create_task(world.bot.drain()))
            while not world.bot.stopping:  # noqa: ASYNC110  the next turn of the loop
                await asyncio.sleep(0)
            yield answering()(job)

    draining: list[asyncio.Task[None]] = []
    world = await make_world(DrainedQueue())

    result = await world.ann.slash(world.channel, "interrogate", image=PNG)

    assert "red kite" in prompt_of(result)
    await draining[0]
    assert (await world.rows(world.ann))[0].state is State.DONE


async def test_an_interaction_that_discord_gave_up_leaves_a_row_that_says_so(make_world: MakeWorld) -> None:
    world = await make_world(ScriptedQueue())
    world.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062)

    await world.ann.slash(world.channel, "interrogate", image=PNG)
    world.expect_errors()

    [row] = await world.rows(world.ann)
    assert (row.state, row.error_message) == (State.FAILED, NOT_PROMISED)
