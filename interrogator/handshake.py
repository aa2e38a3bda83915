"""How a worker and who asks it, over a socket, know that the other has the shared secret; it is never sent.

The worker greets with a nonce; the other answers with its own nonce and an HMAC over both; then the worker proves
itself by another HMAC over them. Nonces are new for each connection, so that nothing can be replayed, and the two
proofs are of different labels, so that neither can be sent back as the other. Nothing of a stranger is read but one
frame of at most `MOST_BYTES`. What follows is neither encrypted nor signed.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from interrogator import wire
from interrogator.errors import WorkerUnreachableError

MOST_BYTES = 512
NONCE_BYTES = 32
ASKS, ANSWERS = b"interrogator asks   ", b"interrogator answers"  # of one length

Nonce = Annotated[bytes, msgspec.Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
Proof = Annotated[bytes, msgspec.Meta(max_length=32)]


class Reason(StrEnum):
    """Why a worker does not let somebody in."""

    SECRET = "secret"  # noqa: S105 - a word
    PROTOCOL = "protocol"


class Greeting(wire.Message, frozen=True):
    """From the worker; `secret` where it has one, and asks for it."""

    protocol: int
    nonce: Nonce
    secret: bool


class Credentials(wire.Message, frozen=True):
    """To the worker; the proof is empty where no secret is asked for."""

    protocol: int
    nonce: Nonce
    proof: Proof


class Welcome(wire.Message, frozen=True):
    """From the worker: come in. The proof is empty where it has no secret."""

    proof: Proof


class Refusal(wire.Message, frozen=True):
    """From the worker, its last message."""

    reason: Reason


Answer = Welcome | Refusal
M = TypeVar("M")

_greeting: msgspec.msgpack.Decoder[Greeting] = msgspec.msgpack.Decoder(Greeting)
_credentials: msgspec.msgpack.Decoder[Credentials] = msgspec.msgpack.Decoder(Credentials)
_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes | None) -> Reason | None:
    """The worker's side. None where the other has the secret, or none is asked for; else why it was refused.

    Raises `ProtocolError` for what is no handshake, `ConnectionError` where the connection ends. The caller bounds the
    time.
    """
    greeting = Greeting(wire.PROTOCOL, secrets.token_bytes(NONCE_BYTES), secret is not None)
    await _send(writer, greeting)
    theirs = await _receive(reader, _credentials)
    reason: Reason | None = None
    if theirs.protocol != wire.PROTOCOL:
        reason = Reason.PROTOCOL
    elif secret is not None and not hmac.compare_digest(theirs.proof, prove(secret, ASKS, greeting, theirs.nonce)):
        reason = Reason.SECRET
    if reason is not None:
        await _send(writer, Refusal(reason))
        return reason
    await _send(writer, Welcome(b"" if secret is None else prove(secret, ANSWERS, greeting, theirs.nonce)))
    return None


async def introduce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes | None) -> None:
    """The side of who asks; returns where both have shown that they have the secret, or neither has one.

    Raises `WorkerUnreachableError` where the worker refuses, or must not be trusted; `ProtocolError` and
    `ConnectionError` as `admit`. The caller bounds the time.
    """
    greeting = await _receive(reader, _greeting)
    if greeting.protocol != wire.PROTOCOL:
        raise _refused(Reason.PROTOCOL)
    if greeting.secret and secret is None:
        raise WorkerUnreachableError("The image worker asks for a secret, and none is set here.")
    if not greeting.secret and secret is not None:
        raise WorkerUnreachableError("The image worker has no secret, though one is set here: it may be another's.")
    nonce = secrets.token_bytes(NONCE_BYTES)
    await _send(
        writer,
        Credentials(wire.PROTOCOL, nonce, b"" if secret is None else prove(secret, ASKS, greeting, nonce)),
    )
    answer = await _receive(reader, _answer)
    if isinstance(answer, Refusal):
        raise _refused(answer.reason)
    if secret is not None and not hmac.compare_digest(answer.proof, prove(secret, ANSWERS, greeting, nonce)):
        raise WorkerUnreachableError("The image worker could not show that it has the secret: it may be another's.")


def prove(secret: bytes, label: bytes, greeting: Greeting, nonce: bytes) -> bytes:
    """The HMAC of this handshake; its parts are of fixed lengths, so that no two are the same bytes."""
    whole = label + greeting.protocol.to_bytes(8, "big") + greeting.nonce + nonce
    return hmac.digest(secret, whole, "sha256")


def _refused(reason: Reason) -> WorkerUnreachableError:
    if reason is Reason.PROTOCOL:
        return WorkerUnreachableError("The image worker is of another version of Interrogator.")
    return WorkerUnreachableError("The image worker does not accept the secret: it must be the same on both sides.")


async def _send(writer: asyncio.StreamWriter, message: wire.Message) -> None:
    writer.write(wire.encode(message))
    await writer.drain()


async def _receive(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[M]) -> M:
    try:
        header = await reader.readexactly(wire.HEADER_BYTES)
        length = int.from_bytes(header, "big")
        if length > MOST_BYTES:
            raise wire.ProtocolError(f"a frame of {length} bytes in a handshake")
        return decoder.decode(await reader.readexactly(length))
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the connection ended in the handshake") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise wire.ProtocolError(f"not a handshake: {error}") from error
