"""What makes the answer to an image another one, as a word: `--skip-done` compares it."""

from __future__ import annotations

import hashlib

import msgspec

from interrogator.cli.commands.interrogate import InterrogateArguments
from interrogator.profiles import ClipProfile, Profile

_DIGITS = 16


def settings_of(arguments: InterrogateArguments) -> str:
    """Hexadecimal digits that change with any option of the prompt and any part of the profile, but not with where it
    is computed."""
    asked = msgspec.json.encode((_essence(arguments.profile), arguments.options), order="deterministic")
    return hashlib.sha256(asked).hexdigest()[:_DIGITS]


def _essence(profile: Profile) -> Profile:
    if isinstance(profile, ClipProfile):
        return msgspec.structs.replace(profile, device="auto", low_memory=None)
    return profile
