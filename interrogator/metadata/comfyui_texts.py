"""From a sampler of ComfyUI's back along the links to the texts that conditioned it."""

from __future__ import annotations

from collections.abc import Iterable

from interrogator.metadata.comfyui_graph import Graph, Link, Node
from interrogator.metadata.values import MAX_PROMPT

MAX_STEPS = 500
"""Nodes looked at for the texts of one sampler, however the links run."""
MAX_DEPTH = 60

_OTHER = {"positive": "negative", "negative": "positive"}
_CONDITIONINGS = ("positive", "conditioning", "cond1", "cond2")  # of a sampler or a guider
_BETWEEN = ("delimiter", "separator")
_TEXTS = ("text", "prompt", "string", "clip_l", "clip_g", "t5xxl", "value", "wildcard")
_PASSED_ON = ("conditioning", "cond", "input", "any", "source", "on_true", "on_false")  # reroutes have ""


class Finder:
    """Finds the texts of one sampler; used once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._steps_left = MAX_STEPS

    def of_sampler(self, sampler: Node) -> tuple[str, str]:
        """The positive and the negative text, empty where there is none."""
        guider = self._guider(sampler)
        positive = [guider.links[name] for name in _CONDITIONINGS if name in guider.links]
        negative = [guider.links[name] for name in ("negative",) if name in guider.links]
        return (
            _distinct(self._text(link, "positive", 0) for link in positive),
            _distinct(self._text(link, "negative", 0) for link in negative),
        )

    def _guider(self, node: Node) -> Node:
        """What holds the sampler's conditionings: itself, or its guider, perhaps through reroutes."""
        for _ in range(MAX_DEPTH):
            link = node.links.get("guider") or (node.links.get("") if len(node.inputs) == 1 else None)
            following = self._graph.get(link.node) if link else None
            if following is None:
                break
            node = following
        return node

    def _text(self, link: Link, side: str, depth: int) -> str:
        """The text that a node gives out, or that its conditioning was made of."""
        node = self._graph.get(link.node)
        self._steps_left -= 1
        if node is None or depth > MAX_DEPTH or self._steps_left < 0 or "ZeroOut" in node.kind:
            return ""
        if _OTHER.keys() <= node.links.keys():  # such as ControlNetApplyAdvanced: an output for each side
            side = ("positive", "negative")[link.output] if link.output in {0, 1} else side
            return self._text(node.links[side], side, depth + 1)
        if isinstance(written := node.inputs.get(side), str):  # a loader that encodes both prompts itself
            return written[:MAX_PROMPT]
        own = [self._value(value, side, depth) for name, value in sorted(node.inputs.items()) if _holds(name, side)]
        between = [value for name in _BETWEEN if isinstance(value := node.inputs.get(name), str)]
        if between:
            return between[0][:MAX_DEPTH].join(own)[:MAX_PROMPT]
        if any(own):
            return _distinct(own)
        passed = [one for name, one in node.links.items() if name in {"", side} or name.lower().startswith(_PASSED_ON)]
        return _distinct([self._text(one, side, depth + 1) for one in passed])

    def _value(self, value: object, side: str, depth: int) -> str:
        self._steps_left -= 1
        if isinstance(value, Link):
            return self._text(value, side, depth + 1)
        return value[:MAX_PROMPT] if isinstance(value, str) else ""


def _holds(name: str, side: str) -> bool:
    """Whether an input of this name is a text of this side."""
    name = name.lower()
    return name.startswith(_TEXTS) and _OTHER[side] not in name


def _distinct(texts: Iterable[str]) -> str:
    """One a line, each once: models with two text encoders are often told the same twice."""
    return "\n".join(dict.fromkeys(text for text in texts if text.strip()))[:MAX_PROMPT]
