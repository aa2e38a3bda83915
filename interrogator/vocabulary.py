"""The phrases a prompt is made of: our own lists, one phrase a line, one file a group."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A phrase that may enter a prompt. `style` tells how the picture looks (light, palette, camera, mood) from what
    it shows (setting, detail): style-only answers keep the former."""

    text: str
    group: str
    style: bool
