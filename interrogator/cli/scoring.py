"""What the phrases of a prompt contribute, measured with the models of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interrogator.cli.inputs import open_picture
from interrogator.engines.clip.engine import ClipEngine
from interrogator.explain import PromptError, explain
from interrogator.types import Explanation

if TYPE_CHECKING:
    from interrogator.engines import Engine


def explain_prompt(engine: Engine, content: bytes, prompt: str, frame: int = 1) -> Explanation | None:
    """The explanation of a prompt for this frame of the file of these bytes; None where it cannot be measured."""
    assert isinstance(engine, ClipEngine)  # others are refused before anything is loaded
    try:
        return explain(engine.text, engine.embed_images([open_picture(content, frame).image])[0], prompt)
    except PromptError:
        return None
