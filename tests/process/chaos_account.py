"""What must hold after the chaos: one answer for each picture that was accepted, and a database that agrees."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from discord_interactions import WARNING, Asked, Message

Row = Mapping[str, Any]
SECRETS = ("interaction_token", "image_url", "origin", "unsent_answer")
FAILED = ("failed", "cancelled")
FINAL = ("done", *FAILED)
SURPRISE = "Something went wrong on my side"  # what the boundary says, in place of what the row says


def complaints(
    asked: Sequence[Asked], rows: Sequence[Row], *, unkept: Collection[int] = (), stops: Sequence[float] = ()
) -> list[str]:
    """What is wrong, a line each; nothing where all is well. `unkept` are the interactions of which the bot keeps no
    row: inquiries and presses of buttons, whose answers are lost where the bot is killed, or stopped (`stops`)."""
    of_interaction = defaultdict(list)
    for row in rows:
        of_interaction[row["interaction_id"]].append(row)
    known = {one.id for one in asked}
    wrong = [f"row {row['id']} is of no interaction" for row in rows if row["interaction_id"] not in known]
    wrong += [f"row {row['id']} is {row['state']}" for row in rows if row["state"] not in FINAL]
    wrong += [f"row {row['id']} keeps its {name}" for row in rows for name in SECRETS if row[name] is not None]
    for one in asked:
        lines = _of_unkept(one, stops) if one.id in unkept else _complaints(one, of_interaction[one.id])
        wrong += [f"interaction {one.id}: {line}" for line in lines]
    return wrong


def _of_unkept(asked: Asked, stops: Sequence[float]) -> list[str]:
    if asked.responded is None or (asked.pressed is not None and not asked.everything):  # nothing had to be said
        return []
    ends, stopped = asked.ends(), any(stop >= asked.pushed for stop in stops)
    if len(ends) > 1 or (not ends and not stopped):
        return [f"{len(ends)} answers to an inquiry: {_briefly(asked, ())}"]
    return []


def _complaints(asked: Asked, rows: Sequence[Row]) -> list[str]:
    if asked.responded is None:  # Discord has told the person that the bot did not respond
        return ["not accepted, and yet answered"] * bool(asked.everything)
    expected, ends = len(rows) or 1, asked.ends()
    wrong = []
    if len(ends) != expected:
        wrong.append(f"{len(ends)} answers for {expected} pictures: {_briefly(asked, rows)}")
    elif lines := _disagreement([end for _, end in ends], [message for message, _ in ends], rows):
        wrong += lines
    if asked.original is not None and asked.original.end() is None:
        wrong.append(f"what was promised says {asked.original.content!r} for ever: {_briefly(asked, rows)}")
    return wrong


def _disagreement(ends: Sequence[str], messages: Sequence[Message], rows: Sequence[Row]) -> list[str]:
    """Between what is shown, each in a message of its own, and what is stored."""
    wrong = []
    contents = [json.loads(end)[0] for end in ends]
    for row in rows:
        if row["state"] in FAILED:
            told = [text for text in contents if text in (f"{WARNING} {row['error_message']}",) or SURPRISE in text]
            if not told:
                wrong.append(f"row {row['id']} failed ({row['error_message']}), shown is {contents}")
            continue
        shown = [message for message in messages if message.id == row["message_id"]]
        if not shown:
            wrong.append(f"row {row['id']} is done in message {row['message_id']}, which shows nothing")
        elif row["prompt"] not in json.dumps(shown[0].embeds):
            wrong.append(f"row {row['id']} has another prompt than its message")
    return wrong


def _briefly(asked: Asked, rows: Sequence[Row]) -> str:
    stored = [(row["id"], row["state"], row["error_kind"], row["message_id"]) for row in rows]
    messages = [(message.id, message.content, message.ends) for message in asked.everything]
    return f"rows {stored}, messages {messages}, deferred {asked.deferred}"
