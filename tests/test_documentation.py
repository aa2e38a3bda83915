"""What the README says is what the code does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import cast

import discord
import pytest

from bot.client import InterrogatorBot
from bot.history import History
from bot.settings import Settings
from interrogator.cli.arguments import parse
from interrogator.queue import InterrogationQueue
from interrogator.types import DEFAULT_MODE, Mode

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


def test_every_command_of_the_bot_is_in_the_readme() -> None:
    # The tree is built without asking anything of the two.
    bot = InterrogatorBot(Settings(), cast("InterrogationQueue", None), cast("History", None))
    for command in bot.tree.get_commands(type=discord.AppCommandType.chat_input):
        assert f"`/{command.name}" in README
    for menu in bot.tree.get_commands(type=discord.AppCommandType.message):
        assert f"**{menu.name}**" in README


def test_every_mode_is_in_the_readme_and_the_default_is_named() -> None:
    rows = dict(re.findall(r"^\| `(\w+)`( \(default\))? \|", README, re.MULTILINE))
    assert set(rows) == {mode.value for mode in Mode}
    assert [mode for mode, default in rows.items() if default] == [DEFAULT_MODE.value]


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {target for line in SHELL for target in re.findall(r"\bmake (\w+)", line)}
    assert {"demo", "test", "run", "bench"} <= named <= targets


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith(".venv/bin/interrogate ")])
def test_the_command_lines_of_the_readme_are_understood(line: str, tmp_path: Path) -> None:
    words = line.split("#", maxsplit=1)[0].split()[1:]
    assert parse(words)


def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "run", "bench", "clean"):
        assert re.search(rf"make {target}\s+\S", listed)
