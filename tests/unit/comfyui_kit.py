"""Graphs of ComfyUI's, and what is read of them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from generated_files import GRAPH, png

from interrogator.metadata import read_parameters
from interrogator.types import Embedded


def read(graph: Mapping[str, object], keyword: str = "prompt") -> Embedded:
    """What a picture with this graph carries."""
    found = read_parameters(png({keyword: json.dumps(graph)}))
    assert found is not None
    assert found.generator == "ComfyUI"
    return found


def texts(graph: Mapping[str, object], keyword: str = "prompt") -> tuple[str, str]:
    """The prompt and the negative prompt."""
    found = read(graph, keyword)
    return found.prompt, found.negative


def node(kind: str, **inputs: object) -> dict[str, object]:
    """One in the form that ran."""
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


def graph(**nodes: object) -> dict[str, object]:
    """The graph of the default workflow, with nodes changed and added (`n6` is node 6)."""
    return {**GRAPH, **{name.removeprefix("n"): value for name, value in nodes.items()}}
