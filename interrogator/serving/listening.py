"""The socket at which a worker listens."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from interrogator.address import Address, TcpAddress, UnixAddress
from interrogator.errors import WorkerAddressError

BACKLOG = 64
PROBE_SECONDS = 1.0  # for a worker that may listen there already
OWNER_ALONE = 0o177  # the mode bits that a unix socket must not have


def check_listening(address: Address, secret: bytes | None, *, allow_remote: bool) -> None:
    """Raises `WorkerAddressError` where a worker must not listen there: anybody on the machine can connect to a port,
    and anybody at all to one that is not of the loopback interface."""
    if isinstance(address, UnixAddress):
        return  # the file's mode keeps others out
    if secret is None:
        raise WorkerAddressError(
            "A worker at a tcp address needs a secret: set INTERROGATOR_WORKER_SECRET, or name a file with "
            "--secret-file, here and for those who ask it."
        )
    if not address.is_loopback and not allow_remote:
        raise WorkerAddressError(
            f"{address} can be reached from other machines, and what is sent is not encrypted: listen at "
            "tcp:127.0.0.1:PORT and come through a tunnel (ssh -L), or say --allow-remote in a network that you trust."
        )


@contextmanager
def listening(address: Address) -> Iterator[tuple[socket.socket, Address]]:
    """A listening socket, and the address that it really has. A file that a dead worker left is replaced.

    Raises `WorkerAddressError` where a worker listens there, or where that cannot be done.
    """
    try:
        opened = _tcp(address) if isinstance(address, TcpAddress) else _unix(address.path)
    except OSError as error:
        raise WorkerAddressError(f"{address} cannot be listened at: {error.strerror or error}.") from error
    with opened:
        if isinstance(address, TcpAddress):
            yield opened, TcpAddress(address.host, opened.getsockname()[1])
            return
        made = _identity(address.path)
        try:
            yield opened, address
        finally:
            if made is not None and _identity(address.path) == made:
                with suppress(OSError):
                    address.path.unlink()


def _tcp(address: TcpAddress) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    opened = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two listen at one port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(place)
        opened.listen(BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened


def _unix(path: Path) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise WorkerAddressError("There are no unix sockets on this system: listen at tcp:127.0.0.1:PORT.")
    with _only_one(path.parent):
        _remove_stale(path)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(OWNER_ALONE)  # so that the file is never there with another mode
        try:
            opened.bind(str(path))
            opened.listen(BACKLOG)
        except BaseException:
            opened.close()
            raise
        finally:
            os.umask(mask)
    return opened


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """One process at a time looks for a stale socket in the folder and replaces it."""
    import fcntl  # noqa: PLC0415 - not on every system; where there are unix sockets it is

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise WorkerAddressError(f"{path} is there already and is no socket: name another file.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except TimeoutError:
            pass  # so busy that it takes nobody in, but there
    raise WorkerAddressError(f"A worker listens at unix:{path} already.")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
