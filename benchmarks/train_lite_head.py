"""Train the head of broad classes of the lite engine, and say how well it does on sources that it has not seen.

    python -m benchmarks.train_lite_head FOLDER [--features FILE] [--check] [--out FILE]

FOLDER holds the unpacked images, in any arrangement: `lite_head_labels.tsv` knows each by the start of the SHA-256 of
its file. They come from the Debian packages gcompris-qt-data (its .rcc archives unpacked with Qt's rcc), scratch,
tuxpaint-stamps-default, tuxpaint-data, lxqt-themes, palapeli-data, digikam-data, stellarium-data, kstars-data,
kalzium-data, gimp-help-en and pysiogame, and from the generated pictures of SupaGruen/StableDiffusion-CheatSheet,
jamez-bondos/awesome-gpt4o-images, linzhiqiu/t2v_metrics and Karine-Huang/T2I-CompBench. Labels were given by looking:
the broad classes that a picture may rightly be named by, the best first; most drawings are "nothing".

`--features` keeps the features between runs. `--check` leaves each source out in turn and reports how many of its
images get a right class, a wrong one, or none.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from interrogator.engines.lite.broad import INDEX, KEYS, standardised
from interrogator.engines.lite.classifier import load_classifier
from interrogator.engines.lite.engine import working_copy

LABELS = Path(__file__).with_name("lite_head_labels.tsv")
OUT = Path(__file__).parent.parent / "interrogator/data/broad_classes.safetensors"
DECAY = 4e-4  # chosen from 1e-4..4e-3 by leaving sources out
STEADY = 0.3  # share of the mean deviation that each feature's deviation is raised by
DRAWN = "drawn here"
EMPTY = 16  # pictures of nothing of each of four sorts
NAMED = 0.5  # probability from which the check counts a class as named


@dataclass(frozen=True, slots=True)
class Labelled:
    """An image of the label file."""

    digest: str
    source: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What the engine reads from the weights file."""

    mean: torch.Tensor
    scale: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Probabilities (n, classes) of features (n, 2560), by the head alone."""
        return (standardised(features, self.mean, self.scale) @ self.weight.T + self.bias).softmax(-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--features", type=Path, help="file that keeps the features between runs")
    parser.add_argument("--check", action="store_true", help="leave each source out in turn; write nothing")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    labelled = read_labels()
    known = load_file(arguments.features) if arguments.features and arguments.features.exists() else {}
    known |= look(find(arguments.folder, {item.digest for item in labelled} - set(known)))
    if arguments.features:
        save_file(known, arguments.features)
    usable = [item for item in labelled if item.digest in known]
    print(f"{len(usable)} of {len(labelled)} labelled images")
    empty = look_at_nothing()
    features = torch.stack([*(known[item.digest] for item in usable), *empty])
    usable += [Labelled("", DRAWN, ("nothing",))] * len(empty)
    if arguments.check:
        check(usable, features)
    else:
        store(train(usable, features), arguments.out)


def read_labels() -> list[Labelled]:
    with LABELS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t"))
    return [Labelled(digest, source, tuple(classes.split())) for digest, source, classes in rows]


def find(folder: Path, wanted: set[str]) -> dict[str, Path]:
    """The files under the folder whose digests are wanted."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")) if wanted else ():
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            if digest in wanted:
                found.setdefault(digest, path)
    return found


def look(files: dict[str, Path]) -> dict[str, torch.Tensor]:
    """Features (2560,) of each file that is an image; what is transparent is white."""
    classifier = load_classifier()
    features: dict[str, torch.Tensor] = {}
    for digest, path in tqdm(files.items(), disable=not files):
        try:
            with Image.open(path) as image:
                picture = image.convert("RGBA")
        except UnidentifiedImageError as error:
            print(f"{path}: {error}")
            continue
        flat = Image.new("RGBA", picture.size, "white")
        flat.alpha_composite(picture)
        features[digest] = classifier.look(working_copy(flat)).features
    return features


def look_at_nothing() -> list[torch.Tensor]:
    """Features of plain areas, gradients and noise, drawn here: the same at every run."""
    classifier = load_classifier()
    rng = np.random.default_rng(0)
    height, width = np.mgrid[0:1:240j, 0:1:320j]
    ramps = [width, height, (width + height) / 2, np.hypot(width - 0.5, height - 0.5)]
    pictures = [np.broadcast_to(rng.integers(0, 256, 3), (240, 320, 3)) for _ in range(EMPTY)]
    pictures += [np.full((240, 320, 3), level) for level in np.linspace(0, 255, EMPTY)]
    for step in range(EMPTY):
        first, last = rng.integers(0, 256, (2, 3))
        pictures.append(first + ramps[step % 4][..., None] * (last - first))
        side = int(rng.integers(40, 320))
        pictures.append(rng.integers(0, 256, (side, side, 1 if step % 3 == 0 else 3)) * np.ones(3))
    images = [Image.fromarray(np.asarray(picture).clip(0, 255).astype(np.uint8)) for picture in pictures]
    return [classifier.look(working_copy(image)).features for image in images]


def train(labelled: Sequence[Labelled], features: torch.Tensor) -> Head:
    """Multinomial logistic regression with weight decay on the standardised features, full batch.

    An image with several classes shares its weight between them; a source with many images of one class counts by the
    root of their number, so that a large source does not outvote small ones.
    """
    mean, deviation = features.mean(0), features.std(0)
    scale = deviation + STEADY * deviation.mean()
    inputs, targets = standardised(features, mean, scale), shares(labelled)
    amounts = Counter((item.source, item.classes[0]) for item in labelled)
    weights = torch.tensor([amounts[item.source, item.classes[0]] ** -0.5 for item in labelled])
    weights /= weights.mean()
    weight = torch.zeros(len(KEYS), inputs.shape[1], requires_grad=True)
    bias = torch.zeros(len(KEYS), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=80, history_size=8, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        surprise = -(targets * (inputs @ weight.T + bias).log_softmax(-1)).sum(-1)
        loss = (weights * surprise).mean() + DECAY * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return Head(mean, scale, weight.detach(), bias.detach())


def shares(labelled: Sequence[Labelled]) -> torch.Tensor:
    """(images, classes): 1 / n for each of an image's n classes."""
    targets = torch.zeros(len(labelled), len(KEYS))
    for row, item in enumerate(labelled):
        targets[row, [INDEX[key] for key in item.classes]] = 1 / len(item.classes)
    return targets


def check(labelled: Sequence[Labelled], features: torch.Tensor) -> None:
    """Print, by source and by class, what a head says that was trained without the source."""
    by_class: dict[str, Counter[str]] = {key: Counter() for key in KEYS}
    print(f"{'left out':24}images  right  wrong   none")
    for source in sorted({item.source for item in labelled} - {DRAWN}):
        inside = torch.tensor([item.source == source for item in labelled])
        head = train([item for item in labelled if item.source != source], features[~inside])
        left_out = [item for item in labelled if item.source == source]
        outcomes = [outcome(item, p) for item, p in zip(left_out, head(features[inside]), strict=True)]
        for item, what in zip(left_out, outcomes, strict=True):
            by_class[item.classes[0]][what] += 1
        print(line(source, Counter(outcomes)))
    for key, counts in by_class.items():
        print(line(f"  {key}", counts))


def outcome(item: Labelled, probabilities: torch.Tensor) -> str:
    """ "right", "wrong" or "none"."""
    best = int(probabilities.argmax())
    if float(probabilities[best]) < NAMED:
        return "none"
    return "right" if KEYS[best] in item.classes else "wrong"


def line(name: str, counts: Counter[str]) -> str:
    total = counts.total()
    return f"{name:24}{total:6}" + "".join(
        f"{counts[what] / max(total, 1):7.2f}" for what in ("right", "wrong", "none")
    )


def store(head: Head, path: Path) -> None:
    tensors = {"mean": head.mean, "scale": head.scale, "weight": head.weight, "bias": head.bias}
    save_file({name: tensor.half() for name, tensor in tensors.items()}, path, {"classes": " ".join(KEYS)})
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
