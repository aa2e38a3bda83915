"""A setting that is wrong, said in one sentence: its name, its value, what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo

_NUMBERS = {int: "a whole number", float: "a number"}


class SettingsError(Exception):
    """A setting that cannot be used, as a sentence for whoever runs the bot. Never contains a secret."""


def explain(error: ValidationError, fields: Mapping[str, FieldInfo]) -> str:
    """A line for each mistake."""
    return "\n".join(_sentence(str(item["loc"][0]), item["input"], fields) for item in error.errors())


def _sentence(name: str, value: object, fields: Mapping[str, FieldInfo]) -> str:
    if name not in fields:
        near = get_close_matches(name, fields, n=1)
        return f"There is no setting {name}" + (f"; did you mean {near[0]}?" if near else ".")
    field = fields[name]
    # What may hold a secret is kept out of `repr`, or is of a secret type.
    secret = not field.repr or "Secret" in str(field.annotation)
    return f"{name} is {'not valid' if secret else repr(value)}; it must be {allowed(field)}."


def allowed(field: FieldInfo) -> str:
    """What a setting may be, in words."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "allowed" in extra:
        return str(extra["allowed"])
    kind: Any = field.annotation
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if kind in _NUMBERS:
        least = next(limit.ge for limit in field.metadata if isinstance(limit, Ge))
        most = next(limit.le for limit in field.metadata if isinstance(limit, Le))
        return f"{_NUMBERS[kind]} from {least} to {most}"
    assert Path in {kind, *get_args(kind)}, "a setting of another kind says itself what is allowed"
    return "a path"
