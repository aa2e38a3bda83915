"""The two forms in which ComfyUI writes a graph, read into one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from interrogator.metadata.values import JsonObject, json_object

MAX_NODES = 5000
MAX_INPUTS = 100  # of a node
_DID_NOT_RUN = (2, 4)  # muted, and passed through

# The editor stores a node's values in order, without their names.
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl", "empty_padding"),
    "CLIPTextEncodeSDXL": (
        *("width", "height", "crop_w", "crop_h", "target_width", "target_height"),
        *("text_g", "text_l"),
    ),
    "CLIPTextEncodeSDXLRefiner": ("ascore", "width", "height", "text"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "LoraLoader": ("lora_name",),
    "LoraLoaderModelOnly": ("lora_name",),
    "KSampler": ("seed", "control_after_generate", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": (
        *("add_noise", "noise_seed", "control_after_generate", "steps", "cfg", "sampler_name", "scheduler"),
    ),
    "SamplerCustom": ("add_noise", "noise_seed", "control_after_generate", "cfg"),
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "FluxGuidance": ("guidance",),
    "EmptyLatentImage": ("width", "height"),
    "EmptySD3LatentImage": ("width", "height"),
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
    "PrimitiveNode": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
    "PrimitiveInt": ("value",),
    "PrimitiveFloat": ("value",),
}
_OF_TEXT = ("text", "prompt", "string")


class Link(NamedTuple):
    """The id of the node that an input comes from, and which of that node's outputs it is."""

    node: str
    output: int


@dataclass(frozen=True, slots=True)
class Node:
    """A step of the graph: its class and its inputs, each a `Link` or a value of JSON."""

    kind: str
    inputs: Mapping[str, object]

    @property
    def links(self) -> dict[str, Link]:
        """The inputs from other nodes."""
        return {name: value for name, value in self.inputs.items() if isinstance(value, Link)}


Graph = Mapping[str, Node]


def read_graph(text: str) -> Graph:
    """By the nodes' ids; empty for a text that is no graph. In EXIF the text has the field's name before it."""
    prefix, colon, rest = text[:12].partition(":")
    if colon and prefix.strip().lower() in {"prompt", "workflow"}:
        text = rest + text[12:]
    data = json_object(text)
    if data is None:
        return {}
    inner = data.get("prompt")  # some programs wrap it, as in a request
    if isinstance(inner, dict) and "class_type" not in inner:
        data = inner
    nodes = data.get("nodes")
    return _of_workflow(nodes, data.get("links")) if isinstance(nodes, list) else _of_prompt(data)


def _of_prompt(data: JsonObject) -> Graph:
    graph: dict[str, Node] = {}
    for key, node in islice(data.items(), MAX_NODES):
        if not isinstance(node, dict):
            continue
        kind, inputs = node.get("class_type"), node.get("inputs")
        if isinstance(kind, str) and isinstance(inputs, dict):
            graph[key] = Node(kind, {name: _link_or_value(value) for name, value in islice(inputs.items(), MAX_INPUTS)})
    return graph


def _link_or_value(value: object) -> object:
    match value:
        case [str() | int() as node, int() as output]:
            return Link(str(node), output)
        case _:
            return value


def _of_workflow(nodes: list[object], links: object) -> Graph:
    sources = dict(_sources(links if isinstance(links, list) else []))
    graph: dict[str, Node] = {}
    for node in nodes[:MAX_NODES]:
        if not isinstance(node, dict):
            continue
        key, kind = node.get("id"), node.get("type")
        if not (isinstance(key, int | str) and isinstance(kind, str)):
            continue
        inputs = [one for one in _list(node.get("inputs"))[:MAX_INPUTS] if isinstance(one, dict)]
        ran = node.get("mode") not in _DID_NOT_RUN
        values = _values(kind, node.get("widgets_values"), inputs) if ran else {}
        graph[str(key)] = Node(kind if ran else "", {**values, **_linked(inputs, sources)})
    return graph


def _linked(inputs: list[dict[str, object]], sources: Mapping[int, Link]) -> dict[str, object]:
    """The inputs that come from other nodes, by name."""
    named: dict[str, object] = {}
    for one in inputs:
        name, link = one.get("name"), one.get("link")
        if isinstance(name, str) and isinstance(link, int) and link in sources:
            named[name] = sources[link]
    return named


def _sources(links: list[object]) -> Iterable[tuple[int, Link]]:
    """Where each link begins: [id, from node, its output, to node, its input, type]."""
    for link in links[: 4 * MAX_NODES]:
        match link:
            case [int() as key, str() | int() as node, int() as output, *_]:
                yield key, Link(str(node), output)
            case {"id": int() as key, "origin_id": str() | int() as node, "origin_slot": int() as output}:
                yield key, Link(str(node), output)


def _values(kind: str, widgets: object, inputs: list[dict[str, object]]) -> dict[str, object]:
    if isinstance(widgets, dict):
        return dict(islice(widgets.items(), MAX_INPUTS))
    values = _list(widgets)
    names = _WIDGETS.get(kind, ())
    if not names and any(word in kind.lower() for word in _OF_TEXT):
        names = tuple(_widget_names(inputs)) or ("text",)
    return dict(zip(names, values, strict=False))


def _widget_names(inputs: list[dict[str, object]]) -> Iterable[str]:
    for one in inputs:
        name = one.get("name")
        if isinstance(one.get("widget"), dict) and isinstance(name, str):
            yield name


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
