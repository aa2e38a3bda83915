"""Pictures: what is refused unread, where they may come from, and that no stream is read beyond its limit."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from aiohttp import ClientSession, web
from yarl import URL

from bot import attachments
from bot.attachments import (
    Picture,
    check,
    download,
    is_on_discord,
    looks_like_a_picture,
    of_message,
    read_at_most,
    shown_name,
)
from interrogator.errors import EmptyImageError, ImageTooLargeError, InterrogatorError, UnreadableImageError

MIB = 2**20


def picture(name: str = "kite.png", **known: object) -> Picture:
    return Picture(name=name, url="https://cdn.discordapp.com/attachments/1/2/kite.png", **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content_type", "is_picture"),
    [
        ("kite.png", "image/png", True),
        ("kite.PNG", "", True),
        ("kite.heic", "image/heic", True),  # the worker says what it is
        ("kite.svg", "image/svg+xml", False),
        ("kite.mp4", "video/mp4", False),
        ("kite.png", "text/plain", False),
        ("kite", "application/octet-stream", False),
        ("kite.avif", "application/octet-stream", True),
    ],
)
def test_what_looks_like_a_picture(name: str, content_type: str, is_picture: bool) -> None:
    assert looks_like_a_picture(picture(name, content_type=content_type)) is is_picture


@pytest.mark.parametrize(
    ("size", "error"), [(0, EmptyImageError), (MIB + 1, ImageTooLargeError)], ids=["empty", "too large"]
)
def test_refused_unread(size: int, error: type[InterrogatorError]) -> None:
    with pytest.raises(error):
        check(picture(size=size), MIB)


@pytest.mark.parametrize("size", [1, MIB, None])
def test_accepted_unread(size: int | None) -> None:
    check(picture(size=size), MIB)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1&hm=2", True),
        ("https://media.discordapp.net/attachments/1/2/a.png", True),
        ("https://images-ext-1.discordapp.net/external/x/https/example.org/a.png", True),
        ("http://cdn.discordapp.com/attachments/1/2/a.png", False),
        ("https://cdn.discordapp.com:8443/a.png", False),
        ("https://cdn.discordapp.com.example.org/a.png", False),
        ("https://user@example.org/cdn.discordapp.com", False),
        ("https://user:pass@cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com@example.org/a.png", False),
        ("https://cdn.discordapp.com\\@example.org/a.png", False),
        ("https://example.org\\@cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com%2eexample.org/a.png", False),
        ("https://cdn.discordapp.com%00.example.org/a.png", False),
        ("https://cdn.discordapp.com\t.example.org/a.png", False),
        ("https://cdn.discordapp.com./a.png", False),
        ("https://xcdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com:443/a.png", False),
        ("https://cdn.discordapp.com#@example.org/a.png", True),  # only a fragment, which is not sent
        ("//cdn.discordapp.com/a.png", False),
        ("https:cdn.discordapp.com/a.png", False),
        ("https://[::ffff:127.0.0.1]/a.png", False),
        ("https://2130706433/a.png", False),
        ("ftp://cdn.discordapp.com/a.png", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("file:///etc/passwd", False),
        ("attachment://image.png", False),
        ("http://[bad", False),
        ("https://cdn.discordapp.com:99999/a.png", False),
    ],
)
def test_only_discord_s_own_hosts_are_asked(url: str, allowed: bool) -> None:
    assert is_on_discord(url) is allowed


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.png", "https://example.org/a.png", "http://[bad", ""])
async def test_an_attachment_that_is_elsewhere_is_not_asked_for(url: str) -> None:
    class Attachment:
        async def read(self) -> bytes:
            raise AssertionError("it is asked for")

    with pytest.raises(UnreadableImageError, match="not kept by Discord"):
        await download(Picture(name="a.png", url=url, attachment=Attachment()), MIB)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.7", "::1"])
async def test_discord_s_name_with_an_address_of_this_network_is_not_asked(
    address: str, answering_with_a_status: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **_hints: object) -> list[tuple[object, ...]]:
        asked.append(host)
        new = ":" in address
        where = (address, port, 0, 0) if new else (address, port)
        return [(socket.AF_INET6 if new else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)]

    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, *_, **hints: resolve(host, port, **hints))
    port = URL(answering_with_a_status).port
    with pytest.raises(UnreadableImageError, match="could not be fetched"):
        await download(Picture(name="a.png", url=f"http://cdn.discordapp.com:{port}/200?hm=5ecre7"), MIB)
    assert asked == ["cdn.discordapp.com"]
    assert f"leads to {address}" in caplog.text
    assert "5ecre7" not in caplog.text


async def test_a_picture_elsewhere_is_refused() -> None:
    with pytest.raises(UnreadableImageError, match="not kept by Discord"):
        await download(Picture(name="a.png", url="http://127.0.0.1:9/a.png"), MIB)


@pytest.fixture
async def endless(unused_tcp_port: int) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that sends for as long as anybody reads, and how much it got rid of."""
    sent = [0]

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while sent[0] < 64 * MIB:
                await response.write(bytes(64 * 1024))
                sent[0] += 64 * 1024
        except ConnectionResetError:
            pass
        return response

    application = web.Application()
    application.router.add_get("/", stream)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    try:
        yield f"http://127.0.0.1:{unused_tcp_port}/", sent
    finally:
        await runner.cleanup()


async def test_a_stream_is_not_read_beyond_its_limit(endless: tuple[str, list[int]]) -> None:
    url, sent = endless
    async with ClientSession() as session, session.get(url) as reply:
        with pytest.raises(ImageTooLargeError):
            await read_at_most(reply.content, MIB)
    assert sent[0] < 32 * MIB


@pytest.fixture
async def answering_with_a_status(unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A stand-in for Discord's file server that answers /404 with status 404, a body and a way elsewhere."""

    async def answer(request: web.Request) -> web.StreamResponse:
        status = int(request.match_info["status"])
        return web.Response(status=status, body=b"a picture", headers={"Location": "http://169.254.169.254/"})

    application = web.Application()
    application.router.add_get("/{status}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    monkeypatch.setattr(attachments, "is_on_discord", lambda _url: True)
    try:
        yield f"http://127.0.0.1:{unused_tcp_port}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def answering_packed(unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A server that sends 64 MiB of zeros, packed, whatever it is told to send."""
    packed = gzip.compress(bytes(64 * MIB), 1)

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    monkeypatch.setattr(attachments, "is_on_discord", lambda _url: True)
    try:
        yield f"http://127.0.0.1:{unused_tcp_port}/"
    finally:
        await runner.cleanup()


async def test_what_the_file_server_hands_over_is_read(answering_with_a_status: str) -> None:
    assert await download(Picture(name="a.png", url=f"{answering_with_a_status}/200"), MIB) == b"a picture"


async def test_a_packed_answer_is_not_unpacked(answering_packed: str) -> None:
    """A file of Discord's is never packed; a small packed one could unpack to any size."""
    data = await download(Picture(name="a.png", url=answering_packed), MIB)
    assert len(data) < MIB


@pytest.mark.parametrize("status", [204, 206, 301, 302, 403, 404, 410, 500])
async def test_anything_but_a_file_is_told_as_that(answering_with_a_status: str, status: int) -> None:
    gone = status in (403, 404, 410)
    words = "any more, or its link has expired" if gone else rf"could not be fetched from Discord \({status}\)"
    with pytest.raises(UnreadableImageError, match=words):
        await download(Picture(name="a.png", url=f"{answering_with_a_status}/{status}"), MIB)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (b"\x89PNG\r\n\x1a\n", ("image.png", True)),
        (b"\xff\xd8\xff\xe0", ("image.jpg", True)),
        (b"BM" + bytes(20), ("image.bmp", False)),
    ],
)
def test_the_file_of_an_answer_is_named_by_what_it_is(image: bytes, shown: tuple[str, bool]) -> None:
    assert shown_name(image) == shown


CDN = "https://cdn.discordapp.com/attachments/1/2/image.png"


def message(
    *embeds: dict[str, Any],
    attachments: tuple[str, ...] = (),
    stickers: tuple[Any, ...] = (),
    forwarded: tuple[Any, ...] = (),
) -> Any:
    def files(urls: tuple[str, ...]) -> list[Any]:
        return [SimpleNamespace(filename="image.png", url=url, size=9, content_type="image/png") for url in urls]

    return SimpleNamespace(
        attachments=files(attachments),
        message_snapshots=forwarded,
        stickers=stickers,
        embeds=[discord.Embed.from_dict({"type": "rich", **embed}) for embed in embeds],  # type: ignore[typeddict-item]
    )


def test_an_answer_is_read_from_its_thumbnail_where_discord_hides_the_attachment() -> None:
    [found] = of_message(
        message({"thumbnail": {"url": f"{CDN}?ex=1&hm=2", "proxy_url": "https://media.discordapp.net"}})
    )
    assert found.url == f"{CDN}?ex=1&hm=2"


def test_a_file_that_is_both_attached_and_shown_is_one_picture() -> None:
    shown = {
        "image": {"url": f"{CDN}?ex=1"},
        "thumbnail": {"url": CDN.replace("cdn.discordapp.com", "media.discordapp.net")},
    }
    assert len(of_message(message(shown, attachments=(f"{CDN}?ex=2",)))) == 1


def test_a_picture_from_the_web_is_read_from_discord_s_copy_only() -> None:
    copy = "https://images-ext-1.discordapp.net/external/x/https/example.org/kite.png"
    [found] = of_message(message({"image": {"url": "https://example.org/kite.png", "proxy_url": copy}}))
    assert found.url == copy
    assert of_message(message({"image": {"url": "https://example.org/kite.png"}})) == []


@pytest.mark.parametrize("address", ["http://[bad", "https://cdn.discordapp.com:99999/a.png"])
def test_an_address_that_is_none_is_left_out(address: str) -> None:
    assert of_message(message({"image": {"url": address}, "thumbnail": {"url": f"{CDN}?ex=1"}}))[0].url == f"{CDN}?ex=1"


def sticker(number: int, kind: discord.StickerFormatType) -> Any:
    data: Any = {"id": str(number), "name": f"kite {number}", "format_type": kind.value}
    return discord.StickerItem(state=None, data=data)  # type: ignore[arg-type]


def test_the_pictures_of_a_forwarded_message_are_found() -> None:
    forwarded = message({"image": {"url": f"{CDN}?kept=1"}}, attachments=(f"{CDN}2",))
    assert [found.url for found in of_message(message(forwarded=(forwarded,)))] == [f"{CDN}2", f"{CDN}?kept=1"]


def test_stickers_are_pictures_but_for_those_that_are_drawn_by_a_program() -> None:
    kinds = discord.StickerFormatType
    shown = [sticker(1, kinds.png), sticker(2, kinds.lottie), sticker(3, kinds.gif), sticker(4, kinds.apng)]
    found = of_message(message(stickers=tuple(shown)))
    assert [picture.name for picture in found] == ["kite 1.png", "kite 3.gif", "kite 4.png"]
    assert all(is_on_discord(picture.url) for picture in found)
