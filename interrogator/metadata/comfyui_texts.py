"""From a sampler of ComfyUI's back along the links to the texts that conditioned it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from interrogator.metadata.comfyui_graph import Graph, Link, Node
from interrogator.metadata.values import MAX_PROMPT

MAX_STEPS = 500
"""Nodes looked at for the texts of one sampler, however the links run."""
MAX_DEPTH = 60

_OTHER = {"positive": "negative", "negative": "positive"}
CONDITIONINGS = ("positive", "conditioning", "cond1", "cond2")  # of a sampler or a guider
_UNWANTED = ("negative", "neg_conditioning")
_BETWEEN = ("delimiter", "separator")
_RESULTS = ("populated_text",)  # what a text with wildcards became
_TEXTS = (
    *("text", "prompt", "user_prompt", "string", "value", "wildcard"),
    *("clip_l", "clip_g", "t5xxl", "mt5xl", "bert", "llama"),  # one for each encoder of a model
)
_SWITCHES = (("select", "input"), ("index", "value"), ("Input", "text"))  # a number, and what it numbers
_DISPLAYS = ("show", "display", "preview")  # what they hold themselves may be of the picture before
_PASSED_ON = ("conditioning", "cond", "input", "any", "source", "on_true", "on_false")  # reroutes have ""
_BUNDLES = ("pipe", "ctx")  # links that carry both sides, and the model and more beside them
_NUMBER = re.compile(r"\d+")


class Finder:
    """Finds the texts of one sampler; used once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._steps_left = MAX_STEPS

    def of_sampler(self, sampler: Node) -> tuple[str, str]:
        """The positive and the negative text, empty where there is none."""
        guider = self._guider(sampler)
        links, bundles = guider.links, bundles_of(guider)
        positive = [links[name] for name in CONDITIONINGS if name in links] or bundles
        negative = [links[name] for name in _UNWANTED if name in links] or bundles
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
        """The text that a node gives out, or that its conditioning was made of.

        Which side a node with both gives out, its reader knows: the numbers of the outputs differ from node to node.
        """
        node = self._graph.get(link.node)
        self._steps_left -= 1
        if node is None or depth > MAX_DEPTH or self._steps_left < 0 or "ZeroOut" in node.kind:
            return ""
        for name in (side, *_RESULTS):  # a loader that encodes both prompts itself, among others
            written = node.inputs.get(name)
            if isinstance(written, str) and (name == side or written.strip()):
                return written[:MAX_PROMPT]
        if chosen := _chosen(node):
            return self._text(chosen, side, depth + 1)
        displays = any(word in node.kind.lower() for word in _DISPLAYS)
        if displays and (shown := _distinct(self._text(one, side, depth + 1) for one in node.links.values())):
            return shown
        own = [self._value(node.inputs[name], side, depth) for name in _names_of_texts(node, side)]
        between = [value for name in _BETWEEN if isinstance(value := node.inputs.get(name), str)]
        if between:
            return between[0][:MAX_DEPTH].join(own)[:MAX_PROMPT]
        return _distinct(own) or next(self._passed_on(node, side, depth), "")

    def _passed_on(self, node: Node, side: str, depth: int) -> Iterator[str]:
        """What the node may have from those before it, the likeliest first; each with a text."""
        of_side = [link for name, link in node.links.items() if side in name.lower()]
        others = [link for name, link in node.links.items() if not name or name.lower().startswith(_PASSED_ON)]
        for links in (of_side, others, bundles_of(node)):
            if text := _distinct(self._text(link, side, depth + 1) for link in links):
                yield text

    def _value(self, value: object, side: str, depth: int) -> str:
        self._steps_left -= 1
        if isinstance(value, Link):
            return self._text(value, side, depth + 1)
        return value[:MAX_PROMPT] if isinstance(value, str) else ""


def _chosen(node: Node) -> Link | None:
    """Which of its inputs a switch passes on; None where the node is none, or has no link there."""
    for name, numbered in _SWITCHES:
        if isinstance(number := node.inputs.get(name), int) and (link := node.links.get(f"{numbered}{number}")):
            return link
    return None


def bundles_of(node: Node) -> list[Link]:
    """The links that bring a node both sides at once."""
    return [link for name, link in node.links.items() if any(word in name.lower() for word in _BUNDLES)]


def _names_of_texts(node: Node, side: str) -> list[str]:
    """The inputs that are texts of this side, where some are called so only those."""
    names = sorted((name for name in node.inputs if _holds(name, side)), key=_natural)
    return [name for name in names if side in name.lower()] or names


def _holds(name: str, side: str) -> bool:
    """Whether an input of this name is a text of this side."""
    name = name.lower()
    if name.startswith(side):
        return "prompt" in name or "text" in name
    return name.startswith(_TEXTS) and _OTHER[side] not in name


def _natural(name: str) -> str:
    """A key by which 10 comes after 9."""
    return _NUMBER.sub(lambda number: number[0].zfill(6), name)


def _distinct(texts: Iterable[str]) -> str:
    """One a line, each once: models with two text encoders are often told the same twice."""
    return "\n".join(dict.fromkeys(text for text in texts if text.strip()))[:MAX_PROMPT]
