"""Where a worker listens, in words, and what must not be listened at."""

from __future__ import annotations

from pathlib import Path

import pytest

from interrogator.address import TcpAddress, UnixAddress, parse_address
from interrogator.errors import WorkerAddressError
from interrogator.serving.listening import check_listening
from interrogator.worker_secret import SECRET_VARIABLE, read_secret

SECRET = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/bot.sock", UnixAddress(Path("/run/bot.sock"))),
        ("tcp:127.0.0.1:7411", TcpAddress("127.0.0.1", 7411)),
        ("tcp:localhost:0", TcpAddress("localhost", 0)),
        ("tcp:[::1]:7411", TcpAddress("::1", 7411)),
    ],
)
def test_an_address_is_written_as_it_is_read(text: str, address: UnixAddress | TcpAddress) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unix:",
        "tcp:",
        "tcp:7411",
        "tcp::7411",
        "tcp:host:",
        "tcp:host:65536",
        "tcp:host:-1",
        "tcp:host:٣",
        "http://host:80",
        "/run/bot.sock",
        "unix:" + "long/" * 30,
        "unix:a\0b",
    ],
)
def test_what_is_no_address_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(WorkerAddressError, match=r"\.$"):
        parse_address(text)


@pytest.mark.parametrize(
    ("address", "secret", "allow_remote", "reason"),
    [
        ("unix:/run/bot.sock", None, False, None),
        ("tcp:127.0.0.1:1", b"x", False, None),
        ("tcp:[::1]:1", b"x", False, None),
        ("tcp:localhost:1", b"x", False, None),
        ("tcp:0.0.0.0:1", b"x", True, None),
        ("tcp:127.0.0.1:1", None, False, "needs a secret"),
        ("tcp:0.0.0.0:1", None, True, "needs a secret"),
        ("tcp:0.0.0.0:1", b"x", False, "--allow-remote"),
        ("tcp:192.168.1.2:1", b"x", False, "--allow-remote"),
        ("tcp:example.org:1", b"x", False, "--allow-remote"),
    ],
)
def test_a_port_is_listened_at_with_a_secret_and_by_this_machine_alone(
    address: str, secret: bytes | None, allow_remote: bool, reason: str | None
) -> None:
    if reason is None:
        check_listening(parse_address(address), secret, allow_remote=allow_remote)
    else:
        with pytest.raises(WorkerAddressError, match=reason):
            check_listening(parse_address(address), secret, allow_remote=allow_remote)


def test_the_secret_is_of_the_file_or_else_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert read_secret(None) is None
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    assert read_secret(None) == SECRET.encode()
    (tmp_path / "secret").write_text("another 0123456789\n")
    assert read_secret(tmp_path / "secret") == b"another 0123456789"


@pytest.mark.parametrize("content", [b"", b"short", b"  0123456789abcde  \n", bytes(5000), b"\xff" * 20])
def test_what_is_no_secret_is_said_and_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(WorkerAddressError) as refused:
        read_secret(tmp_path / "secret")
    assert "0123456789" not in str(refused.value)


def test_a_secret_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorkerAddressError, match="cannot be read: No such file"):
        read_secret(tmp_path / "none")
