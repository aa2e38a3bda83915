"""Whatever ends the work on a picture, its row ends too, and the answer that is there is shown."""

from __future__ import annotations

import asyncio

import pytest
from history_builders import an_ask, an_interrogation

from bot import conversation
from bot.conversation import ended_together, finished_even_if_stopped
from bot.history import History
from interrogator.errors import QueueFullError


async def state_after(history: History, error: BaseException, *, answered: bool) -> str:
    with pytest.raises(type(error)) as raised:
        row = await history.add(an_ask())
        async with ended_together(history, [row]):
            if answered:
                await history.finish(row, an_interrogation())
            raise error
    assert raised.value is error
    entry = await history.get(row)
    assert entry is not None
    return entry.state.value


async def test_a_stop_leaves_the_row_to_the_next_process(history: History) -> None:
    assert await state_after(history, asyncio.CancelledError(), answered=False) == "queued"


async def test_a_surprise_fails_all_rows_of_a_question_that_have_not_ended(history: History) -> None:
    answered, begun, waiting = await history.add_all([an_ask()] * 3)
    await history.finish(answered, an_interrogation())
    await history.start(begun)
    with pytest.raises(ZeroDivisionError):
        async with ended_together(history, [answered, begun, waiting]):
            raise ZeroDivisionError
    entries = [await history.get(row) for row in (answered, begun, waiting)]
    assert [entry.state.value for entry in entries if entry is not None] == ["done", "failed", "failed"]


async def test_a_stop_after_the_answer_was_stored_stays_a_stop_and_the_answer_stays(history: History) -> None:
    assert await state_after(history, asyncio.CancelledError(), answered=True) == "done"


async def test_a_refusal_fails_the_row(history: History) -> None:
    assert await state_after(history, QueueFullError("Full."), answered=False) == "failed"


class Message:
    """An answer that takes until it is let through to be shown."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.let_through = asyncio.Event()
        self.shown = False

    async def show(self) -> None:
        self.begun.set()
        await self.let_through.wait()
        self.shown = True

    async def stopped_while_it_is_shown(self) -> asyncio.Task[None]:
        task = asyncio.create_task(finished_even_if_stopped(self.show()))
        await self.begun.wait()
        task.cancel()
        return task


async def test_an_answer_on_its_way_is_shown_although_the_bot_is_stopped() -> None:
    message = Message()
    task = await message.stopped_while_it_is_shown()
    asyncio.get_running_loop().call_soon(message.let_through.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert message.shown


async def test_it_does_not_hold_up_the_stop_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "LAST_SECONDS", 0.01)
    message = Message()
    task = await message.stopped_while_it_is_shown()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not message.shown


async def test_what_goes_wrong_then_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def show() -> None:
        begun.set()
        await asyncio.sleep(0)
        raise RuntimeError("the database is gone")

    begun = asyncio.Event()
    task = asyncio.create_task(finished_even_if_stopped(show()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "the database is gone" in caplog.text
