"""Where a worker that runs by itself listens: `unix:PATH` or `tcp:HOST:PORT`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from interrogator.errors import WorkerAddressError

FORMS = "unix:PATH or tcp:HOST:PORT"
MOST_UNIX_BYTES = 100  # the systems' own limits are from 104 to 108
PORTS = 65536


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A port of a machine; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp:[{self.host}]:{self.port}" if ":" in self.host else f"tcp:{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether nothing but this machine can be at the other end."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name, which may be anybody's
            return False


Address = UnixAddress | TcpAddress


def parse_address(text: str) -> Address:
    """The address. Raises `WorkerAddressError` for what is none."""
    scheme, _, rest = text.partition(":")
    if scheme == "unix" and rest and "\0" not in rest:
        return _unix(Path(rest).expanduser())
    if scheme == "tcp":
        host, _, port = rest.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        if host and not host.isspace() and port.isascii() and port.isdigit() and int(port) < PORTS:
            return TcpAddress(host, int(port))
    raise WorkerAddressError(f"“{text[:100]}” is no address of a worker: it looks like {FORMS}.")


def _unix(path: Path) -> UnixAddress:
    if len(str(path.absolute()).encode("utf-8", "surrogateescape")) > MOST_UNIX_BYTES:
        raise WorkerAddressError(f"The path of a unix socket has at most {MOST_UNIX_BYTES} bytes: choose another.")
    return UnixAddress(path.absolute())
