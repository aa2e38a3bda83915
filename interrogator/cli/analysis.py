"""The nearest phrases of every group to an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from interrogator.errors import VocabularyError
from interrogator.profiles import ClipProfile, LiteProfile
from interrogator.types import Group
from interrogator.vocabulary import Label

if TYPE_CHECKING:
    import torch

    from interrogator.engines import Engine, Report
    from interrogator.images import LoadedImage
    from interrogator.label_table import LabelTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What is nearest to one image. `width` and `height` as in `Interrogation`."""

    width: int
    height: int
    engine: str
    groups: tuple[Group, ...]


Analyse = Callable[["LoadedImage"], Analysis]
"""The analysis of a picture; raises an InterrogatorError where the models cannot."""


def open_analyst(profile: ClipProfile | LiteProfile, top: int, report: Report) -> Analyse:
    """The models of the profile, loaded, and the `top` phrases of each group. Raises what loading them raises."""
    engine, table = _clip(profile, report) if isinstance(profile, ClipProfile) else _lite(report)
    places = _places(table)

    def analyse(picture: LoadedImage) -> Analysis:
        embedding = engine.embed_images([picture.image])
        groups = tuple(Group(name, _nearest(table, embedding, top, among)) for name, among in places.items())
        return Analysis(width=picture.width, height=picture.height, engine=engine.name, groups=groups)

    return analyse


def _clip(profile: ClipProfile, report: Report) -> tuple[Engine, LabelTable]:
    from interrogator.engines.clip import load_clip  # noqa: PLC0415
    from interrogator.pipeline import embed_labels, load_labels  # noqa: PLC0415

    vocabulary = load_labels(profile)
    if not vocabulary.labels:
        raise VocabularyError("The lists hold no phrase. Write some, one a line, into files such as flavor.txt.")
    engine = load_clip(without_captioner(profile), report)
    return engine, embed_labels(engine, vocabulary, report)


def _lite(report: Report) -> tuple[Engine, LabelTable]:
    from interrogator.engines.lite import load_lite  # noqa: PLC0415
    from interrogator.label_cache import build_label_table  # noqa: PLC0415
    from interrogator.vocabulary import load_vocabulary  # noqa: PLC0415

    engine = load_lite(report)
    return engine, build_label_table(engine, load_vocabulary().labels, report)


def without_captioner(profile: ClipProfile) -> ClipProfile:
    """The profile for whoever asks for no caption: its captioner need not be on this machine."""
    return msgspec.structs.replace(profile, captioner="none")


def _places(table: LabelTable) -> dict[str, torch.Tensor]:
    """The places of each group's labels in the table, in the order of the groups."""
    import torch  # noqa: PLC0415

    from interrogator.recipes.ranked.shelf import in_order  # noqa: PLC0415

    places: dict[str, list[int]] = {}
    for place, label in enumerate(table.labels):
        places.setdefault(label.group, []).append(place)
    return {name: torch.tensor(places[name]) for name in in_order(places)}


def _nearest(
    table: LabelTable, embedding: torch.Tensor, top: int, among: torch.Tensor
) -> tuple[tuple[str, float], ...]:
    similarities, places = table.rank(embedding, top, among)
    labels: list[Label] = [table.labels[place] for place in places[0].tolist()]
    return tuple((label.text, similarity) for label, similarity in zip(labels, similarities[0].tolist(), strict=True))
