"""`python -m bot demo`, as a new user starts it: a real process, the real worker, a page over real HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from asking import alive

PATIENCE = 120
URL = re.compile(r"^http://127\.0\.0\.1:(\d+)/\S+$", re.MULTILINE)


@dataclass
class Demo:
    process: subprocess.Popen[str]
    log: Path

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def url(self) -> str:
        return self._wait_for(URL).group()

    def port(self) -> int:
        return int(self._wait_for(URL).group(1))

    def prompt(self) -> str:
        """The line after the one that names the sample."""
        return self._wait_for(re.compile(r"^Interrogating .*\n(.+)\n", re.MULTILINE)).group(1)

    def descendants(self) -> list[int]:
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def stop(self, number: signal.Signals) -> int:
        os.kill(self.process.pid, number)
        return self.process.wait(PATIENCE)

    def _wait_for(self, pattern: re.Pattern[str]) -> re.Match[str]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := pattern.search(self.output()):
                return found
            assert self.process.poll() is None, f"the demo ended:\n{self.output()}"
            time.sleep(0.05)
        raise AssertionError(f"no {pattern.pattern!r} in:\n{self.output()}")


@contextmanager
def demo(data: Path, *flags: str) -> Iterator[Demo]:
    log = data / "output.txt"
    environment = {**os.environ, "INTERROGATOR_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "bot", "demo", "--no-browser", *flags]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, text=True, start_new_session=True
        )
    try:
        yield Demo(process, log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)


def rows(data: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(data / "demo.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT state, prompt FROM interrogations ORDER BY id").fetchall()
    finally:
        connection.close()


@dataclass
class Visit:
    """What was seen of one start of the demo, from the outside."""

    port: int
    page: bytes
    prompt: str
    workers: list[int]
    status: int
    output: str


def visit(data: Path, number: signal.Signals) -> Visit:
    with demo(data) as running:
        with urllib.request.urlopen(running.url(), timeout=PATIENCE) as page:
            text = page.read()
        port, prompt, workers = running.port(), running.prompt(), running.descendants()
        status = running.stop(number)
        return Visit(port, text, prompt, workers, status, running.output())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def visits(data: Path) -> list[Visit]:
    """Two starts, one after the other: the first finds its port taken and ends by SIGTERM, the second by Ctrl-C."""
    with socket.socket() as taken:
        with suppress(OSError):  # somebody else has it: all the same to the demo
            taken.bind(("127.0.0.1", 8765))
            taken.listen()
        first = visit(data, signal.SIGTERM)
    return [first, visit(data, signal.SIGINT)]


def test_the_page_opens(visits: list[Visit]) -> None:
    assert all(b"<html" in seen.page.lower() for seen in visits)


def test_a_sample_is_answered_by_the_real_models(visits: list[Visit]) -> None:
    assert all("cat" in seen.prompt for seen in visits)


def test_where_the_port_is_taken_it_takes_the_next_free_one(visits: list[Visit]) -> None:
    assert visits[0].port > 8765


def test_a_signal_stops_everything(visits: list[Visit]) -> None:
    for seen in visits:
        assert seen.status == 0
        assert "Traceback" not in seen.output
        assert seen.workers
        assert not [pid for pid in seen.workers if alive(pid)]


def test_what_it_answered_is_kept_for_the_next_start(visits: list[Visit], data: Path) -> None:
    assert rows(data) == [("done", seen.prompt) for seen in visits]
