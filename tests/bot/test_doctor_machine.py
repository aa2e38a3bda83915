"""What the doctor sees on this machine, and how it writes it."""

from __future__ import annotations

import asyncio
import base64
import shutil
import time
from collections import namedtuple
from pathlib import Path

import pytest
from aiohttp import web

from bot.doctor.findings import Finding, Level, as_json, failure, is_well, ok, warning
from bot.doctor.machine import application_of, check_clock, check_port, check_space, check_token
from bot.settings import Settings

TOKEN = f"{base64.urlsafe_b64encode(b'123456789012345678').decode().rstrip('=')}.GhIjKl.{'n' * 27}"
Usage = namedtuple("Usage", ("total", "used", "free"))


def test_a_token_names_its_application() -> None:
    assert application_of(TOKEN) == 123456789012345678


@pytest.mark.parametrize(
    "word", ["", "secret", "a.b", "a.b.c", "!.b.c", f"{TOKEN}.x", TOKEN.replace("M", "ü", 1), "..."]
)
def test_what_is_no_token_names_none(word: str) -> None:
    assert application_of(word) is None


@pytest.mark.parametrize(
    ("token", "offline", "level"),
    [
        (TOKEN, False, Level.OK),
        ("a-client-secret", False, Level.WARNING),
        (None, False, Level.FAILURE),
        (None, True, Level.WARNING),
    ],
)
def test_a_token_is_judged_and_never_shown(token: str | None, offline: bool, level: Level) -> None:
    finding = check_token(Settings(token=token), offline=offline)
    assert finding.level is level
    assert token is None or token not in str(finding)


@pytest.mark.parametrize(("free", "level"), [(2**34, Level.OK), (2**29, Level.WARNING), (2**20, Level.FAILURE)])
def test_room_is_judged_for_a_folder_that_need_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2**40, 0, free))
    folder = tmp_path / "not" / "made yet"
    finding = check_space("cache", folder, "a lot")
    assert finding.level is level
    assert not folder.parent.exists()


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert check_space("cache", tmp_path / "file" / "cache", "a lot").level is Level.FAILURE


async def test_a_port_that_is_free_or_not_wanted(unused_tcp_port: int) -> None:
    assert (await check_port(unused_tcp_port)).level is Level.OK
    assert (await check_port(0)).level is Level.OK


async def test_a_port_that_another_program_has() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        finding = await check_port(server.sockets[0].getsockname()[1])
    assert finding.level is Level.FAILURE
    assert "another program" in finding.text


async def test_a_port_that_a_bot_serves(unused_tcp_port: int) -> None:
    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    application = web.Application()
    application.router.add_get("/healthz", alive)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
        finding = await check_port(unused_tcp_port)
    finally:
        await runner.cleanup()
    assert finding.level is Level.OK
    assert "a bot serves it now" in finding.text


@pytest.mark.parametrize(
    ("ahead", "level", "words"), [(2, Level.OK, "2 s ahead"), (-3600, Level.WARNING, "3600 s behind")]
)
def test_the_clock_is_held_against_discord_s(ahead: float, level: Level, words: str) -> None:
    finding = check_clock(time.time() + ahead, discord=time.time())
    assert finding.level is level
    assert words in finding.text


def test_without_discord_a_clock_of_long_ago_is_noticed() -> None:
    assert check_clock(1e9).level is Level.WARNING
    assert check_clock().level is Level.OK


def test_a_finding_is_a_line_and_its_advice_another() -> None:
    assert str(ok("token", "set")) == "ok    token         set"
    assert str(failure("token", "not set", "Set it.")).splitlines() == [
        "FAIL  token         not set",
        "                    -> Set it.",
    ]


def test_what_others_wrote_cannot_move_the_cursor() -> None:
    assert str(ok("discord", "for \x1b[2J\r\nfail\u202ereversed")) == "ok    discord       for [2J failreversed"


def test_a_warning_is_well_and_a_failure_is_not() -> None:
    findings = [ok("a", "b"), warning("c", "d", "e")]
    assert is_well(findings)
    assert as_json([*findings, Finding("f", Level.FAILURE, "g", "h")]) == {
        "ok": False,
        "checks": [
            {"name": "a", "level": "ok", "text": "b", "advice": ""},
            {"name": "c", "level": "warn", "text": "d", "advice": "e"},
            {"name": "f", "level": "FAIL", "text": "g", "advice": "h"},
        ],
    }
