"""What every test stands on, and which tests run beside which where several processes run them (`pytest -n 2`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

from interrogator.process_settings import prepare_process

prepare_process()  # before any test imports torch

hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=1000, deadline=None)
hypothesis.settings.load_profile("thorough" if os.environ.get("THOROUGH") else "same")
"""The same examples in every run, so that a change is judged by what it changed; with THOROUGH=1 others each time."""

HERE = Path(__file__).parent
LONGEST = ("process", "discord", "cli", "benchmarks", "engines")
"""Folders that are begun first: a long file at the end would be waited for alone."""
TOGETHER = ("tests/discord/", "tests/engines/test_")
"""Files that share a real worker or a loaded engine."""


class FilesWhole(LoadScopeScheduling):
    """The tests of a file run in one process, in their order; so do the files that begin with one of `TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((start for start in TOGETHER if file.startswith(start)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Of several processes, each takes the next file when it has done one."""
    config.option.loadscopereorder = False  # by their number of tests, which says little of their time
    return FilesWhole(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest folders first."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.relative_to(HERE).parts[0], len(LONGEST)))


def pytest_collection_finish() -> None:
    """One thread for the models in each of several processes that run tests; in those that tests start, as ever."""
    if distributed() and (torch := sys.modules.get("torch")):
        torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is computed once and kept is kept for all tests, whatever their process; nothing of the user's is used."""
    folder = tmp_path_factory.getbasetemp()
    cache = (folder.parent if distributed() else folder) / "cache"
    cache.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERROGATOR_CACHE", str(cache))
        yield cache


@pytest.fixture(scope="session")
def lite_embedded(one_cache: Path) -> None:
    """The vocabulary of the lite engine is in that cache: loading then takes seconds, also beside other tests."""
    done = one_cache / "lite is embedded"
    with FileLock(one_cache / "embedding lite.lock"):
        if not done.exists():
            program = "from interrogator.pipeline import load_pipeline; load_pipeline()"
            subprocess.run([sys.executable, "-c", program], check=True)
            done.touch()


def distributed() -> bool:
    """Whether this is one of several processes that run tests."""
    return "PYTEST_XDIST_WORKER" in os.environ
