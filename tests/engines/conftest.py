"""One loaded lite engine for all tests of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from interrogator.engines import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The real lite engine, loaded with an empty cache of its own."""
    from interrogator.engines.lite import load_lite

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERROGATOR_CACHE", os.fspath(tmp_path_factory.mktemp("cache")))
        yield load_lite()
