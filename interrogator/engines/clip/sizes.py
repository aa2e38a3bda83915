"""Bytes as people read them."""

from __future__ import annotations


def readable(size: int | None) -> str:
    """About how many: "about 1.7 GB"."""
    if size is None:
        return "size unknown"
    if size >= 1e9:
        return f"about {size / 1e9:.1f} GB"
    return f"about {round(size / 1e6)} MB" if size >= 1e6 else f"{size} bytes"
