"""The account of a run of chaos finds what it is there to find."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from chaos_account import complaints
from discord_interactions import DEFERRED_MESSAGE, WARNING, Asked
from discord_payloads import ANN_ID, Json

from bot.reply import A_MOMENT


def accepted() -> Asked:
    ids = itertools.count(1)
    asked = Asked(7, "token", ANN_ID, lambda: next(ids))
    asked.respond(DEFERRED_MESSAGE, {}, {})
    return asked


def shows(asked: Asked, *edits: Json) -> None:
    assert asked.original is not None
    for edit in edits:
        asked.original.write(edit, {})


def answer(prompt: str = "a cat") -> Json:
    return {"content": None, "embeds": [{"description": f"```{prompt}```"}]}


def failure(sentence: str) -> Json:
    return {"content": f"{WARNING} {sentence}", "embeds": []}


def row(**changes: Any) -> dict[str, Any]:
    erased = dict.fromkeys(("interaction_token", "image_url", "origin", "unsent_answer", "error_kind", "error_message"))
    return {"id": 1, "interaction_id": 7, "state": "done", "prompt": "a cat", "message_id": 1, **erased, **changes}


def complaint(asked: Asked, *rows: dict[str, Any]) -> str:
    (line,) = complaints([asked], rows)
    return line


def test_one_answer_shown_again_and_a_row_that_agrees_is_all_that_is_wanted() -> None:
    asked = accepted()
    shows(asked, {"content": A_MOMENT}, answer(), answer())
    assert complaints([asked], [row()]) == []


def test_a_failure_that_the_row_knows_is_an_answer() -> None:
    asked = accepted()
    shows(asked, failure("It took too long."))
    assert complaints([asked], [row(state="failed", error_message="It took too long.", message_id=None)]) == []


def test_what_was_not_accepted_needs_no_answer() -> None:
    assert complaints([Asked(7, "token", ANN_ID, int)], [row()]) == []


def test_no_answer_is_found() -> None:
    asked = accepted()
    shows(asked, {"content": A_MOMENT})
    unanswered, for_ever = complaints([asked], [row()])
    assert "0 answers for 1 pictures" in unanswered
    assert f"what was promised says {A_MOMENT!r} for ever" in for_ever


def test_two_different_answers_are_found() -> None:
    asked = accepted()
    shows(asked, answer(), failure("It took too long."), answer())
    assert "2 answers for 1 pictures" in complaint(asked, row())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "a dog"}, "another prompt"),
        ({"message_id": 9}, "which shows nothing"),
        ({"state": "failed", "error_message": "It took too long."}, "failed (It took too long.)"),
        ({"state": "running"}, "is running"),
        ({"interaction_token": "token"}, "keeps its interaction_token"),
        ({"interaction_id": 8}, "is of no interaction"),
    ],
)
def test_a_row_that_disagrees_is_found(changes: dict[str, Any], words: str) -> None:
    asked = accepted()
    shows(asked, answer())
    assert words in complaint(asked, row(**changes))


def test_an_inquiry_may_be_lost_where_the_bot_was_stopped_and_not_otherwise() -> None:
    asked = accepted()
    shows(asked, {"content": A_MOMENT})
    (line,) = complaints([asked], [], unkept={7})
    assert "0 answers to an inquiry" in line
    assert complaints([asked], [], unkept={7}, stops=[asked.pushed + 1]) == []
    assert complaints([asked], [], unkept={7}, stops=[asked.pushed - 1]) == [line]
    shows(asked, answer(), failure("It took too long."))
    assert "2 answers to an inquiry" in complaints([asked], [], unkept={7}, stops=[asked.pushed + 1])[0]


def test_the_pages_of_several_answers_are_none_of_them() -> None:
    asked = accepted()
    shows(asked, answer())
    pages = asked.follow_up({"content": "Together."}, {})
    pages.write({"embeds": [{"title": "Prompt \u00b7 1 of 2", "description": "```a cat```"}]}, {})
    assert complaints([asked], [row()]) == []
