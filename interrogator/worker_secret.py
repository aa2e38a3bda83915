"""The secret that a worker which runs by itself shares with those who may ask it. It is never an argument: those are
for everybody on the machine to see."""

from __future__ import annotations

import os
from pathlib import Path

from interrogator.errors import WorkerAddressError

SECRET_VARIABLE = "INTERROGATOR_WORKER_SECRET"  # noqa: S105 - a name
LEAST_LENGTH = 16
MOST_BYTES = 4096
HINT = "Make one with: openssl rand -hex 32"


def read_secret(file: Path | None) -> bytes | None:
    """The content of the file, else of the variable `INTERROGATOR_WORKER_SECRET`; None where there is neither.

    Raises `WorkerAddressError` for a file that cannot be read and a secret that is too short.
    """
    if file is not None:
        return check_secret(_read(file))
    text = os.environ.get(SECRET_VARIABLE, "")
    return check_secret(text) if text else None


def check_secret(text: str) -> bytes:
    """Without the space around it. Raises `WorkerAddressError` where it is too short to be one."""
    secret = text.strip()
    if len(secret) < LEAST_LENGTH:
        raise WorkerAddressError(f"The secret of the worker has fewer than {LEAST_LENGTH} characters. {HINT}.")
    return secret.encode("utf-8", "surrogateescape")


def _read(file: Path) -> str:
    try:
        with file.expanduser().open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise WorkerAddressError(f"The secret {file} cannot be read: {error.strerror or error}.") from error
    if len(content) > MOST_BYTES:
        raise WorkerAddressError(f"The secret {file} has more than {MOST_BYTES} bytes.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise WorkerAddressError(f"The secret {file} is no text.") from None
