"""What a person is told of trouble that is not theirs: one sentence with what to do, and nothing of this machine."""

from __future__ import annotations

import re
from http import HTTPStatus

import aiohttp
import discord

from bot.speech import said
from interrogator.errors import (
    FetchError,
    InterrogatorError,
    ModelDamagedError,
    ModelMissingError,
    ProfileError,
    VocabularyError,
    WorkerAddressError,
    WorkerUnreachableError,
)

MODELS_MISSING = (
    "The models that this bot needs are not ready on its machine, so it cannot answer pictures now. "
    "Please tell whoever runs it: `python -m bot doctor` says what is missing."
)
NOT_ALLOWED = (
    "Discord does not let me do that here. Please ask a moderator to allow me View Channel, Send Messages, Embed Links "
    "and Attach Files in this channel."
)
OUTAGE = "Discord has trouble at the moment. Please try again in a minute."
SLOW_DOWN = "Discord asks me to slow down. Please try again in a minute."
IN_THE_HISTORY = "The answer itself is in your /history."

# Their texts name files and settings, for whoever runs the bot; the log has them.
_OF_THE_OPERATOR = frozenset(
    error.kind
    for error in (
        FetchError,
        ModelDamagedError,
        ModelMissingError,
        ProfileError,
        VocabularyError,
        WorkerAddressError,
        WorkerUnreachableError,
    )
)
# From the root, two folders deep at least: `/history` is a command.
_PATH = re.compile(r"(?<![\w/.:])(?:~|[A-Za-z]:)?[/\\][\w.@+~-]+(?:[/\\]+[\w.@+~-]+)+[/\\]?|~[/\\][\w.@+~-]+")
_A_FILE = "a file of the bot's machine"


def told(error: InterrogatorError) -> str:
    """The error as its sentence for a person in Discord, without a path."""
    return MODELS_MISSING if error.kind in _OF_THE_OPERATOR else _PATH.sub(_A_FILE, str(error))


def of_discord(error: Exception) -> str | None:
    """The sentence where Discord refuses, has an outage or cannot be reached; None where it is none of that."""
    match error:
        case discord.Forbidden():
            return NOT_ALLOWED
        case discord.RateLimited() | discord.HTTPException(status=HTTPStatus.TOO_MANY_REQUESTS):
            return SLOW_DOWN
        case discord.HTTPException(status=status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return OUTAGE
        case aiohttp.ClientError():
            return OUTAGE
        case _:
            return None


def not_shown(error: Exception, *, kept: bool) -> str:
    """The sentence where an answer is there and Discord did not take it; `kept` where the history has it."""
    sentence = of_discord(error) or OUTAGE
    return f"{said(sentence)} {said(IN_THE_HISTORY)}" if kept else sentence
