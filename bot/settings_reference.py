"""`config/default.toml`, made from the code: `python -m bot.settings_reference > config/default.toml`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from bot.settings import PREFIX, Settings
from bot.settings_errors import allowed

HEAD = f"""\
## Every setting, with its default. Copy the lines that you change to config/local.toml (read where it exists), or to a
## file of yours: python -m bot run --config FILE. A variable of the environment wins over a file (job_seconds is
## {PREFIX}JOB_SECONDS), the command line over both.
## Made from the code: python -m bot.settings_reference > config/default.toml
"""


def reference() -> str:
    """The file: without the first `#` of each line it is TOML that says what the defaults say."""
    return HEAD + "".join(_paragraph(name, field) for name, field in Settings.model_fields.items())


def _paragraph(name: str, field: FieldInfo) -> str:
    return f"\n## {field.description} ({allowed(field)}).\n#{name} = {_toml(field.default)}\n"


def _toml(value: object) -> str:
    """TOML writes these as JSON does, and has no null: the empty string stands for none."""
    return json.dumps("" if value is None else str(value) if isinstance(value, Path) else value)


if __name__ == "__main__":
    sys.stdout.write(reference())
