"""Everything that can go wrong with a request, as one typed exception a reason.

The text of each is a sentence that a Discord user understands and that says what to do; `kind` is the same reason for
programs (it crosses the process boundary and is stored in the history).
"""

from __future__ import annotations

from typing import ClassVar


class InterrogatorError(Exception):
    """Base of all expected failures. `str(error)` may be shown to a user as it is."""

    kind: ClassVar[str] = "internal"


class EmptyImageError(InterrogatorError):
    """The file has no bytes."""

    kind = "empty_image"


class UnreadableImageError(InterrogatorError):
    """The bytes are not an image of a supported format, or are damaged."""

    kind = "unreadable_image"


class ImageTooLargeError(InterrogatorError):
    """More bytes, pixels, frames or seconds of decoding than the limits allow."""

    kind = "image_too_large"


class MissingFrameError(InterrogatorError):
    """The file has no frame of the number that was asked for."""

    kind = "missing_frame"


class UnsupportedOptionError(InterrogatorError):
    """A combination of options that has no meaning (caption with style_only, an unknown profile)."""

    kind = "unsupported_option"


class ModelMissingError(InterrogatorError):
    """Weights that a profile needs are not on this machine."""

    kind = "model_missing"


class ModelDamagedError(InterrogatorError):
    """Weights that are there but cannot be used: corrupt, a part of a file, or of another architecture."""

    kind = "model_damaged"


class DeviceMemoryError(InterrogatorError):
    """The device has too little memory even for one image or text at a time."""

    kind = "device_memory"


class NotFiniteError(InterrogatorError):
    """An embedding that is no numbers: the precision does not do for the model, or its weights are damaged."""

    kind = "not_finite"


class FetchError(InterrogatorError):
    """A download that did not come to its end."""

    kind = "fetch"


class ProfileError(InterrogatorError):
    """A file of profiles that cannot be read, or a profile in it that makes no sense."""

    kind = "profile"


class VocabularyError(InterrogatorError):
    """A list that cannot be read: missing, not UTF-8, of a group that there is not, or a rule without its two sides."""

    kind = "vocabulary"


class QueueFullError(InterrogatorError):
    """The queue, or this user's share of it, has no room."""

    kind = "queue_full"


class DeadlineError(InterrogatorError):
    """The job could not be finished before its deadline."""

    kind = "deadline"

    def __init__(self, message: str = "There was not enough time to finish this image. Please send it again.") -> None:
        super().__init__(message)


class CancelledError(InterrogatorError):
    """Somebody asked for the job to be stopped."""

    kind = "cancelled"

    def __init__(
        self, message: str = "This was cancelled. Send the image again if you want its prompt after all."
    ) -> None:
        super().__init__(message)


class WorkerCrashedError(InterrogatorError):
    """The worker process ended more than once while it held this job."""

    kind = "worker_crashed"


class WorkerUnreachableError(InterrogatorError):
    """There is no worker at the address that was set, or it does not let us in."""

    kind = "worker_unreachable"


class WorkerAddressError(InterrogatorError):
    """An address of a worker, or a secret for it, that cannot be used."""

    kind = "worker_address"


class InternalError(InterrogatorError):
    """Unexpected; the text carries only a reference id, the log has the rest."""

    kind = "internal"


BY_KIND: dict[str, type[InterrogatorError]] = {
    error.kind: error
    for error in (
        EmptyImageError,
        UnreadableImageError,
        ImageTooLargeError,
        MissingFrameError,
        UnsupportedOptionError,
        ModelMissingError,
        ModelDamagedError,
        DeviceMemoryError,
        NotFiniteError,
        FetchError,
        ProfileError,
        VocabularyError,
        QueueFullError,
        DeadlineError,
        CancelledError,
        WorkerCrashedError,
        WorkerUnreachableError,
        WorkerAddressError,
        InternalError,
    )
}


def from_kind(kind: str, message: str) -> InterrogatorError:
    """The typed exception for a `kind` that came over a process boundary (`InternalError` where it is unknown)."""
    return BY_KIND.get(kind, InternalError)(message)
