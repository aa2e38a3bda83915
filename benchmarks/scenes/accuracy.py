"""How good the small CLIPs are on scenes that they have not seen: zero-shot accuracy by what is asked, and retrieval.

    python -m benchmarks.scenes.accuracy [FOLDER ...] [--scenes 500] [--json]

Each answer is the text most similar to the picture among those offered. Intervals are 95%, by bootstrap over scenes.
"object" and "colour" ask about scenes of one thing, in any style (colour: where the style lets it show).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.scenes import QUESTIONS, Scene, folders
from benchmarks.scenes.captions import BACKDROPS, COUNTS, NAMES, STYLES
from benchmarks.scenes.filters import FINISHES, LIGHTS, MEDIA, PALETTES
from benchmarks.scenes.render import planned
from benchmarks.scenes.shapes import COLOURS, SHAPES
from interrogator.engines.torchvision_ops import declare_missing_operators

GALLERY = 100  # pictures, and prompts, that retrieval chooses among
_ROWS = 256


@dataclass(frozen=True, slots=True)
class Question:
    """A picture, the texts offered, and which of them is right."""

    scene: Scene
    offered: tuple[str, ...]
    right: int


@dataclass(frozen=True, slots=True)
class Share:
    """A share of right answers with its 95% interval."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:6.1%}  [{self.low:.1%}, {self.high:.1%}]  of {self.count}"


class SmallClip:
    """A checkpoint as open_clip loads it."""

    def __init__(self, folder: Path) -> None:
        declare_missing_operators()
        import open_clip  # noqa: PLC0415

        model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
        self._model = model.eval()
        self._preprocess: Any = preprocess
        self._tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")

    @torch.inference_mode()
    def images(self, scenes: Sequence[Scene]) -> Tensor:
        """(n, d) float32, L2-normalised."""
        rows = [
            self._model.encode_image(torch.stack([self._preprocess(scene.image) for scene in part]), normalize=True)
            for part in _parts(scenes)
        ]
        return torch.cat(rows)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """(n, d) float32, L2-normalised."""
        return torch.cat(
            [self._model.encode_text(self._tokenizer(list(part)), normalize=True) for part in _parts(texts)]
        )


def _parts(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))


def _scenes(number: int, wanted: Callable[[Scene], bool], **fixed: Any) -> list[Scene]:
    """The first scenes of the questions' seeds that are wanted; `fixed` goes to `planned`."""
    made = (Scene(planned(QUESTIONS + index, **fixed)) for index in range(1000 * number))
    return list(islice((scene for scene in made if wanted(scene)), number))


def _asked(scenes: Iterable[Scene], offer: Callable[[Scene], tuple[Sequence[str], str]]) -> list[Question]:
    """`offer` gives a scene's texts and the right one."""
    questions = []
    for scene in scenes:
        offered, right = offer(scene)
        questions.append(Question(scene, tuple(offered), list(offered).index(right)))
    return questions


def objects(number: int, **fixed: Any) -> list[Question]:
    """Which of the things is it?"""
    texts = {shape: f"a {NAMES[shape][0]}" for shape in SHAPES}
    scenes = _scenes(number, lambda _: True, count=1, **fixed)
    return _asked(scenes, lambda scene: (list(texts.values()), texts[scene.plan.things[0].shape]))


def colours(number: int, **fixed: Any) -> list[Question]:
    """Which colour has it? The thing is named."""

    def offer(scene: Scene) -> tuple[list[str], str]:
        thing = scene.plan.things[0]
        return [f"a {colour} {thing.shape}" for colour in COLOURS], f"a {thing.colour} {thing.shape}"

    return _asked(_scenes(number, lambda scene: scene.plan.colours_show, count=1, **fixed), offer)


def sizes(number: int) -> list[Question]:
    """Is it small or large?"""

    def offer(scene: Scene) -> tuple[list[str], str]:
        thing = scene.plan.things[0]
        return [f"a {size} {thing.shape}" for size in ("small", "large")], f"a {thing.size} {thing.shape}"

    return _asked(_scenes(number, lambda scene: scene.plan.things[0].size != "medium", count=1), offer)


def relations(number: int) -> list[Question]:
    """Left of, right of, above or below? Both things are named."""

    def offer(scene: Scene) -> tuple[list[str], str]:
        one, other = (f"a {thing.shape}" for thing in scene.plan.things)
        joints = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
        texts = {how: f"{one} {joint} {other}" for how, joint in joints.items()}
        return list(texts.values()), texts[scene.plan.relations[0].how]

    return _asked(_scenes(number, lambda scene: scene.plan.relations[0].how != "inside", count=2), offer)


def counts(number: int) -> list[Question]:
    """How many things?"""
    texts = [phrases[0] for phrases in COUNTS.values()]
    return _asked(_scenes(number, lambda _: True), lambda scene: (texts, COUNTS[len(scene.plan.things)][0]))


def backdrops(number: int) -> list[Question]:
    """Which background?"""
    texts = [phrases[0] for phrases in BACKDROPS.values()]
    return _asked(_scenes(number, lambda _: True), lambda scene: (texts, BACKDROPS[scene.plan.background][0]))


def styled(number: int, style: str, kind: Iterable[str]) -> list[Question]:
    """Which of its kind is the style of a scene that has `style`? In the first phrase of each."""
    texts = [STYLES[other][0] for other in kind]
    scenes = _scenes(number, lambda scene: style in scene.styles)
    return _asked(scenes, lambda _: (texts, STYLES[style][0]))


def styles(number: int) -> dict[str, list[Question]]:
    """The questions about each style, among its kind: palettes, media, lights, finishes."""
    kinds = (PALETTES, MEDIA, LIGHTS, FINISHES)
    return {f"style {style}": styled(number, style, kind) for kind in kinds for style in kind}


def correct(clip: SmallClip, questions: Sequence[Question]) -> NDArray[np.float64]:
    """(n,): 1 where the answer is right."""
    texts = list(dict.fromkeys(text for question in questions for text in question.offered))
    place = {text: index for index, text in enumerate(texts)}
    known = clip.images([question.scene for question in questions]) @ clip.texts(texts).T
    right = []
    for row, question in zip(known, questions, strict=True):
        offered = row[[place[text] for text in question.offered]]
        right.append(float(int(offered.argmax()) == question.right))
    return np.array(right)


def retrieved(clip: SmallClip, scenes: Sequence[Scene]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) each: 1 where the picture finds its own known prompt among 100, and the prompt its own picture."""
    found: tuple[list[Tensor], list[Tensor]] = ([], [])
    for start in range(0, len(scenes), GALLERY):
        gallery = scenes[start : start + GALLERY]
        known = clip.images(gallery) @ clip.texts([scene.prompt for scene in gallery]).T
        own = torch.arange(len(gallery))
        found[0].append(known.argmax(1) == own)
        found[1].append(known.argmax(0) == own)
    return torch.cat(found[0]).double().numpy(), torch.cat(found[1]).double().numpy()


def share(right: NDArray[np.float64], rounds: int = 2000) -> Share:
    """The mean, with the middle 95% of the means of resampled answers."""
    draws = np.random.default_rng(0).integers(0, len(right), (rounds, len(right)))
    low, high = np.quantile(right[draws].mean(axis=1), (0.025, 0.975))
    return Share(float(right.mean()), float(low), float(high), len(right))


def measured(folder: Path, number: int) -> dict[str, Share]:
    """What is asked -> how well it is answered."""
    clip = SmallClip(folder)
    asked = {
        "object": objects(number),
        "object, no style": objects(number, plain=True),
        "colour": colours(number),
        "colour, no style": colours(number, plain=True),
        "size": sizes(number),
        "relation": relations(number),
        "count": counts(number),
        "background": backdrops(number),
        **styles(max(number // 5, 1)),
    }
    shares = {name: share(correct(clip, questions)) for name, questions in asked.items()}
    to_text, to_image = retrieved(clip, _scenes(number // GALLERY * GALLERY or number, lambda _: True))
    return {**shares, "picture finds its prompt, of 100": share(to_text), "prompt finds its picture": share(to_image)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="checkpoints (the committed ones)")
    parser.add_argument("--scenes", type=int, default=500, help="scenes a question; a fifth of them for each style")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    arguments = parser.parse_args()
    every = {}
    for folder in arguments.folders or folders():
        shares = measured(folder, arguments.scenes)
        every[folder.name] = {name: [value.mean, value.low, value.high] for name, value in shares.items()}
        print(f"\n{folder.name}")
        for name, value in shares.items():
            print(f"  {name:34} {value}")
    if arguments.json:
        print(json.dumps(every))


if __name__ == "__main__":
    main()
