"""Bounds that every part keeps, importable by any of them."""

from __future__ import annotations

MAX_FILE_BYTES = 50_000_000
"""The largest image file that is read. Less than a frame of `interrogator.wire` holds."""

MAX_FRAME = 1000
"""The last picture of an animation, or page of a document, that can be asked for: those before it may have to be
decoded first."""

MAX_SUBJECT = 300
"""Characters of a subject that is put into a style."""
