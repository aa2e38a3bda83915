"""One file from one address: resumed where it was broken off, verified, and in its place only when it is whole."""

from __future__ import annotations

import errno
import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO, Protocol

from filelock import FileLock

from interrogator.engines.clip.sizes import readable
from interrogator.errors import FetchError

Tell = Callable[[int], None]
"""Receives the bytes of the file that are there so far; may raise, which ends the download (a later one resumes)."""

PART = ".interrogator-part"
_CHUNK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte
_TRIES = 5  # without a byte between them
_SHA256, _GIT_SHA1 = 64, 40  # hexadecimal digits
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A file to fetch. `checksum`: the beginning of its sha256 in hexadecimal digits, or the 40 digits by which git
    knows it, or empty. `size` in bytes, None where it is not known. `headers` are sent to the address's own host."""

    url: str
    name: str  # for people
    checksum: str = ""
    size: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Leaves out the credentials where an address leads to another host: they are meant for the first alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type] # a Message will do
        if following and urllib.parse.urlsplit(newurl).netloc != urllib.parse.urlsplit(req.full_url).netloc:
            following.remove_header("Authorization")
        return following


def is_sound(file: Path, remote: Remote) -> bool:
    """Whether the file is there, whole, and what `remote` says."""
    try:
        size = file.stat().st_size
    except OSError:
        return False
    return remote.size in (None, size) and _matches(file, remote.checksum)


def download(remote: Remote, target: Path, tell: Tell | None = None, *, lock: Path | None = None) -> None:
    """Make `target` the remote file, unless it is so already. A damaged target is replaced. One process at a time
    writes; others wait at `lock` (beside the target where none is given).

    FetchError where the file cannot be had: what was received is kept beside the target, and the next call goes on
    from there.
    """
    tell = tell or (lambda _done: None)
    lock = lock or target.with_name(target.name + ".lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            if not is_sound(target, remote):
                _fetch_verified(remote, target, tell)
    except OSError as error:
        raise FetchError(_disk_trouble(remote, target, error)) from error
    tell(target.stat().st_size)


def open_url(url: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    """The answer of an http(s) address. urllib's errors as they are."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise FetchError(f"The address {url[:200]} is not one of the web.")
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - checked above
    answer: http.client.HTTPResponse = urllib.request.build_opener(_Redirects).open(request, timeout=_TIMEOUT)
    return answer


def reason_of(error: Exception) -> str:
    """Why a connection failed, in words and without the system's numbers."""
    reason = getattr(error, "reason", None) or error
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _fetch_verified(remote: Remote, target: Path, tell: Tell) -> None:
    """Twice, where the first result is not what was promised: what an earlier run left may have been damaged."""
    part = target.with_name(target.name + PART)
    for _ in range(2):
        _receive(remote, part, tell)
        if _matches(part, remote.checksum):
            part.replace(target)
            return
        part.unlink()
    raise FetchError(
        f"{remote.name} was received twice with a wrong checksum. Try again later; should it stay so, the source is "
        "damaged."
    )


def _receive(remote: Remote, part: Path, tell: Tell) -> None:
    """All of the file into `part`, from where that ends, through any number of broken connections as long as bytes
    come."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        if remote.size is not None and before == remote.size:
            return
        _check_room(remote, part, before)
        trouble = _append(remote, part, before, tell)
        if trouble is None:
            return
        failures = 1 if part.exists() and part.stat().st_size > before else failures + 1
        if failures >= _TRIES:
            raise FetchError(
                f"{remote.name} could not be fetched: {trouble}. Check the connection and run the same command "
                "again: it goes on from there."
            )
        time.sleep(min(8.0, 0.25 * 2**failures))


def _append(remote: Remote, part: Path, before: int, tell: Tell) -> str | None:
    """One request. None where the file is whole after it, else what went wrong and may go better next time."""
    headers = {**remote.headers, "Accept-Encoding": "identity"}
    if before:
        headers["Range"] = f"bytes={before}-"
    try:
        with open_url(remote.url, headers) as answer:
            resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            length = answer.headers.get("Content-Length")
            done = before if resumed else 0
            whole = done + int(length) if length else remote.size
            with part.open("ab" if resumed else "wb") as out:
                while chunk := answer.read(_CHUNK):
                    out.write(chunk)
                    done += len(chunk)
                    tell(done)
    except urllib.error.HTTPError as error:
        return _refused(remote, part, error)
    except _BROKEN as error:
        return f"the connection broke ({reason_of(error)})"
    if remote.size is not None and done > remote.size:
        part.unlink()  # not this file: begin again
        return "more came than the file has"
    if done < (remote.size if remote.size is not None else whole or 0):
        return "the connection broke off"
    return None


def _refused(remote: Remote, part: Path, error: urllib.error.HTTPError) -> str:
    """What went wrong, where another request may go better; else FetchError."""
    code = http.HTTPStatus(error.code) if error.code in set(http.HTTPStatus) else None
    if code is http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)  # longer than the file
        return "the server has less than was already received"
    if code in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN, http.HTTPStatus.NOT_FOUND):
        raise FetchError(f"{remote.name} is not there, or not for everybody: the server answered {error.code}.")
    if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR and error.code != http.HTTPStatus.TOO_MANY_REQUESTS:
        raise FetchError(f"{remote.name} could not be fetched: the server answered {error.code}.")
    return f"the server answered {error.code}"


def _check_room(remote: Remote, part: Path, before: int) -> None:
    needed = (remote.size or 0) - before
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise FetchError(
            f"{remote.name} needs {readable(needed)} more, but only {readable(free)} are free in {part.parent}."
        )


def _matches(file: Path, checksum: str) -> bool:
    if not checksum:
        return True
    digest: _Digest = hashlib.sha256()
    if len(checksum) == _GIT_SHA1:
        digest = hashlib.sha1(usedforsecurity=False)  # git's name of a file, which the Hub gives for small ones
        digest.update(f"blob {file.stat().st_size}\0".encode())
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest().startswith(checksum[:_SHA256])


def _disk_trouble(remote: Remote, target: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk is full: {remote.name} does not fit in {target.parent}. Make room and run the command again."
    return f"{remote.name} cannot be stored in {target.parent}: {error.strerror or error}."
