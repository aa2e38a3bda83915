"""The life of an interrogation: which states follow which, who wins a race, when secrets go."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from history_builders import ALICE, APPLICATION, GUILD, an_ask, an_interrogation
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError

from bot.database import Database
from bot.history import Entry, History, IllegalTransitionError, Page, Unfinished, UnknownInterrogationError, Viewer
from bot.models import InterrogationRow, State
from interrogator.errors import EmptyImageError
from interrogator.types import Mode

Move = Callable[[History, int], Awaitable[None]]

MOVES: dict[State, Move] = {
    State.QUEUED: lambda history, row: history.requeue(row),
    State.RUNNING: lambda history, row: history.start(row),
    State.DONE: lambda history, row: history.finish(row, an_interrogation()),
    State.FAILED: lambda history, row: history.fail(row, "deadline", "It took too long."),
    State.CANCELLED: lambda history, row: history.fail(row, "cancelled", "This was cancelled."),
}
FINAL = (State.DONE, State.FAILED, State.CANCELLED, State.EXPIRED)


async def secrets_of(database: Database, row: int) -> tuple[str | None, str | None]:
    query = text("SELECT interaction_token, image_url FROM interrogations WHERE id = :id")
    async with database.transaction() as session:
        token, url = (await session.execute(query, {"id": row})).one()
    return token, url


async def entry_of(history: History, row: int) -> Entry:
    entry = await history.get(row)
    assert entry is not None
    return entry


async def expire_all(history: History) -> int:
    return await history.expire_unfinished(await history.owners())


async def take_up_all(history: History) -> tuple[list[Unfinished], int]:
    return await history.take_up(await history.owners(), APPLICATION)


async def to(history: History, state: State, row: int) -> None:
    if state is State.EXPIRED:
        await expire_all(history)
    else:
        await MOVES[state](history, row)


async def test_an_ask_is_queued_then_running_then_done_with_its_answer(database: Database) -> None:
    times = iter(datetime(2026, 11, 23, 12, minute, tzinfo=UTC) for minute in range(3))
    history = History(database, now=lambda: next(times))

    row = await history.add(an_ask())
    queued = await entry_of(history, row)
    assert (queued.state, queued.prompt, queued.phrases, queued.started_at) == (State.QUEUED, None, (), None)
    assert (queued.user_id, queued.guild_id, queued.mode, queued.profile) == (ALICE, GUILD, Mode.FAST, "lite")

    await history.start(row)
    assert (await entry_of(history, row)).state is State.RUNNING

    answer = an_interrogation()
    await history.finish(row, answer, message_id=7)
    done = await entry_of(history, row)
    assert done.state is State.DONE
    assert (done.prompt, done.caption, done.phrases) == (answer.prompt, answer.caption, answer.phrases)
    assert (done.similarity, done.seconds, done.engine) == (answer.similarity, answer.seconds, answer.engine)
    assert (done.image_sha256, done.width, done.height) == (answer.sha256, answer.width, answer.height)
    assert done.message_id == 7
    assert (done.created_at.minute, done.started_at, done.finished_at) == (
        0,
        datetime(2026, 11, 23, 12, 1, tzinfo=UTC),
        datetime(2026, 11, 23, 12, 2, tzinfo=UTC),
    )


async def test_an_answer_that_was_ready_takes_a_row_from_queued_to_done(history: History) -> None:
    row = await history.add(an_ask())
    await history.finish(row, an_interrogation())
    assert (await entry_of(history, row)).state is State.DONE


async def test_a_failure_keeps_its_reason(history: History) -> None:
    row = await history.add(an_ask())
    await history.fail(row, "empty_image", "The file is empty.")
    entry = await entry_of(history, row)
    assert (entry.state, entry.error_kind, entry.error_message) == (State.FAILED, "empty_image", "The file is empty.")


async def test_an_answer_that_comes_after_cancel_is_refused_and_not_stored(history: History) -> None:
    row = await history.add(an_ask())
    await history.start(row)
    await history.fail(row, "cancelled", "This was cancelled.")
    before = await entry_of(history, row)

    with pytest.raises(IllegalTransitionError, match="This interrogation is already cancelled") as refused:
        await history.finish(row, an_interrogation(), message_id=7)

    assert (refused.value.current, refused.value.wanted) == (State.CANCELLED, State.DONE)
    assert await entry_of(history, row) == before


@pytest.mark.parametrize("final", FINAL)
async def test_a_final_state_never_changes(history: History, final: State) -> None:
    row = await history.add(an_ask())
    await to(history, final, row)
    before = await entry_of(history, row)
    for move in MOVES.values():
        with pytest.raises(IllegalTransitionError):
            await move(history, row)
    assert await expire_all(history) == 0
    assert await entry_of(history, row) == before


@pytest.mark.parametrize("final", FINAL)
async def test_token_and_url_are_kept_until_a_final_state_and_erased_in_it(database: Database, final: State) -> None:
    history = History(database)
    ask = an_ask()
    row = await history.add(ask)
    await history.start(row)
    assert await secrets_of(database, row) == (ask.interaction_token, ask.image_url)
    await to(history, final, row)
    assert await secrets_of(database, row) == (None, None)


async def test_the_database_itself_refuses_a_finished_row_that_keeps_its_token(database: Database) -> None:
    row = await History(database).add(an_ask())
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(text("UPDATE interrogations SET state = 'done' WHERE id = :id"), {"id": row})


async def test_the_database_itself_refuses_a_state_that_is_none(database: Database) -> None:
    row = await History(database).add(an_ask())
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(text("UPDATE interrogations SET state = 'lost' WHERE id = :id"), {"id": row})


async def test_of_many_that_end_a_row_at_once_one_wins(history: History) -> None:
    for _ in range(10):
        row = await history.add(an_ask())
        await history.start(row)
        endings = [MOVES[state] for state in (State.DONE, State.CANCELLED, State.FAILED)] * 2
        outcomes = await asyncio.gather(*(ending(history, row) for ending in endings), return_exceptions=True)
        assert outcomes.count(None) == 1
        assert sum(isinstance(outcome, IllegalTransitionError) for outcome in outcomes) == len(endings) - 1


async def test_at_a_new_start_what_was_left_unfinished_is_expired(history: History) -> None:
    queued, running, done = [await history.add(an_ask()) for _ in range(3)]
    await history.start(running)
    await history.finish(done, an_interrogation())

    assert await expire_all(history) == 2

    for row in (queued, running):
        entry = await entry_of(history, row)
        assert entry.state is State.EXPIRED
        assert entry.error_message == "The bot was restarted before this was answered. Please send the image again."
        assert entry.finished_at is not None
    assert (await entry_of(history, done)).state is State.DONE
    assert await expire_all(history) == 0


async def test_at_a_new_start_what_discord_still_takes_is_taken_up_with_all_that_is_needed(database: Database) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    history = History(database, now=lambda: now)
    ask = an_ask(token_ends_at=now + timedelta(seconds=1), further=True)
    running, late, of_before, done = await history.add_all(
        [ask, an_ask(token_ends_at=now), an_ask(token_ends_at=None), ask]
    )
    await history.start(running)
    await history.set_message(running, 11)
    await history.keep_answer(running, an_interrogation())
    await history.finish(done, an_interrogation())

    unfinished, expired = await take_up_all(history)

    assert unfinished == [Unfinished(id=running, ask=ask, message_id=11, answer=an_interrogation())]
    assert expired == 2
    taken = await entry_of(history, running)
    assert (taken.state, taken.started_at) == (State.QUEUED, None)
    for row in (late, of_before):
        entry = await entry_of(history, row)
        assert entry.state is State.EXPIRED
        assert "Please send the image again" in (entry.error_message or "")
        assert await secrets_of(database, row) == (None, None)
    assert (await entry_of(history, done)).state is State.DONE


async def test_an_answer_that_waits_to_be_sent_is_kept_whole_whatever_is_in_it(history: History) -> None:
    answer = an_interrogation(prompt="\ud800 \0 ünï", note="a note", stopped_early=True)
    row = await history.add(an_ask())
    await history.keep_answer(row, answer)
    ([unfinished], _) = await take_up_all(history)
    assert unfinished.answer == answer


async def test_a_failure_that_waits_to_be_told_is_kept_and_stays_untold_until_the_row_ends(history: History) -> None:
    row = await history.add(an_ask())
    await history.keep_failure(row, "empty_image", "The file is empty.")
    ([unfinished], _) = await take_up_all(history)
    assert isinstance(unfinished.failure, EmptyImageError)
    assert str(unfinished.failure) == "The file is empty."
    await history.fail(row, "empty_image", "The file is empty.")
    with pytest.raises(IllegalTransitionError):
        await history.keep_failure(row, "empty_image", "The file is empty.")
    assert await take_up_all(history) == ([], 0)


async def test_a_failed_row_remembers_its_message_only_where_that_stays(history: History) -> None:
    alone, further = [await history.add(an_ask()) for _ in range(2)]
    for row in (alone, further):
        await history.set_message(row, 11)
    await history.fail(alone, "deadline", "It took too long.")
    await history.fail(further, "deadline", "It took too long.", message_id=11)
    assert [(await entry_of(history, row)).message_id for row in (alone, further)] == [None, 11]


async def test_an_answer_of_another_version_is_made_again(database: Database) -> None:
    history = History(database)
    row = await history.add(an_ask())
    async with database.transaction() as session:
        statement = text("UPDATE interrogations SET unsent_answer = '{\"text\": 1}' WHERE id = :id")
        await session.execute(statement, {"id": row})
    ([unfinished], _) = await take_up_all(history)
    assert (unfinished.id, unfinished.answer) == (row, None)


async def test_the_token_is_not_in_what_is_printed_of_a_row(history: History) -> None:
    await history.add(an_ask())
    unfinished, _ = await take_up_all(history)
    assert an_ask().interaction_token not in repr(unfinished)
    assert an_ask().image_url not in repr(unfinished)


@pytest.mark.parametrize("final", FINAL)
async def test_an_unsent_answer_is_erased_in_a_final_state_and_not_kept_after_it(
    database: Database, final: State
) -> None:
    history = History(database)
    row = await history.add(an_ask())
    await history.keep_answer(row, an_interrogation())
    await to(history, final, row)
    with pytest.raises(IllegalTransitionError):
        await history.keep_answer(row, an_interrogation())
    async with database.transaction() as session:
        assert await session.scalar(select(InterrogationRow.unsent_answer).where(InterrogationRow.id == row)) is None


async def test_the_message_of_an_answer_can_be_set_later_and_a_finish_without_one_keeps_it(history: History) -> None:
    row = await history.add(an_ask())
    await history.set_message(row, 11)
    await history.finish(row, an_interrogation())
    assert (await entry_of(history, row)).message_id == 11
    await history.set_message(row, 12)
    assert (await entry_of(history, row)).message_id == 12


async def test_an_id_that_is_not_there_is_unknown(history: History) -> None:
    assert await history.get(404) is None
    for move in (*MOVES.values(), lambda history, row: history.set_message(row, 1)):
        with pytest.raises(UnknownInterrogationError, match="not in the history"):
            await move(history, 404)


async def test_the_id_of_a_deleted_row_is_not_given_again(database: Database) -> None:
    """Buttons carry ids: an old message must not lead to somebody else's row."""
    history = History(database)
    row = await history.add(an_ask())
    async with database.transaction() as session:
        await session.execute(delete(InterrogationRow).where(InterrogationRow.id == row))
    assert await history.add(an_ask()) > row


async def test_writers_that_are_cancelled_leave_the_database_usable(history: History) -> None:
    for patience in range(20):
        task = asyncio.create_task(history.add(an_ask()))
        for _ in range(patience):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    row = await history.add(an_ask())
    await history.finish(row, an_interrogation())
    assert (await entry_of(history, row)).state is State.DONE


class Lives(RuleBasedStateMachine):
    """Any sequence of moves on any rows, beside a model of what must happen: a dictionary of states."""

    rows: Bundle[int] = Bundle("rows")

    def __init__(self, runner: asyncio.Runner, history: History, users: Iterator[int]) -> None:
        super().__init__()
        self.runner = runner
        self.history = history
        self.states: dict[int, State] = {}
        self.user = next(users)  # the examples before have left their rows
        self.run(expire_all(history))

    def run(self, work: Any) -> Any:
        async def awaited() -> Any:
            return await work

        return self.runner.run(awaited())

    @rule(target=rows)
    def add(self) -> int:
        row: int = self.run(self.history.add(an_ask(user_id=self.user)))
        assert row not in self.states
        self.states[row] = State.QUEUED
        return row

    @rule(row=rows, wanted=st.sampled_from(list(MOVES)))
    def move(self, row: int, wanted: State) -> None:
        current = self.states[row]
        legal = current is State.QUEUED or (current is State.RUNNING and wanted is not State.RUNNING)
        try:
            self.run(MOVES[wanted](self.history, row))
        except IllegalTransitionError as error:
            assert not legal
            assert (error.current, error.wanted) == (current, wanted)
        else:
            assert legal
            self.states[row] = wanted

    @rule()
    def restart(self) -> None:
        unfinished = [row for row, state in self.states.items() if state in {State.QUEUED, State.RUNNING}]
        assert self.run(expire_all(self.history)) == len(unfinished)
        self.states |= dict.fromkeys(unfinished, State.EXPIRED)

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        everything: Page = self.run(self.history.page(self.user, Viewer(self.user), limit=1 + len(self.states)))
        assert {entry.id: entry.state for entry in everything.entries} == self.states
        for entry in everything.entries:
            state = entry.state
            assert (entry.finished_at is not None) == (state in FINAL)
            assert (entry.prompt is not None) == (state is State.DONE)
            assert entry.finished_at is None or entry.finished_at >= entry.created_at


def test_any_sequence_of_moves_ends_as_the_model_says(history_file: tuple[asyncio.Runner, History]) -> None:
    users = itertools.count(1)
    run_state_machine_as_test(
        lambda: Lives(*history_file, users),
        settings=settings(
            max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
