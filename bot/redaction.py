"""The last line of defence of the log: what looks like a secret is blotted out of every line, whoever wrote it.

Our own code logs none. Libraries put the address of a request, or the parameters of a statement, into the text of an
exception, and a traceback shows that.
"""

from __future__ import annotations

import logging
import re

BLOTTED = "[redacted]"

_RULES = (
    # The token of an interaction, which answers in the bot's name for 15 minutes: in the path of a request.
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w%.~-]+"), rf"\1{BLOTTED}"),
    # The signature of a file, or of a proxied one: in the query of an address at Discord's file servers.
    (re.compile(r"(\bhttps?://[^\s?'\"<>]+)\?[^\s'\"<>)\]]+"), rf"\1?{BLOTTED}"),
    (re.compile(r"\b((?:ex|is|hm)=)[0-9A-Za-z]+"), rf"\1{BLOTTED}"),
    # The bot's token: the number of the application in base64, a time and a signature.
    (re.compile(r"\b[MNO][\w-]{17,}\.[\w-]{4,}\.[\w-]{8,}"), BLOTTED),
    (re.compile(r"(?i)\b((?:bot|bearer) )[\w-]{4,}\.[\w.-]{8,}"), rf"\1{BLOTTED}"),
    # The password in the address of a database or a proxy.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)[^\s/@'\"]+@", re.IGNORECASE), rf"\1{BLOTTED}@"),
)


def redacted(text: str) -> str:
    """The text with what looks like a secret of Discord's or a database's replaced."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats as another formatter does, its traceback included, then redacts."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """As `logging.Formatter.format`."""
        return redacted(self._inner.format(record))


def redact_log() -> None:
    """From now on, redact what the handlers of the root logger write."""
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, RedactingFormatter):
            handler.setFormatter(RedactingFormatter(handler.formatter or logging.Formatter()))
