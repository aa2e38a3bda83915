"""Where what can be computed again is kept between starts."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """`INTERROGATOR_CACHE` where it is set, else the user's cache folder of this system; not created here."""
    chosen = os.environ.get("INTERROGATOR_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("interrogator", appauthor=False)
