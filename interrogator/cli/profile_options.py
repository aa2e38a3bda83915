"""Which models: the options that all commands share, and the profile that they amount to."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec

from interrogator.errors import UnsupportedOptionError
from interrogator.profiles import CUSTOM, ClipProfile, LiteProfile, Profile, profile, profile_names
from interrogator.types import DEFAULT_PROFILE

PROFILES_VARIABLE = "INTERROGATOR_PROFILES"

OVERRIDES = {
    "model": "models",
    "captioner": "captioner",
    "device": "device",
    "precision": "precision",
    "low_memory": "low_memory",
    "lists": "lists",
}
"""Options to the fields of a `ClipProfile`."""


def add_profile_options(parser: argparse.ArgumentParser) -> None:
    """--profile, --profiles, and what replaces a part of a CLIP profile."""
    group = parser.add_argument_group(
        "models", "A profile fixes them. The options after the first two replace a part of a CLIP profile."
    )
    group.add_argument(
        "--profile",
        metavar="NAME",
        help=f"{', '.join(profile_names())}, or one of your own (default: {DEFAULT_PROFILE})",
    )
    add_profiles_file(group)
    add_model_options(group)
    group.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1, mps ... (default: the best there is)")
    group.add_argument("--precision", choices=("auto", "fp32", "fp16", "bf16"), help="how exactly is computed")
    group.add_argument(
        "--low-memory", action="store_const", const=True, help="keep only the model at work on the device"
    )
    group.add_argument("--lists", metavar="FOLDER", help="own phrases beside ours: GROUP.txt, one a line")


def add_profiles_file(group: argparse._ActionsContainer) -> None:
    """--profiles alone."""
    group.add_argument(
        "--profiles",
        metavar="FILE",
        help=f"your own profiles, a TOML file (default: that of {PROFILES_VARIABLE}, where it is set)",
    )


def add_model_options(group: argparse._ActionsContainer) -> None:
    """--model and --captioner alone."""
    group.add_argument(
        "--model",
        action="append",
        metavar="M",
        help="ARCHITECTURE/TAG as open_clip lists it, a folder, or ARCHITECTURE:FILE; again for a second model, "
        "both of which are then scored",
    )
    group.add_argument("--captioner", metavar="C", help="its name, a folder, or none; see `interrogate models`")


def chosen_profile(values: argparse.Namespace) -> Profile:
    """The profile that the options amount to.

    Raises UnsupportedOptionError where they have no meaning together or there is no such profile, and ProfileError for
    a file of profiles that cannot be used.
    """
    given = {option: getattr(values, option, None) for option in OVERRIDES}
    overrides = {OVERRIDES[option]: value for option, value in given.items() if value is not None}
    if "models" in overrides:
        overrides["models"] = tuple(overrides["models"])
    if not all(overrides.values()) or "" in overrides.get("models", ()):
        raise UnsupportedOptionError("A name of a model, a captioner, a device or a folder is empty.")
    if "models" in overrides and values.profile is None:
        return ClipProfile(name=CUSTOM, **overrides)
    chosen = profile(values.profile or DEFAULT_PROFILE, profiles_file(values))
    if not overrides:
        return chosen
    if isinstance(chosen, LiteProfile):
        option = next(option for option, value in given.items() if value is not None)
        raise UnsupportedOptionError(
            f"--{option.replace('_', '-')} is for CLIP models, and the profile “{chosen.name}” has none: choose one "
            f"that has, such as --profile sd1, or name a model with --model."
        )
    return msgspec.structs.replace(chosen, **overrides)


def profiles_file(values: argparse.Namespace) -> Path | None:
    """The file of the person's own profiles: the option's, else the environment's."""
    name = values.profiles if values.profiles is not None else os.environ.get(PROFILES_VARIABLE)
    return Path(name).expanduser() if name else None
