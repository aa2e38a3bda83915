"""Which models are on this machine, how large the others are, and the error that says how to get them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from interrogator.engines.clip.captioners import CAPTIONERS, NONE, locate
from interrogator.engines.clip.models import Missing, is_here, parameters
from interrogator.engines.clip.names import known_pairs, parse
from interrogator.engines.clip.places import hub_cache, store_of
from interrogator.engines.clip.sizes import readable
from interrogator.errors import InterrogatorError, ModelMissingError
from interrogator.profiles import ClipProfile, load_profiles

_PARAMETER_BYTES = 4
"""CLIP weights are published in fp32, nearly all of them."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that a profile may name. `bytes` of its download, about; None where only the Hub knows. `problem` says
    why the model cannot be used though it should be here, or is empty."""

    name: str
    kind: Literal["clip", "captioner"]
    bytes: int | None
    present: bool
    problem: str = ""


def known_models(profiles: Iterable[ClipProfile] = (), *, everything: bool = False) -> list[KnownModel]:
    """The CLIP models of these profiles, then every captioner known by name and those of the profiles. With
    `everything` also all others that open_clip knows, without their sizes: to learn those it would have to build each.
    Nothing is loaded or downloaded."""
    profiles = list(profiles)
    clips = list(dict.fromkeys(name for one in profiles for name in one.models))
    captioners = dict.fromkeys([*CAPTIONERS, *(one.captioner for one in profiles if one.captioner != NONE)])
    rows = [_clip(name) for name in clips] + [_captioner(name) for name in captioners]
    if everything:
        others = [name for name in known_pairs() if name not in clips]
        rows += [KnownModel(name, "clip", None, is_here(name)) for name in others]
    return rows


def missing_error(profile: ClipProfile) -> Missing:
    """The error for one of the profile's models: what is missing, how large it is, where it goes, what to type."""
    command = _fetching(profile)

    def missing(name: str, part: str = "") -> ModelMissingError:
        if part:
            return ModelMissingError(
                f"The tokenizer and configuration {part} of the CLIP model {name} are not on this machine. Fetch them "
                f"with '{command}'; they will be stored in {hub_cache()}."
            )
        known = CAPTIONERS.get(name)
        size = known.bytes if known else clip_bytes(name)
        kind = "captioner" if known else "CLIP model"
        return ModelMissingError(
            f"The {kind} {name} ({readable(size)}) is not on this machine. Fetch it with '{command}'; "
            f"it will be stored in {hub_cache() if known else store_of(parse(name))}."
        )

    return missing


def _fetching(profile: ClipProfile) -> str:
    """The command that fetches it: by name a built-in profile; of any other, which a command line may have changed,
    the models."""
    known = load_profiles().get(profile.name)
    if isinstance(known, ClipProfile) and (known.models, known.captioner) == (profile.models, profile.captioner):
        return shlex.join(["interrogate", "fetch", profile.name])
    models = [word for name in profile.models for word in ("--model", name)]
    return shlex.join(["interrogate", "fetch", *models, "--captioner", profile.captioner])


def clip_bytes(name: str) -> int | None:
    """About how large the model's weights are; None where its configuration does not say."""
    count = parameters(name)
    return count * _PARAMETER_BYTES if count else None


def _clip(name: str) -> KnownModel:
    try:
        return KnownModel(name, "clip", clip_bytes(name), is_here(name))
    except InterrogatorError as error:
        return KnownModel(name, "clip", None, present=False, problem=str(error))


def _captioner(name: str) -> KnownModel:
    known = CAPTIONERS.get(name)
    size = known.bytes if known else None
    try:
        return KnownModel(name, "captioner", size, locate(name) is not None)
    except InterrogatorError as error:
        return KnownModel(name, "captioner", size, present=False, problem=str(error))
