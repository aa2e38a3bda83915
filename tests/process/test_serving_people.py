"""The bot and the command line with a worker that runs by itself."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest
from asking import job, prompt
from bot_process import own_bot
from discord_stub import Upload
from serving_kit import SECRET, ServeProcess, connected, unix

from interrogator.cli import main
from interrogator.worker_secret import SECRET_VARIABLE

Said = pytest.CaptureFixture[str]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")
async def test_a_bot_may_ask_a_worker_of_others_and_outlives_it(tmp_path: Path) -> None:
    settings = {"worker": unix(tmp_path), "worker_secret": SECRET.decode()}
    with ServeProcess.running(unix(tmp_path)) as first:
        address = first.address()
        async with own_bot(tmp_path, **settings) as (stub, bot):
            answer = await (await stub.interrogate(Upload("a.png", b"a cat"))).answer()
            assert "a cat" in answer.embeds[0]["description"]
            assert len(bot.processes()) == 1  # no worker of its own
            async with connected(address) as beside:
                assert await prompt(beside, job(b"a dog")) == "a dog"
            first.tell(signal.SIGKILL)
            first.end()
            with ServeProcess.running(unix(tmp_path)):
                await (await stub.interrogate(Upload("a.png", b"a bird"))).answer()
                await bot.until_state("done", rows=2)
            bot.tell(signal.SIGTERM)
            assert await bot.end() == 0


def test_the_command_line_asks_a_worker_that_runs(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"a cat")
    words = [str(picture), "--connect", unix(tmp_path), "--json"]
    with ServeProcess.running(unix(tmp_path)) as server:
        server.address()
        monkeypatch.setenv(SECRET_VARIABLE, SECRET.decode())
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)["prompt"] == "a cat"
        monkeypatch.setenv(SECRET_VARIABLE, "another secret of some length")
        assert main(words) == 1
        error = json.loads(capsys.readouterr().out)["error"]
        assert error["kind"] == "worker_unreachable"
        assert "does not accept the secret" in error["message"]


def test_where_no_worker_runs_the_command_line_says_so_soon(tmp_path: Path, capsys: Said) -> None:
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for picture in pictures:
        picture.write_bytes(b"a cat")
    assert main([*map(str, pictures), "--connect", unix(tmp_path), "--json"]) == 1
    kinds = [json.loads(line)["error"]["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["worker_unreachable"] * 2
