"""What people are told of trouble: what to do, and nothing of the machine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.connection import AbsentDatabaseError, BusyDatabaseError
from bot.trouble import MODELS_MISSING, NOT_ALLOWED, OUTAGE, SLOW_DOWN, not_shown, of_discord, told
from interrogator.errors import (
    CancelledError,
    DeadlineError,
    InterrogatorError,
    ModelDamagedError,
    ModelMissingError,
    QueueFullError,
    UnreadableImageError,
    UnsupportedOptionError,
    VocabularyError,
)


def refusal(kind: type[discord.HTTPException], status: int, code: int = 0) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="of a test")
    return kind(response, {"code": code, "message": "no"})


@pytest.mark.parametrize(
    "error",
    [
        ModelMissingError("The model x is not on this machine; it will be stored in /home/bot/.cache/hub."),
        ModelDamagedError("The captioner in /srv/models/blip cannot be loaded."),
        VocabularyError("There is no folder /home/bot/lists."),
    ],
)
def test_what_only_the_operator_can_mend_names_the_operator_s_command(error: InterrogatorError) -> None:
    assert told(error) == MODELS_MISSING
    assert "python -m bot doctor" in MODELS_MISSING


@pytest.mark.parametrize(
    "error",
    [
        UnreadableImageError("That file is a PNG that ends early: a part is missing. Please send it again."),
        UnreadableImageError("`a/b/c.png` is not a picture."),
        UnsupportedOptionError("There is no profile “x/y”. Available: lite, ViT-L-14/openai. See /help or /history."),
        QueueFullError("You have 3 images in the queue already."),
        BusyDatabaseError(),
        AbsentDatabaseError(),
        DeadlineError(),
        CancelledError(),
    ],
)
def test_every_other_sentence_is_told_as_it_is(error: InterrogatorError) -> None:
    assert told(error) == str(error)


@pytest.mark.parametrize(
    "path", ["/home/bot/models/x.pt", "/srv/lists/", "~/lists/mine.txt", r"C:\Users\bot\x.pt", "/etc/passwd"]
)
def test_a_path_is_not_told(path: str) -> None:
    assert told(UnsupportedOptionError(f"{path} is no checkpoint.")) == "a file of the bot's machine is no checkpoint."
    assert path not in told(UnsupportedOptionError(f"There is no “{path}”: see it."))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (refusal(discord.Forbidden, 403, 50013), NOT_ALLOWED),
        (refusal(discord.Forbidden, 403, 50001), NOT_ALLOWED),
        (refusal(discord.DiscordServerError, 503), OUTAGE),
        (refusal(discord.HTTPException, 429), SLOW_DOWN),
        (discord.RateLimited(30.0), SLOW_DOWN),
        (aiohttp.ServerDisconnectedError(), OUTAGE),
        (refusal(discord.HTTPException, 400, 50035), None),
        (refusal(discord.NotFound, 404, 10008), None),
        (ZeroDivisionError(), None),
    ],
)
def test_discord_s_own_trouble_is_named(error: Exception, sentence: str | None) -> None:
    assert of_discord(error) == sentence


def test_an_answer_that_cannot_be_shown_is_where_it_can_be_found() -> None:
    forbidden = refusal(discord.Forbidden, 403)
    assert not_shown(forbidden, kept=True) == f"{NOT_ALLOWED} The answer itself is in your /history."
    assert "/history" in not_shown(ConnectionResetError(), kept=True)


def test_nobody_is_sent_to_a_history_that_does_not_have_it() -> None:
    assert not_shown(refusal(discord.Forbidden, 403), kept=False) == NOT_ALLOWED
    assert not_shown(ConnectionResetError(), kept=False) == OUTAGE
