"""Who is let in to a worker that listens, and what strangers can do to it: nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import pytest
from asking import PATIENCE, job, outcome, prompt, until
from serving_kit import SECRET, connected, served, unix

from interrogator import handshake, wire
from interrogator.address import Address, TcpAddress, parse_address
from interrogator.handshake import NONCE_BYTES, Credentials, Greeting, Reason, Refusal, Welcome
from interrogator.queue.remote import connect
from interrogator.types import Failed

OTHER_SECRET = b"another secret of the right length"


@dataclass(frozen=True)
class Stranger:
    """A connection by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: wire.Message | bytes) -> None:
        self.writer.write(data if isinstance(data, bytes) else wire.encode(data))
        await self.writer.drain()

    async def hear(self, kind: type[handshake.M]) -> handshake.M:
        header = await self.reader.readexactly(wire.HEADER_BYTES)
        return msgspec.msgpack.decode(await self.reader.readexactly(wire.body_length(header)), type=kind)

    async def is_hung_up_on(self) -> bytes:
        """What is said before the other side ends the connection."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


@asynccontextmanager
async def stranger(address: Address) -> AsyncIterator[Stranger]:
    async with asyncio.timeout(PATIENCE):
        reader, writer = await connect(address)
        try:
            yield Stranger(reader, writer)
        finally:
            writer.transport.abort()


async def let_in(guest: Stranger, secret: bytes | None = SECRET) -> None:
    await handshake.introduce(guest.reader, guest.writer, secret)


@pytest.mark.parametrize(
    ("theirs", "ours", "sentence"),
    [
        (SECRET, OTHER_SECRET, "The image worker does not accept the secret: it must be the same on both sides."),
        (SECRET, None, "The image worker asks for a secret, and none is set here."),
        (None, SECRET, "The image worker has no secret, though one is set here: it may be another's."),
    ],
    ids=["another", "none here", "none there"],
)
async def test_without_the_same_secret_on_both_sides_nothing_is_answered(
    tmp_path_factory: pytest.TempPathFactory, theirs: bytes | None, ours: bytes | None, sentence: str
) -> None:
    address = parse_address(unix(tmp_path_factory.mktemp("s")))
    async with served(address, theirs) as server, connected(address, ours) as queue:
        assert await outcome(queue, job(b"a cat")) == Failed("worker_unreachable", sentence)
        async with connected(address, theirs) as friend:
            assert await prompt(friend, job(b"a cat")) == "a cat"
        assert server.queue.status().counters.images <= 1


async def test_a_socket_of_ones_own_needs_no_secret(tmp_path_factory: pytest.TempPathFactory) -> None:
    address = parse_address(unix(tmp_path_factory.mktemp("s")))
    async with served(address, None), connected(address, None) as queue:
        assert await prompt(queue, job(b"a cat")) == "a cat"


async def test_the_secret_is_never_sent() -> None:
    async with served() as server, stranger(server.address) as guest:
        greeting = await guest.hear(Greeting)
        assert greeting.secret
        said = wire.encode(Credentials(wire.PROTOCOL, b"n" * NONCE_BYTES, SECRET))
        await guest.say(said)  # who sends it in the place of a proof is a stranger
        assert await guest.hear(Refusal) == Refusal(Reason.SECRET)
        assert SECRET not in await guest.is_hung_up_on()


async def test_what_was_said_to_get_in_does_not_work_again() -> None:
    async with served() as server:
        async with stranger(server.address) as guest:
            greeting = await guest.hear(Greeting)
            nonce = b"n" * NONCE_BYTES
            proof = handshake.prove(SECRET, handshake.ASKS, greeting, nonce)
            heard = wire.encode(Credentials(wire.PROTOCOL, nonce, proof))
            await guest.say(heard)
            await guest.hear(Welcome)
        async with stranger(server.address) as thief:
            await thief.hear(Greeting)
            await thief.say(heard)
            assert await thief.hear(Refusal) == Refusal(Reason.SECRET)
            assert await thief.is_hung_up_on() == b""


async def test_a_proof_cannot_be_sent_back() -> None:
    async with served() as server, stranger(server.address) as guest:
        greeting = await guest.hear(Greeting)
        theirs = handshake.prove(SECRET, handshake.ANSWERS, greeting, greeting.nonce)
        await guest.say(Credentials(wire.PROTOCOL, greeting.nonce, theirs))
        assert await guest.hear(Refusal) == Refusal(Reason.SECRET)


async def test_a_worker_that_only_pretends_to_have_the_secret_gets_no_job() -> None:
    said: list[bytes] = []

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire.encode(Greeting(wire.PROTOCOL, b"n" * NONCE_BYTES, secret=True)))
        guest = Stranger(reader, writer)
        theirs = await guest.hear(Credentials)
        await guest.say(Welcome(theirs.proof))
        said.append(await guest.is_hung_up_on())
        writer.close()

    async with await asyncio.start_server(pretend, "127.0.0.1", 0) as impostor:
        address = TcpAddress("127.0.0.1", impostor.sockets[0].getsockname()[1])
        async with connected(address) as queue:
            answer = await outcome(queue, job(b"a secret picture"))
            assert isinstance(answer, Failed)
            assert "could not show that it has the secret" in answer.message
        await until(lambda: bool(said))
    assert set(said) == {b""}


async def test_another_version_is_told_so() -> None:
    async with served() as server, stranger(server.address) as guest:
        await guest.hear(Greeting)
        await guest.say(Credentials(wire.PROTOCOL + 1, b"n" * NONCE_BYTES, b""))
        assert await guest.hear(Refusal) == Refusal(Reason.PROTOCOL)


STRANGE = {
    "another protocol": b"GET / HTTP/1.1\r\n\r\n",
    "a frame of 4 GiB": b"\xff\xff\xff\xff",
    "no msgpack": b"\x00\x00\x00\x01\xc1",
    "a megabyte": bytes(1_000_000),
    "a message for those inside": wire.encode(wire.Hello(wire.PROTOCOL)),
    "a job": wire.encode(wire.Submit(job(b"a cat"))),
    "a nonce that is too short": wire.encode(Credentials(wire.PROTOCOL, b"short", b"")),
}


async def test_a_stranger_who_makes_no_sense_is_hung_up_on() -> None:
    async with served() as server:
        for name, nonsense in STRANGE.items():
            async with stranger(server.address) as guest:
                await guest.hear(Greeting)
                with contextlib.suppress(ConnectionError):  # it did not even listen to the end
                    await guest.say(nonsense)
                assert await guest.is_hung_up_on() == b"", name
        async with connected(server.address) as queue:
            assert await prompt(queue, job(b"a cat")) == "a cat"


async def test_who_says_nothing_or_dawdles_is_hung_up_on_in_time() -> None:
    async with (
        served(handshake_seconds=0.3) as server,
        stranger(server.address) as silent,
        stranger(server.address) as dawdler,
    ):
        await dawdler.hear(Greeting)
        await silent.hear(Greeting)
        dripping = asyncio.create_task(drip(dawdler, wire.encode(Credentials(wire.PROTOCOL, bytes(32), bytes(32)))))
        assert await silent.is_hung_up_on() == b""
        assert await dawdler.is_hung_up_on() == b""
        dripping.cancel()
        await asyncio.wait([dripping])


async def test_strangers_take_no_place_of_those_who_have_the_secret() -> None:
    async with served(max_strangers=2, handshake_seconds=0.5) as server, connected(server.address) as inside:
        await inside.wait_ready()
        async with stranger(server.address) as one, stranger(server.address) as other, stranger(server.address) as many:
            for guest in (one, other):
                await guest.hear(Greeting)
            assert await many.is_hung_up_on() == b""
            assert await prompt(inside, job(b"a cat")) == "a cat"
            async with connected(server.address) as patient:  # gets in when the strangers' time is over
                assert await prompt(patient, job(b"a dog")) == "a dog"


async def test_only_so_many_are_let_in() -> None:
    async with served(max_sessions=1) as server:
        async with connected(server.address) as inside:
            assert await prompt(inside, job(b"a cat")) == "a cat"
            async with stranger(server.address) as outside:
                assert await outside.is_hung_up_on() == b""
        async with connected(server.address) as following:
            assert await prompt(following, job(b"a dog")) == "a dog"


HELLO = wire.encode(wire.Hello(wire.PROTOCOL))
SENSELESS = {
    "no greeting": wire.encode(wire.Cancel(job(b"").id)),
    "a frame of 4 GiB": HELLO + b"\xff\xff\xff\xff",
    "a second greeting": HELLO * 2,
    "a worker's message": HELLO + wire.encode(wire.Ready()),
    "an id twice": HELLO + wire.encode(wire.Submit(job(b"wait", id="1"))) * 2,
    "half a header": HELLO + b"\x00\x00\x00",
    "half a frame": HELLO + b"\x00\x00\x01\x00half",
}


async def test_who_is_inside_and_makes_no_sense_is_hung_up_on_alone() -> None:
    async with served(frame_seconds=0.3) as server, connected(server.address) as inside:
        for name, nonsense in SENSELESS.items():
            async with stranger(server.address) as guest:
                await let_in(guest)
                await guest.say(nonsense)
                await guest.is_hung_up_on()
            assert await prompt(inside, job(name.encode())) == name
        assert server.queue.status().running == 0
        assert inside.status().restarts == 0


async def test_who_does_not_read_costs_the_others_nothing() -> None:
    """The connection's own buffers fill with the answer; the server waits for it and serves others."""
    async with (
        served(beat_seconds=0.01) as server,
        connected(server.address) as reading,
        stranger(server.address) as guest,
    ):
        await let_in(guest)
        guest.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can
        await guest.say(wire.encode(wire.Hello(wire.PROTOCOL)))
        await guest.say(wire.encode(wire.Submit(job(b"x" * 20_000_000))))
        await until(lambda: server.queue.status().counters.images == 1)
        assert await prompt(reading, job(b"a cat")) == "a cat"


async def drip(guest: Stranger, data: bytes) -> None:
    """A byte now and then."""
    for byte in data:
        await asyncio.sleep(0.05)
        try:
            await guest.say(bytes([byte]))
        except ConnectionError:
            return
