"""Sample images that the demo starts with; `LICENSES.md` says whose they are."""

from __future__ import annotations

from importlib.resources import files

NAMES = ("cat.jpg", "coffee.jpg", "astronaut.jpg")


def read_sample(name: str) -> bytes:
    """The bytes of one of `NAMES`."""
    return files(__name__).joinpath(name).read_bytes()
