"""What looks like a secret is blotted out of the log, tracebacks included; nothing else is."""

from __future__ import annotations

import io
import logging

import pytest

from bot.redaction import BLOTTED, RedactingFormatter, redact_log, redacted

TOKEN = ".".join(("MTIzNDU2Nzg5MDEyMzQ1Njc4", "GhIjKl", "n" * 27))  # of the form that Discord's have
INTERACTION = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OnRva2Vu"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Connection timeout to host https://discord.com/api/v10/interactions/1/{INTERACTION}/callback", INTERACTION),
        (f"PATCH https://discord.com/api/v10/webhooks/800/{INTERACTION}/messages/@original has failed", INTERACTION),
        (f"url='https://discord.com/api/v10/webhooks/800/{INTERACTION}'", INTERACTION),
        ("GET https://cdn.discordapp.com/attachments/1/2/a.png?ex=66&is=65&hm=5ecre7& failed", "5ecre7"),
        ("https://images-ext-1.discordapp.net/external/x/%3Fkey%3D1/https/a.org/b.png?width=9&key=5ecre7", "5ecre7"),
        ("path '/attachments/1/2/a.png?ex=66&is=65&hm=5ecre7&'", "5ecre7"),
        (f"token {TOKEN} was refused", TOKEN),
        (f"Authorization: Bot {TOKEN}", TOKEN),
        ("Authorization: Bot abcd-efg.hijk.lmnopqrst", "lmnopqrst"),
        ("postgresql+asyncpg://bot:hunter2@db/history cannot be reached", "hunter2"),
    ],
)
def test_a_secret_is_blotted_out(text: str, secret: str) -> None:
    assert secret not in redacted(text)
    assert BLOTTED in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "interrogation 12: turbo asked by user 800000000000000004",
        'worker 4711 ended with status -9:\nTraceback (most recent call last):\n  File "/srv/bot/x.py", line 3, in y',
        "health and metrics at http://127.0.0.1:9090",
        "Shard ID None has connected to Gateway (Session ID: 0123456789abcdef).",
        "GET https://discord.com/api/v10/users/@me has returned 200",
        "the database sqlite+aiosqlite:///var/interrogator.db",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_traceback_is_redacted_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(logging.Formatter("%(levelname)s %(message)s")))
    log = logging.Logger("of this test")
    log.addHandler(handler)
    try:
        raise TimeoutError(f"https://discord.com/api/v10/webhooks/800/{INTERACTION}")
    except TimeoutError:
        log.exception("reference %s", "0123abcd")
    said = stream.getvalue()
    assert said.startswith("ERROR reference 0123abcd\nTraceback")
    assert INTERACTION not in said


def test_every_handler_of_the_root_logger_redacts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = [logging.StreamHandler(io.StringIO()), logging.StreamHandler(io.StringIO())]
    handlers[0].setFormatter(logging.Formatter("%(message)s"))
    monkeypatch.setattr(logging.getLogger(), "handlers", handlers)
    redact_log()
    formatters = [handler.formatter for handler in handlers]
    assert all(isinstance(formatter, RedactingFormatter) for formatter in formatters)
    redact_log()
    assert [handler.formatter for handler in handlers] == formatters
