"""What only a queue with a child process shows; `test_queue_contract.py` has the rest."""

from __future__ import annotations

import logging

import pipelines
import pytest
from asking import events, job, outcome, prompt, queue_of

from interrogator.types import Failed, Progress, Stage


async def test_who_waits_for_the_models_sees_them_load() -> None:
    async with queue_of() as queue:
        seen = await events(queue, job(b"a cat"))
        loading = [event for event in seen if isinstance(event, Progress) and event.stage is Stage.LOAD]
        assert loading[-1] == Progress(Stage.LOAD, 2, 2)


async def test_an_unexpected_error_reaches_the_log_and_not_the_person(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_of() as queue:
        answer = await outcome(queue, job(pipelines.RAISES))
        assert isinstance(answer, Failed)
        assert answer.kind == "internal"
        assert "secret" not in answer.message
        reference = answer.message.split("reference ")[1].split(")")[0]
        assert reference in caplog.text
        assert "ZeroDivisionError: a secret detail" in caplog.text
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0


async def test_what_a_library_prints_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "interrogator.worker")
    async with queue_of() as queue:
        assert await prompt(queue, job(pipelines.PRINTS)) == "print"
        assert await prompt(queue, job(b"the next")) == "the next"
        assert queue.status().restarts == 0
    assert "a stray line" in caplog.text
