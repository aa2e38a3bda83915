"""A Hugging Face Hub on the loopback interface: the endpoints that a download needs, and every way they break."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_RESOLVE = re.compile(r"^/([^/]+/[^/]+)/resolve/[^/]+/(.+)$")
_MODEL = re.compile(r"^/api/models/([^/]+/[^/]+)/revision/main$")


@dataclass
class LoopbackHub:
    """Repositories and plain files by path, and what goes wrong with them."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)  # one answer each: bytes of the body before it breaks off
    spoil: int = 0  # answers whose content is damaged
    failures: list[int] = field(default_factory=list)  # status of the next answers with content
    ignore_range: bool = False
    ranges: list[str] = field(default_factory=list)  # as asked for; "" for whole files
    url: str = ""

    def content(self, path: str) -> bytes | None:
        found = _RESOLVE.match(path)
        return self.repositories.get(found[1], {}).get(found[2]) if found else self.files.get(path)


def checksum(name: str, content: bytes) -> str:
    """What the Hub names a file by: sha256 of weights, git's of the rest."""
    if name.endswith((".safetensors", ".bin")):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


@contextmanager
def serve() -> Iterator[LoopbackHub]:
    hub = LoopbackHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            content = hub.content(self.path)
            if content is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{checksum(self.path, content)}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()

        def do_GET(self) -> None:
            model = _MODEL.match(self.path.partition("?")[0])
            if model:
                self._listing(model[1])
                return
            content = hub.content(self.path)
            if content is None:
                self.send_error(404)
            elif hub.failures:
                self.send_error(hub.failures.pop(0))
            else:
                self._file(content)

        def _listing(self, repository: str) -> None:
            if repository not in hub.repositories:
                self.send_error(404)
                return
            siblings = []
            for name, content in hub.repositories[repository].items():
                one = {"rfilename": name, "size": len(content), "blobId": checksum("x", content)}
                if name.endswith((".safetensors", ".bin")):
                    one["lfs"] = {"sha256": checksum(name, content), "size": len(content)}
                siblings.append(one)
            body = json.dumps({"sha": COMMIT, "siblings": siblings}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _file(self, content: bytes) -> None:
            asked = "" if hub.ignore_range else self.headers.get("Range", "")
            hub.ranges.append(self.headers.get("Range", ""))
            start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
            if asked and start >= len(content):
                self.send_error(416)
                return
            body = content[start:]
            if hub.spoil:
                hub.spoil -= 1
                body = bytes(byte ^ 1 for byte in body)
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: hub.break_after.pop(0)] if hub.break_after else body)
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
