"""What the README says is what the code does."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, cast

import discord
import pytest

from bot.client import InterrogatorBot
from bot.settings import Settings
from bot.stores import Stores
from interrogator.cli.arguments import parse
from interrogator.profiles import ClipProfile, load_profiles, profile, profile_names
from interrogator.queue import InterrogationQueue
from interrogator.types import DEFAULT_MODE, DEFAULT_PROFILE, Mode

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


def rows_of(column: str) -> dict[str, str]:
    """The names in the first column of the table that is headed so, each with " (default)" or ""."""
    table = README[README.index(f"| {column} |") :].split("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)`( \(default\))? \|", table, re.MULTILINE))


def test_every_command_of_the_bot_is_in_the_readme() -> None:
    # The tree is built without asking anything of the two.
    bot = InterrogatorBot(Settings(), cast("InterrogationQueue", None), Stores(*[cast("Any", None)] * 3))
    for command in bot.tree.get_commands(type=discord.AppCommandType.chat_input):
        assert f"`/{command.name}" in README
    for menu in bot.tree.get_commands(type=discord.AppCommandType.message):
        assert f"**{menu.name}**" in README


def test_every_mode_is_in_the_readme_and_the_default_is_named() -> None:
    rows = rows_of("mode")
    assert set(rows) == {mode.value for mode in Mode}
    assert [mode for mode, default in rows.items() if default] == [DEFAULT_MODE.value]


def test_every_profile_is_in_the_readme_with_its_models() -> None:
    rows = rows_of("profile")
    assert set(rows) == set(profile_names())
    assert [name for name, default in rows.items() if default] == [DEFAULT_PROFILE]
    for one in load_profiles().values():
        if isinstance(one, ClipProfile):
            (row,) = re.findall(rf"^\| `{one.name}` .*$", README, re.MULTILINE)
            assert all(word in row for word in (*one.models, one.captioner))


def test_the_profile_of_the_readme_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "profiles.toml"
    file.write_text(block, encoding="utf-8")
    assert isinstance(profile("mine", file), ClipProfile)


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {target for line in SHELL for target in re.findall(r"\bmake (\w+)", line)}
    assert {"demo", "test", "run", "bench"} <= named <= targets


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith(".venv/bin/interrogate ")])
def test_the_command_lines_of_the_readme_are_understood(line: str, tmp_path: Path) -> None:
    words = shlex.split(line, comments=True)[1:]
    assert parse(words)


def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "run", "bench", "clean"):
        assert re.search(rf"make {target}\s+\S", listed)


def test_no_placeholder_is_left_in_the_documents() -> None:
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "scenes" / "README.md"):
        assert not re.findall(r"^[A-Z_]{4,}$", file.read_text(encoding="utf-8"), re.MULTILINE), file


def test_every_benchmark_that_a_document_names_exists() -> None:
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "scenes" / "README.md"):
        for module in re.findall(r"python -m\s+([\w.]+)", file.read_text(encoding="utf-8")):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), (file, module)
