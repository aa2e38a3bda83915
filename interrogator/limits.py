"""Bounds that every part keeps, importable by any of them."""

from __future__ import annotations

MAX_FILE_BYTES = 50_000_000
"""The largest image file that is read. Less than a frame of `interrogator.wire` holds."""
