"""Messages survive the pipe, and nothing but messages does."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interrogator import wire
from interrogator.counters import WorkerCounters
from interrogator.types import (
    Contribution,
    Explanation,
    Group,
    Interrogation,
    Job,
    JobId,
    Measure,
    Measurement,
    Phrase,
    Progress,
    Stage,
)

integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False)
progress = st.builds(Progress, done=integers, total=integers)
measures = st.builds(Measure, top=integers)
jobs = st.builds(Job, deadline=st.none() | floats, measure=st.none() | measures)
interrogations = st.builds(
    Interrogation,
    width=integers,
    height=integers,
    phrases=st.lists(st.builds(Phrase, similarity=floats), max_size=3).map(tuple),
    similarity=floats,
    seconds=floats,
)
explanations = st.builds(
    Explanation,
    similarity=floats,
    phrases=st.lists(st.builds(Contribution, similarity_without=floats, contribution=floats), max_size=2).map(tuple),
)
groups = st.builds(Group, nearest=st.lists(st.tuples(st.text(), floats), max_size=2).map(tuple))
measurements = st.builds(
    Measurement,
    width=integers,
    height=integers,
    explanations=st.lists(explanations, max_size=2).map(tuple),
    groups=st.lists(groups, max_size=2).map(tuple),
    seconds=floats,
    frame=integers,
    frames=integers,
)
counts = st.dictionaries(st.text(), integers, max_size=3)
counters = st.builds(
    WorkerCounters,
    images=integers,
    batches=st.dictionaries(integers, integers, max_size=3),
    hits=counts,
    misses=counts,
    stage_seconds=st.dictionaries(st.sampled_from(Stage), floats),
)
anything_sent = st.one_of(
    st.builds(wire.Hello, integers),
    st.builds(wire.Submit, jobs, st.booleans()),
    st.builds(wire.Cancel),
)
anything_answered = st.one_of(
    st.builds(wire.Hello, integers),
    st.builds(wire.Loading, progress),
    st.builds(wire.Ready),
    st.builds(wire.Heartbeat, floats),
    st.builds(wire.Statistics, counters),
    st.just(wire.Leaving()),
    st.builds(wire.Fatal),
    st.builds(wire.JobQueued, position=integers, eta=st.none() | floats),
    st.builds(wire.JobsStarted),
    st.builds(wire.JobProgress, progress=progress),
    st.builds(wire.JobDone, interrogation=interrogations),
    st.builds(wire.JobMeasured, measurement=measurements),
    st.builds(wire.JobFailed),
    st.builds(wire.LogLine, level=integers),
)


def body_of(frame: bytes) -> bytes:
    body = wire.read_frame(io.BytesIO(frame))
    assert body is not None
    return body


@given(anything_sent)
def test_every_message_to_the_worker_arrives_as_it_was(message: wire.ToWorker) -> None:
    assert wire.decode_to_worker(body_of(wire.encode(message))) == message


@given(anything_sent | anything_answered)
def test_the_parts_of_a_frame_are_the_message(message: wire.Message) -> None:
    decode = wire.decode_to_worker if isinstance(message, wire.ToWorker) else wire.decode_from_worker
    assert decode(body_of(b"".join(wire.encode_in_parts(message)))) == message


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_535, 65_536, 1_000_000])
def test_an_image_of_any_size_is_a_part_of_its_frame_as_it_is(size: int) -> None:
    image = bytes(size)
    sent = wire.Submit(Job(id=JobId("\xa5image"), image=image), alone=True)
    parts = wire.encode_in_parts(sent)
    assert any(part is image for part in parts)
    assert wire.decode_to_worker(body_of(b"".join(parts))) == sent


@given(anything_answered)
def test_every_message_from_the_worker_arrives_as_it_was(message: wire.FromWorker) -> None:
    assert wire.decode_from_worker(body_of(wire.encode(message))) == message


@given(st.lists(st.binary(max_size=9)))
def test_frames_follow_one_another_to_the_end_of_the_stream(images: list[bytes]) -> None:
    sent = [wire.Submit(Job(id=JobId(str(number)), image=image)) for number, image in enumerate(images)]
    stream = io.BytesIO(b"".join(map(wire.encode, sent)))
    read = [wire.decode_to_worker(body) for body in iter(lambda: wire.read_frame(stream), None) if body is not None]
    assert read == sent


@given(st.binary(max_size=64))
def test_bytes_are_a_message_or_a_protocol_error(body: bytes) -> None:
    for decode in (wire.decode_to_worker, wire.decode_from_worker):
        try:
            message = decode(body)
        except wire.ProtocolError:
            continue
        assert isinstance(message, wire.Message)


@given(anything_answered, st.data())
def test_a_damaged_message_is_a_message_or_a_protocol_error(message: wire.FromWorker, data: st.DataObject) -> None:
    body = bytearray(body_of(wire.encode(message)))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = wire.decode_from_worker(bytes(body))
    except wire.ProtocolError:
        return
    assert isinstance(decoded, wire.Message)


@given(anything_sent, st.data())
def test_a_stream_that_ends_inside_a_frame_is_an_error(message: wire.ToWorker, data: st.DataObject) -> None:
    frame = wire.encode(message)
    cut = data.draw(st.integers(1, len(frame) - 1))
    with pytest.raises(wire.ProtocolError):
        wire.read_frame(io.BytesIO(frame[:cut]))


def test_the_end_of_the_stream_is_the_end() -> None:
    assert wire.read_frame(io.BytesIO(b"")) is None


@pytest.mark.parametrize("encode", [wire.encode, wire.encode_in_parts])
def test_too_large_a_message_is_not_sent(encode: Callable[[wire.Message], object]) -> None:
    with pytest.raises(wire.ProtocolError, match="over the limit"):
        encode(wire.Submit(Job(id=JobId("1"), image=bytes(wire.MAX_FRAME_BYTES))))


def test_too_large_a_frame_is_refused_before_it_is_read() -> None:
    with pytest.raises(wire.ProtocolError, match="over the limit"):
        wire.body_length((wire.MAX_FRAME_BYTES + 1).to_bytes(4, "big"))


def test_nested_beyond_reason_is_a_protocol_error() -> None:
    with pytest.raises(wire.ProtocolError):
        wire.decode_to_worker(b"\x91" * 1_000_000)
