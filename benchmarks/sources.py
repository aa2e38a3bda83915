"""Photographs for benchmarks, taken out of packages that anyone can install by name; nothing of them is committed.

Debian packages are downloaded with `apt-get download` and unpacked with `dpkg-deb -x` into a cache folder (no root, no
installation); Python packages are read where pip put them. `!` in a path leads into a Qt resource file.
"""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm


@dataclass(frozen=True, slots=True)
class Source:
    """Either Debian packages or one importable module, whose parent folder is the root of the paths."""

    debian: tuple[str, ...] = ()
    module: str = ""


SOURCES = {
    "lomiri": Source(debian=("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04")),
    "mate": Source(debian=("mate-backgrounds",)),
    "plasma": Source(debian=("plasma-workspace-wallpapers",)),
    "palapeli": Source(debian=("palapeli-data",)),
    "opencv": Source(debian=("opencv-doc",)),
    "gcompris": Source(debian=("gcompris-qt-data",)),
    "ukui": Source(debian=("ukui-wallpapers",)),
    "skimage": Source(module="skimage"),
    "sklearn": Source(module="sklearn"),
}
_DOWNLOAD_SECONDS = 900


class SourceMissingError(Exception):
    """A source cannot be had on this machine; the text says why."""


def fetch(name: str, cache: Path) -> Path:
    """The folder to which the paths of a source are relative, downloaded first where needed.

    Raises `SourceMissingError` where the package is not installed, or apt-get or the archive cannot deliver it.
    """
    source = SOURCES[name]
    if source.module:
        found = importlib.util.find_spec(source.module)
        if found is None or found.origin is None:
            raise SourceMissingError(f"the Python package {source.module} is not installed")
        return Path(found.origin).parent.parent
    root = cache / name
    for package in source.debian:
        _unpack(package, root)
    return root


def _unpack(package: str, root: Path) -> None:
    mark = root / f".{package}.done"
    if mark.exists():
        return
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise SourceMissingError(f"{package} is a Debian package, and this system has no apt-get and dpkg-deb")
    downloads = root / ".download"
    downloads.mkdir(parents=True, exist_ok=True)
    tqdm.write(f"downloading {package} with apt-get ...")
    _command(["apt-get", "download", "-q", package], downloads)
    for archive in downloads.glob(f"{package}_*.deb"):
        _command(["dpkg-deb", "-x", str(archive.resolve()), str(root.resolve())], downloads)
        archive.unlink()
    mark.touch()


def _command(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SourceMissingError(f"`{' '.join(command)}` took longer than {_DOWNLOAD_SECONDS} s") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SourceMissingError(f"`{' '.join(command)}` failed: {reason} (`apt-get update` may be needed)")


def read(root: Path, path: str) -> bytes:
    """The bytes of one file of a source. Raises `FileNotFoundError` where this version of the package lacks it."""
    outer, _, inner = path.partition("!")
    data = (root / outer).read_bytes()
    if not inner:
        return data
    try:
        return read_qt_resource(data, inner)
    except KeyError as error:
        raise FileNotFoundError(f"{inner} is not in {outer}") from error


def read_qt_resource(packed: bytes, path: str) -> bytes:
    """One file of a Qt `.rcc` archive (format versions 1 to 3). Raises `KeyError` where the path is not in it."""
    if packed[:4] != b"qres":
        raise KeyError("not a Qt resource file")
    version, tree, data, names = struct.unpack_from(">IIII", packed, 4)
    node_size = 22 if version >= 2 else 14  # version 2 added a modification time
    node = tree
    for part in path.split("/"):
        count, first = struct.unpack_from(">II", packed, node + 6)
        children = [tree + index * node_size for index in range(first, first + count)]
        node = next((child for child in children if _qt_name(packed, names, child) == part), -1)
        if node < 0:
            raise KeyError(path)
    (flags,) = struct.unpack_from(">H", packed, node + 4)
    (offset,) = struct.unpack_from(">I", packed, node + 10)
    (size,) = struct.unpack_from(">I", packed, data + offset)
    content = packed[data + offset + 4 : data + offset + 4 + size]
    return zlib.decompress(content[4:]) if flags & 1 else content


def _qt_name(packed: bytes, names: int, node: int) -> str:
    (offset,) = struct.unpack_from(">I", packed, node)
    (length,) = struct.unpack_from(">H", packed, names + offset)
    start = names + offset + 6  # after the length and a hash
    return packed[start : start + 2 * length].decode("utf-16-be")
