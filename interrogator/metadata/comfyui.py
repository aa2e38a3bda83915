"""ComfyUI: the graph that made the picture is in the file, not the prompt: the texts are found from the sampler on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from interrogator.metadata.comfyui_graph import Graph, Link, Node, read_graph
from interrogator.metadata.comfyui_texts import CONDITIONINGS, Finder, bundles_of
from interrogator.metadata.values import Fields, Settings, scalar
from interrogator.types import Embedded

NAME = "ComfyUI"
MAX_VISITED = 1000
MAX_SAMPLERS = 20
_SETTINGS = (
    ("Steps", ("steps",)),
    ("Sampler", ("sampler_name",)),
    ("Scheduler", ("scheduler",)),
    ("CFG scale", ("cfg",)),
    ("Guidance", ("guidance",)),
    ("Seed", ("seed", "noise_seed")),
    ("Denoise", ("denoise",)),
    ("Model", ("ckpt_name", "unet_name")),
    ("LoRA", ("lora_name",)),
)
_SAVING = ("Save", "Preview")
_PLACES = ("prompt", "workflow", "exif:Model", "exif:Make", "exif:ImageDescription", "exif:UserComment", "Comment")


def read(fields: Fields) -> Embedded | None:
    """Of the graph that ran (`prompt`), else of the editor's (`workflow`); None where no sampler in them has a text."""
    for name in _PLACES:
        graph = read_graph(fields.get(name, ""))
        if graph and (found := _of_graph(graph)) is not None:
            return found
    return None


def _of_graph(graph: Graph) -> Embedded | None:
    for sampler in islice(_samplers(graph), MAX_SAMPLERS):
        prompt, negative = Finder(graph).of_sampler(sampler)
        if prompt or negative:
            return Embedded(NAME, prompt, negative, _settings(graph, sampler))
    return None


def _samplers(graph: Graph) -> Iterator[Node]:
    """Samplers, then what else works with conditionings and steps, such as what repairs faces: first those nearest to
    what was saved, then any."""
    saved = [node for node in graph.values() if node.kind.startswith(_SAVING)]
    nodes = list({id(node): node for node in (*_upstream(graph, saved), *graph.values())}.values())
    conditioned = [node for node in nodes if {*CONDITIONINGS, "guider"} & node.links.keys() or bundles_of(node)]
    yield from (node for node in conditioned if _is_sampler(node))
    yield from (node for node in conditioned if not _is_sampler(node) and "steps" in node.inputs)


def _is_sampler(node: Node) -> bool:
    return "sampler" in node.kind.lower()


def _upstream(graph: Graph, begin: list[Node]) -> Iterator[Node]:
    """What nodes depend on, nearest first, themselves included; each once."""
    waiting = deque(begin[:MAX_VISITED])
    seen = {id(node) for node in waiting}
    while waiting and len(seen) <= MAX_VISITED:
        node = waiting.popleft()
        yield node
        for link in node.links.values():
            before = graph.get(link.node)
            if before is not None and id(before) not in seen:
                seen.add(id(before))
                waiting.append(before)


def _settings(graph: Graph, sampler: Node) -> Settings:
    """The value of each kind that is nearest to the sampler."""
    found: dict[str, str] = {}
    for node in _upstream(graph, [sampler]):
        for name, keys in _SETTINGS:
            for key in keys:
                if name not in found and (value := _value(graph, node, key)):
                    found[name] = value
        if "Size" not in found and "latent" in node.kind.lower():
            width, height = _value(graph, node, "width"), _value(graph, node, "height")
            if width and height:
                found["Size"] = f"{width}x{height}"
    if "Model" not in found and (model := _model(graph, sampler)):
        found["Model"] = model
    return tuple((name, found[name]) for name in (*(name for name, _ in _SETTINGS), "Size") if name in found)


def _model(graph: Graph, node: Node | None) -> str:
    """What the loader calls it that the sampler's model comes from; upscalers and detectors use the same words."""
    for _ in range(MAX_SAMPLERS):
        if node is None:
            break
        for key in ("model_name", "model_path"):
            if found := _value(graph, node, key):
                return found
        link = node.links.get("model") or node.links.get("guider")
        node = graph.get(link.node) if link else None
    return ""


def _value(graph: Graph, node: Node, key: str) -> str:
    """Of the node itself, or of the node that it is linked to for that value."""
    value = node.inputs.get(key)
    if not isinstance(value, Link):
        return scalar(value)
    before = graph.get(value.node)
    if before is None:
        return ""
    return next((found for name in ("value", key, "int") if (found := scalar(before.inputs.get(name)))), "")
