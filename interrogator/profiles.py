"""Profiles: models and how prompts are made with them, under one name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from interrogator.errors import ProfileError, UnsupportedOptionError

Positive = Annotated[int, Meta(ge=1)]


class LiteProfile(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="engine", tag="lite"
):
    """The lite engine with our own phrases.

    Bounds are phrases beyond caption and cues: `max_phrases` of classic and fast, `min_phrases` and `most_phrases`
    of a search, `per_group` those of one group. Similarities are cosines in the engine's own space.

    Phrases are for images of a kind, which is certain at a similarity of `kind_sure`, or at `kind_floor` where it is
    `kind_margin` ahead of the next; at `kind_unnamed` where the engine names no subject. `feedback`, `cue_feedback`
    and `flaw_feedback` weigh what belongs to the picture, or to none, against the image's embedding (see
    `interrogator.recipes.curated.ranking.study`). `pool` is how many of the first phrases a search considers,
    `refine_rounds` and `refine_width` how long it polishes.
    """

    name: str
    min_phrases: int = 0
    max_phrases: int = 6
    per_group: int = 2
    kind_sure: float = 0.6
    kind_floor: float = 0.4
    kind_margin: float = 0.08
    kind_unnamed: float = 0.75
    feedback: float = 2.0
    cue_feedback: float = 0.6
    flaw_feedback: float = 0.3
    most_phrases: int = 10
    pool: int = 64
    refine_rounds: int = 4
    refine_width: int = 64


class ClipProfile(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="engine", tag="clip"
):
    """open_clip models with CLIP Interrogator's labels.

    `models` are scored together (mean of the cosines), each `ARCHITECTURE/TAG` as open_clip lists it, a folder with
    `open_clip_config.json` and its weights, or `ARCHITECTURE:FILE`, a checkpoint. `captioner` is a name of
    `interrogator.engines.clip.captioners`, a folder, or "none". `device` is "auto" or as torch names it ("cuda:1");
    `precision` "auto" takes fp16 on an accelerator and fp32 on a CPU. `low_memory` None decides by the memory of the
    device. `lists` is a folder of own lists beside ours (`GROUP.txt`).

    Of a search: `pool` labels are considered; `min_phrases` are taken before similarity must rise, at most
    `max_phrases` in all; a lazy search tries the `first` of the pool in its first step and `fresh` a round in the
    later ones; `replace_width`, `probe_width`, `append_width` and `rounds` bound the local search of `Mode.BEST`,
    `turbo_rounds` the rounds of `Mode.TURBO`.
    """

    name: str
    models: Annotated[tuple[str, ...], Meta(min_length=1)]
    captioner: str = "blip-large"
    device: str = "auto"
    precision: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    low_memory: bool | None = None
    lists: str = ""
    pool: Positive = 2048
    min_phrases: Annotated[int, Meta(ge=0)] = 8
    max_phrases: Positive = 32
    first: Positive = 512
    fresh: Positive = 64
    replace_width: Positive = 8
    probe_width: Positive = 64
    append_width: Positive = 64
    rounds: Annotated[int, Meta(ge=0)] = 3
    turbo_rounds: Annotated[int, Meta(ge=0)] = 1

    def __post_init__(self) -> None:
        """ValueError where the bounds contradict each other."""
        if self.min_phrases > self.max_phrases:
            raise ValueError(f"min_phrases ({self.min_phrases}) is over max_phrases ({self.max_phrases})")
        if self.max_phrases > self.pool:
            raise ValueError(f"max_phrases ({self.max_phrases}) is over pool ({self.pool})")


Profile = LiteProfile | ClipProfile

LITE = LiteProfile(name="lite")
CUSTOM = "custom"
"""The profile made of the models that a command line names."""
_BUILT_IN: tuple[Profile, ...] = (
    LITE,
    ClipProfile(name="sd1", models=("ViT-L-14/openai",)),
    ClipProfile(name="sd2", models=("ViT-H-14/laion2b_s32b_b79k",)),
    ClipProfile(name="sdxl", models=("ViT-L-14/openai", "ViT-bigG-14/laion2b_s39b_b160k")),
)


def load_profiles(file: Path | None = None) -> dict[str, Profile]:
    """The built-in profiles and those of a TOML file (a table each, named as the profile, with `engine` and the fields
    above), by name; the file's come first where both have a name.

    ProfileError where the file is missing, is not TOML, or a profile in it has unknown or wrong fields.
    """
    return {one.name: one for one in (*_BUILT_IN, *_read(file))} if file else {one.name: one for one in _BUILT_IN}


def profile_names(file: Path | None = None) -> tuple[str, ...]:
    """The names that `profile` knows."""
    return tuple(load_profiles(file))


def profile(name: str, file: Path | None = None) -> Profile:
    """The profile of that name; UnsupportedOptionError, with those that exist, for any other; ProfileError as
    `load_profiles`."""
    profiles = load_profiles(file)
    try:
        return profiles[name]
    except KeyError:
        known = ", ".join(profiles)
        raise UnsupportedOptionError(f"There is no profile “{name[:40]}”. Available: {known}.") from None


def to_argument(chosen: Profile) -> str:
    """The profile as one word of a command line: how a worker is told."""
    return msgspec.json.encode(chosen).decode()


def from_argument(word: str) -> Profile:
    """The profile that `to_argument` wrote, or the built-in one of that name. UnsupportedOptionError or ProfileError
    for anything else."""
    if not word.startswith("{"):
        return profile(word)
    try:
        chosen: Profile = msgspec.json.decode(word, type=Profile)
    except msgspec.DecodeError as error:
        raise ProfileError(f"That is no profile: {error}.") from error
    return chosen


def _read(file: Path) -> list[Profile]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"The profiles {file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ProfileError(f"The profiles {file} are no TOML: {error}.") from error
    return [_profile(name, table, file) for name, table in tables.items()]


def _profile(name: str, table: object, file: Path) -> Profile:
    if not isinstance(table, dict):
        raise ProfileError(f"“{name}” in {file} is no profile: write it as a table, [{name}].")
    try:
        chosen: Profile = msgspec.convert({**table, "name": name}, type=Profile)
    except msgspec.ValidationError as error:
        raise ProfileError(f"The profile “{name}” in {file} is wrong: {error}.") from error
    return chosen
