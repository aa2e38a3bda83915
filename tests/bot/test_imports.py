"""Importing is cheap: what each package must not drag in."""

from __future__ import annotations

import subprocess
import sys

import pytest

MODELS = ["torch", "torchvision", "transformers", "timm", "open_clip", "sentence_transformers", "skimage", "PIL"]
BOT = ["bot", "bot.client", "bot.demo", "bot.program", "bot.__main__"]
INTERROGATOR = [
    f"interrogator{name}"
    for name in (
        "",
        ".types",
        ".errors",
        ".wire",
        ".request",
        ".scheduler",
        ".worker",
        ".queue.local",
        ".queue.remote",
        ".serving.service",
        ".cli",
    )
]


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [(BOT, MODELS[:-1]), (INTERROGATOR, [*MODELS, "discord", "sqlalchemy"])],
    ids=["bot", "interrogator"],
)
def test_importing_does_not_import(modules: list[str], unwanted: list[str]) -> None:
    script = f"import sys, {', '.join(modules)}; print(*sorted(set({unwanted}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
