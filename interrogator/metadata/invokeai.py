"""InvokeAI: `invokeai_metadata` since version 3, `sd-metadata` of version 2, and the command line `Dream` before."""

from __future__ import annotations

import re

from interrogator.metadata.values import (
    MAX_PROMPT,
    Fields,
    JsonObject,
    Settings,
    chosen,
    inner,
    json_field,
    scalar,
    size_of,
    text,
)
from interrogator.types import Embedded

NAME = "InvokeAI"
_UNWANTED = re.compile(r"\[([^\[\]]*)\]")  # in the old versions, what is between brackets is the negative prompt
_ARGUMENT = re.compile(r"(?<!\S)-([sSWHCA]) ?(\S{1,40})")
_ARGUMENTS = {"s": "Steps", "A": "Sampler", "C": "CFG scale", "S": "Seed"}


def read(fields: Fields) -> Embedded | None:
    """The newest form that is there."""
    if (now := json_field(fields, "invokeai_metadata")) is not None:
        return _of_metadata(now)
    if (then := json_field(fields, "sd-metadata")) is not None:
        return _of_old_metadata(then)
    return _of_command(fields["Dream"]) if fields.get("Dream", "").strip() else None


def _of_metadata(data: JsonObject) -> Embedded:
    prompt, style = text(data.get("positive_prompt")), text(data.get("positive_style_prompt"))
    negative, negative_style = text(data.get("negative_prompt")), text(data.get("negative_style_prompt"))
    model = inner(data, "model")
    settings = (
        *chosen(data, (("Steps", "steps"), ("Scheduler", "scheduler"), ("CFG scale", "cfg_scale"))),
        *chosen(data, (("Guidance", "guidance"), ("Seed", "seed"))),  # Flux has the former in place of the scale
        *size_of(data),
        *(chosen(model, (("Model", "name"),)) or chosen(model, (("Model", "model_name"),))),
    )
    return Embedded(NAME, _joined(prompt, style), _joined(negative, negative_style), settings)


def _joined(prompt: str, style: str) -> str:
    return f"{prompt}\n{style}" if style and style != prompt else prompt


def _of_old_metadata(data: JsonObject) -> Embedded:
    image = inner(data, "image")
    prompt = image.get("prompt")
    if isinstance(prompt, list):
        prompt = ", ".join(filter(None, (text(part.get("prompt")) for part in prompt[:50] if isinstance(part, dict))))
    settings = (
        *chosen(image, (("Steps", "steps"), ("Sampler", "sampler"), ("CFG scale", "cfg_scale"), ("Seed", "seed"))),
        *size_of(image),
    )
    model = scalar(data.get("model_weights"))
    return _without_unwanted(text(prompt), (*settings, *([("Model", model)] if model else [])))


def _of_command(command: str) -> Embedded:
    """A prompt in quotes, and options of a command line."""
    command = command.strip()[: 2 * MAX_PROMPT]
    quoted, quote, options = command[1:].rpartition('"') if command.startswith('"') else ("", "", "")
    if not quote:
        first = _ARGUMENT.search(command)
        quoted, options = (command[: first.start()], command[first.start() :]) if first else (command, "")
    found = dict(_ARGUMENT.findall(options))
    settings = tuple((name, found[key]) for key, name in _ARGUMENTS.items() if key in found)
    return _without_unwanted(quoted, (*settings, *size_of({"width": found.get("W"), "height": found.get("H")})))


def _without_unwanted(prompt: str, settings: Settings) -> Embedded:
    negative = ", ".join(part.strip() for part in _UNWANTED.findall(prompt))
    return Embedded(NAME, " ".join(_UNWANTED.sub(" ", prompt).split()), negative, settings)
