"""What crosses the pipe or socket between who asks and the worker: typed messages in length-prefixed frames.

A frame is four bytes of length, big-endian, and a msgpack body of at most `MAX_FRAME_BYTES`. Each side sends `Hello`
first; nothing else is understood before the versions agree. The bodies are decoded into the types below and nothing
else, so that neither side can be made to build an object of another kind. Over a socket, `interrogator.handshake` comes
before all of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

import msgspec

from interrogator.counters import WorkerCounters
from interrogator.types import Interrogation, Job, JobId, Measurement, Progress

PROTOCOL = 5
MAX_FRAME_BYTES = 64 * 1024 * 1024
HEADER_BYTES = 4
_EMPTY_IMAGE = b"\xa5image\xc4\x00"
"""The field of a job with an empty image, in msgpack. Only texts come before it, and no text has these bytes."""
_IMAGE = b"\xa5image\xc6"
"""What stands before four bytes of length, big-endian, and an image."""


class ProtocolError(Exception):
    """The other side sent what is not a frame of this protocol; the connection cannot go on."""


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of all messages; the class name is the tag."""


class Hello(Message, frozen=True):
    """First message of both sides."""

    protocol: int


class Submit(Message, frozen=True):
    """To the worker: answer this job; `alone` where it was running when a worker died, so that no other job dies with
    it."""

    job: Job
    alone: bool = False


class Cancel(Message, frozen=True):
    """To the worker: stop this job; unknown ids are ignored."""

    id: JobId


class Loading(Message, frozen=True):
    """From the worker, until `Ready`: how far the models are. After `Ready` where they are loaded again."""

    progress: Progress


class Ready(Message, frozen=True):
    """From the worker: the models of this profile are loaded, jobs are being taken."""

    profile: str = ""


class Heartbeat(Message, frozen=True):
    """From the worker, every second from its start: the process runs. `stalled` is the seconds for which what it works
    on (a batch, or loading) has shown no sign of getting on; 0 where it waits for work."""

    stalled: float = 0.0


class Statistics(Message, frozen=True):
    """From the worker, beside a heartbeat where they have changed."""

    counters: WorkerCounters


class Leaving(Message, frozen=True):
    """From a worker that is stopped on purpose: what it has not answered is to be sent to the next, and no job is to
    blame."""


class Fatal(Message, frozen=True):
    """From the worker, its last message: it cannot start, and starting it again at once would not help."""

    kind: str
    message: str


class JobQueued(Message, frozen=True):
    """From the worker: the job waits at this position (1 is next); `eta` is the seconds until its answer."""

    id: JobId
    position: int
    eta: float | None = None


class JobsStarted(Message, frozen=True):
    """From the worker: these jobs are being run; a crash from here on is laid at their door."""

    ids: tuple[JobId, ...]


class JobProgress(Message, frozen=True):
    """From the worker."""

    id: JobId
    progress: Progress


class JobDone(Message, frozen=True):
    """From the worker, the last message about this job."""

    id: JobId
    interrogation: Interrogation


class JobMeasured(Message, frozen=True):
    """From the worker, the last message about this job."""

    id: JobId
    measurement: Measurement


class JobFailed(Message, frozen=True):
    """From the worker, the last message about this job."""

    id: JobId
    kind: str
    message: str


class LogLine(Message, frozen=True):
    """From the worker: a record of its log, to be written to the log of the process that started it."""

    level: int
    text: str


ToWorker = Hello | Submit | Cancel
JobEnded = JobDone | JobMeasured | JobFailed
AboutJob = JobQueued | JobProgress | JobEnded
AboutWorker = Loading | Ready | Fatal | Statistics
FromWorker = Hello | AboutWorker | Heartbeat | Leaving | JobsStarted | AboutJob | LogLine

_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def encode(message: Message) -> bytes:
    """The whole frame. Raises `ProtocolError` where the body is over `MAX_FRAME_BYTES`."""
    body = _encoder.encode(message)
    return _header(message, len(body)) + body


def encode_in_parts(message: Message) -> tuple[bytes, ...]:
    """The whole frame, one part after another; an image is a part and not copied, which takes 10 ms where it has 10 MB.
    Raises as `encode`."""
    if not isinstance(message, Submit):
        return (encode(message),)
    image = message.job.image
    bare = _encoder.encode(Submit(replace(message.job, image=b""), message.alone))
    before, _, after = bare.partition(_EMPTY_IMAGE)
    before += _IMAGE + len(image).to_bytes(4, "big")
    return _header(message, len(before) + len(image) + len(after)) + before, image, after


def _header(message: Message, length: int) -> bytes:
    if length > MAX_FRAME_BYTES:
        raise ProtocolError(f"a {type(message).__name__} of {length} bytes is over the limit of {MAX_FRAME_BYTES}")
    return length.to_bytes(HEADER_BYTES, "big")


def body_length(header: bytes) -> int:
    """Bytes of the body that follows `header`. Raises `ProtocolError` where it is over `MAX_FRAME_BYTES`."""
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME_BYTES:
        raise ProtocolError(f"a frame of {length} bytes is over the limit of {MAX_FRAME_BYTES}")
    return length


def decode_to_worker(body: bytes) -> ToWorker:
    """Raises `ProtocolError` for anything else than one message to the worker."""
    try:
        return _to_worker.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"not a message to the worker: {error}") from error


def decode_from_worker(body: bytes) -> FromWorker:
    """Raises `ProtocolError` for anything else than one message from the worker."""
    try:
        return _from_worker.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"not a message from the worker: {error}") from error


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next body from a blocking stream; None at its end. Raises `ProtocolError` where it ends inside a frame."""
    header = stream.read(HEADER_BYTES)
    if not header:
        return None
    length = body_length(header) if len(header) == HEADER_BYTES else 0
    body = stream.read(length)
    if len(header) < HEADER_BYTES or len(body) < length:
        raise ProtocolError("the stream ended inside a frame")
    return body


def check_version(hello: Message) -> None:
    """Raises `ProtocolError` unless this is the greeting of our version."""
    if not isinstance(hello, Hello):
        raise ProtocolError(f"expected a greeting, got {type(hello).__name__}")
    if hello.protocol != PROTOCOL:
        raise ProtocolError(f"the other side speaks version {hello.protocol} of the protocol, this one {PROTOCOL}")
