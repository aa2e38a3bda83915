"""The pictures of a file that has several, such as an animation or a document of pages."""

from __future__ import annotations

from PIL import Image

from interrogator.timed_file import TimedFile

_WITH_FRAMES = frozenset({"GIF", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"})
"""Pillow's names of the formats whose pictures are counted. The further ones of a JPEG are previews and depth maps."""
_STEPWISE = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
"""Where a picture is made of those before it."""


def count_frames(image: Image.Image, data: bytes) -> int:
    """How many pictures there are in the file of these bytes, which `image` was opened from. Nothing is decoded.

    Raises what Pillow does where the file is damaged.
    """
    if image.format not in _WITH_FRAMES:
        return 1
    count: int = getattr(image, "n_frames", 1)
    if image.format == "PNG" and count > 1:  # a number in its header: it may say anything
        found = data.count(b"fcTL") + bool(getattr(image, "default_image", False))
        return max(1, min(count, found))
    return count


def go_to_frame(image: Image.Image, frame: int, file: TimedFile) -> None:
    """Make `image`, which was opened from `file` and not decoded yet, the picture of this number; it is one of the
    file's. 1 is what programs show of the file that show one.

    Raises OutOfTimeError, and what Pillow does where the file is damaged.
    """
    if frame == 1:
        return
    if image.format in _STEPWISE:
        for place in range(1, frame):
            file.check_time()
            image.load()
            image.seek(place)
        file.check_time()
    else:
        first = image.tell()  # not always 0: a HEIC names the one that is shown
        place = frame - 1
        image.seek(place if place > first else place - 1)
