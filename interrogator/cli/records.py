"""An answer, and the documented object that programs get of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interrogator.errors import InterrogatorError
from interrogator.types import Embedded, Interrogation, Options

if TYPE_CHECKING:
    from interrogator.types import Contribution, Explanation

DECIMALS = 6  # about what float32 knows
CSV_COLUMNS = (
    "path",
    "prompt",
    "caption",
    "similarity",
    "seconds",
    "mode",
    "style_only",
    "profile",
    "engine",
    "width",
    "height",
    "frame",
    "frames",
    "sha256",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one file. `image` are its bytes, None where it could not be read. `of_models` as in `Result`."""

    path: str
    options: Options
    outcome: Interrogation | InterrogatorError
    image: bytes | None = None
    explanation: Explanation | None = None
    of_models: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether there is a prompt."""
        return isinstance(self.outcome, Interrogation)


CUT = "The caption was longer than the models read, and was cut."


def was_cut(answer: Answer) -> bool:
    """Whether only the beginning of the caption that was given could be used."""
    found, given = answer.outcome, " ".join(answer.options.caption.split())
    if not isinstance(found, Interrogation) or not found.caption:
        return False
    return found.caption != given and given.startswith(found.caption)


def record(answer: Answer) -> dict[str, Any]:
    """The documented object of `--json`: the same keys for an answer and for a failure, where most are null."""
    if isinstance(answer.outcome, InterrogatorError):
        return _failure(answer, answer.outcome)
    found = answer.outcome
    return {
        "path": answer.path,
        "sha256": found.sha256,
        "width": found.width,
        "height": found.height,
        "frame": found.frame,
        "frames": found.frames,
        "profile": found.profile,
        "mode": found.mode,
        "style_only": found.style_only,
        "subject": found.subject or None,
        "caption": found.caption,
        "prompt": found.prompt,
        "phrases": [
            {"text": phrase.text, "group": phrase.group, "similarity": rounded(phrase.similarity)}
            for phrase in found.phrases
        ],
        "similarity": rounded(found.similarity),
        "seconds": rounded(found.seconds),
        "stopped_early": found.stopped_early,
        "embedded": embedded_record(found.embedded) if found.embedded else None,
        "error": None,
        "engine": found.engine,
        "note": " ".join(filter(None, (found.note, CUT if was_cut(answer) else ""))),
        "explanation": explanation_record(answer.explanation) if answer.explanation else None,
    }


def _failure(answer: Answer, error: InterrogatorError) -> dict[str, Any]:
    return {
        "path": answer.path,
        "sha256": image_hash(answer.image),
        "width": None,
        "height": None,
        "frame": answer.options.frame,
        "frames": None,
        "profile": answer.options.profile,
        "mode": answer.options.mode,
        "style_only": answer.options.style_only,
        "subject": answer.options.subject or None,
        "caption": None,
        "prompt": None,
        "phrases": [],
        "similarity": None,
        "seconds": None,
        "stopped_early": False,
        "embedded": None,
        "error": error_record(error),
        "engine": None,
        "note": None,
        "explanation": None,
    }


def embedded_record(embedded: Embedded) -> dict[str, Any]:
    """The object of the generation parameters in the file; a setting that is there twice has its last value."""
    return {
        "generator": embedded.generator,
        "prompt": embedded.prompt,
        "negative": embedded.negative,
        "settings": dict(embedded.settings),
    }


def explanation_record(explanation: Explanation) -> dict[str, Any]:
    """The object of an explanation: each phrase with the similarity that is left without it, and
    the phrases that were beyond what the model reads."""
    return {
        "similarity": rounded(explanation.similarity),
        "phrases": [contribution_record(phrase) for phrase in explanation.phrases],
        "left_out": list(explanation.left_out),
    }


def contribution_record(phrase: Contribution) -> dict[str, Any]:
    """The object of a phrase in an explanation."""
    return {
        "text": phrase.text,
        "contribution": rounded(phrase.contribution),
        "similarity_without": rounded(phrase.similarity_without),
    }


def error_record(error: InterrogatorError) -> dict[str, str]:
    """The object of a failure."""
    return {"kind": error.kind, "message": str(error)}


def image_hash(image: bytes | None) -> str | None:
    """The sha256 of the file, None where it could not be read."""
    return None if image is None else hashlib.sha256(image).hexdigest()


def rounded(number: float) -> float:
    """To what is known of it."""
    return round(number, DECIMALS)
