"""What is said where there is no room, in the same words wherever that is noticed."""

from __future__ import annotations

from interrogator.errors import QueueFullError


def queue_is_full(waiting: int) -> QueueFullError:
    """There is no room for anybody's image; `waiting` are there."""
    return QueueFullError(f"The queue is full ({_images(waiting)} waiting). Please try again in a few minutes.")


def share_is_taken(theirs: int) -> QueueFullError:
    """There is no room for more images of this person, who has `theirs` there."""
    return QueueFullError(f"You have {_images(theirs)} in the queue already. Please wait until one is done.")


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
