"""`python -m bot demo`, as a new user starts it: a real process, the real worker, a page over real HTTP."""

from __future__ import annotations

import itertools
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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from asking import alive
from bot_process import environment, processes_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the demo's processes in /proc")

PATIENCE = 120
numbers = itertools.count(1)
URL = re.compile(r"^http://127\.0\.0\.1:(\d+)/\S+$", re.MULTILINE)


@dataclass
class Demo:
    process: subprocess.Popen[bytes]
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
        return [pid for pid in processes_of(self.process.pid) if pid != self.process.pid]

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
def demo(data: Path, *flags: str, **settings: str) -> Iterator[Demo]:
    log = data / f"output-{next(numbers)}.txt"
    command = [sys.executable, "-u", "-m", "bot", "demo", "--no-browser", *flags]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=data,
            env=environment({"DATA_DIR": str(data), **settings}),
            start_new_session=True,
        )
    try:
        yield Demo(process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
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


def visit(running: Demo, number: signal.Signals) -> Visit:
    with urllib.request.urlopen(running.url(), timeout=PATIENCE) as page:
        text = page.read()
    port, prompt, workers = running.port(), running.prompt(), running.descendants()
    status = running.stop(number)
    return Visit(port, text, prompt, workers, status, running.output())


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def visits(data: Path, lite_embedded: None) -> list[Visit]:
    """Two demos at once, which find the port taken: one ends by SIGTERM, the other by Ctrl-C."""
    with (
        taken_port() as port,
        demo(data, "--port", str(port)) as one,
        demo(data, "--port", str(port)) as other,
    ):
        assert one.port() != other.port()
        assert min(one.port(), other.port()) > port
        return [visit(one, signal.SIGTERM), visit(other, signal.SIGINT)]


def test_the_page_opens(visits: list[Visit]) -> None:
    assert all(b"<html" in seen.page.lower() for seen in visits)


def test_a_sample_is_answered_by_the_real_models(visits: list[Visit]) -> None:
    assert all("cat" in seen.prompt for seen in visits)


def test_a_signal_stops_everything(visits: list[Visit]) -> None:
    for seen in visits:
        assert seen.status == 0
        assert "Traceback" not in seen.output
        assert seen.workers
        assert not [pid for pid in seen.workers if alive(pid)]


def test_what_it_answered_is_kept_for_the_next_start(visits: list[Visit], data: Path) -> None:
    assert rows(data) == [("done", seen.prompt) for seen in visits]


def test_a_sample_that_is_refused_is_said_and_the_page_opens_all_the_same(tmp_path: Path) -> None:
    with demo(tmp_path, "--port", "0", MAX_IMAGE_BYTES="1024") as running:
        assert "larger than" in running.prompt()
        assert running.port() > 0
        assert running.stop(signal.SIGTERM) == 0
        assert "Traceback" not in running.output()


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_what_is_no_port_is_refused_in_a_sentence(port: str, tmp_path: Path) -> None:
    with demo(tmp_path, f"--port={port}") as running:
        assert running.process.wait(PATIENCE) == 2
        assert "is not a port" in running.output()
        assert "Traceback" not in running.output()
