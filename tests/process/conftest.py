from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="module")
def _workers_find_the_scripted_pipelines() -> Iterator[None]:
    known = os.environ.get("PYTHONPATH")
    here = str(Path(__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([here, known] if known else [here]))
        yield
