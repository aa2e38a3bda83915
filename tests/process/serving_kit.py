"""Workers that run by themselves, with scripted pipelines, and those who connect to them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from asking import PATIENCE

from interrogator.address import Address, TcpAddress, parse_address
from interrogator.queue.local import LocalQueueConfig
from interrogator.queue.remote import RemoteQueue, RemoteQueueConfig
from interrogator.serving.server import ServerConfig
from interrogator.serving.service import Service, Serving, serving
from interrogator.worker_secret import SECRET_VARIABLE

SECRET = b"0123456789abcdef0123456789abcdef"
ANY_PORT = TcpAddress("127.0.0.1", 0)


@asynccontextmanager
async def served(
    address: Address = ANY_PORT, secret: bytes | None = SECRET, pipeline: str = "scripted", **server: Any
) -> AsyncIterator[Serving]:
    """A server within this process, whose worker is another; `server` are fields of `ServerConfig`."""
    chosen = pipeline if ":" in pipeline else f"pipelines:{pipeline}"
    queue = LocalQueueConfig(pipeline=chosen, backoff_seconds=0.01, max_backoff_seconds=0.02)
    service = Service(address=address, secret=secret, queue=queue, server=ServerConfig(**server))
    async with asyncio.timeout(PATIENCE), serving(service) as running:
        yield running


@asynccontextmanager
async def connected(address: Address, secret: bytes | None = SECRET, **config: Any) -> AsyncIterator[RemoteQueue]:
    """One who asks the worker at the address; `config` are fields of `RemoteQueueConfig`."""
    patient = {"backoff_seconds": 0.05, "max_backoff_seconds": 0.1, "max_failures": 500} | config
    async with asyncio.timeout(PATIENCE), RemoteQueue(address, secret, RemoteQueueConfig(**patient)) as queue:
        yield queue


class ServeProcess:
    """`interrogate serve` as a process of its own."""

    def __init__(self, listen: str, *options: str, pipeline: str = "scripted", secret: bytes | None = SECRET) -> None:
        environment = {name: value for name, value in os.environ.items() if name != SECRET_VARIABLE}
        if secret is not None:
            environment[SECRET_VARIABLE] = secret.decode()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the process may write
        command = (sys.executable, "-m", "interrogator", "serve", "--listen", listen, *options)
        self.process = subprocess.Popen(
            (*command, "--pipeline", f"pipelines:{pipeline}"),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )

    @classmethod
    @contextmanager
    def running(cls, listen: str, *options: str, **how: Any) -> Iterator[ServeProcess]:
        """Killed where it is left."""
        server = cls(listen, *options, **how)
        try:
            yield server
        finally:
            server.close()

    def address(self) -> Address:
        """Where it listens, as soon as it does."""
        line = self._line()
        assert line.startswith("listening at "), (line, self.errors())
        return parse_address(line.removeprefix("listening at "))

    def is_ready(self) -> None:
        """Return once it says so."""
        assert self._line() == "ready", self.errors()

    def is_ready_at(self, address: Address) -> None:
        """Return once it says so, having said that it listens there."""
        assert self.address() == address
        self.is_ready()

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(PATIENCE)

    def errors(self) -> str:
        """What it has written to stderr."""
        self._errors.seek(0)
        return self._errors.read().decode()

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")


def unix(folder: Path) -> str:
    """An address of a socket in the folder."""
    return f"unix:{folder / 's'}"
