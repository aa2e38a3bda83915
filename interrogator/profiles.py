"""Profiles: an engine and how prompts are made with it, under one name."""

from __future__ import annotations

from dataclasses import dataclass

from interrogator.errors import UnsupportedOptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Bounds are phrases beyond the caption; similarities are cosines in the engine's own space.

    `floor` is the least similarity of a phrase that may be chosen by rank, `near_best` the least part of the best
    phrase's; both keep phrases out that are only less wrong than the rest. `uncertain` takes the place of `floor`
    where the engine names no subject. `pool` is how many of the first phrases a search considers.
    """

    name: str
    engine: str
    min_phrases: int
    max_phrases: int
    per_group: int
    floor: float
    near_best: float
    uncertain: float
    pool: int
    refine_rounds: int
    refine_width: int


_PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="lite",
            engine="lite",
            min_phrases=0,
            max_phrases=8,
            per_group=2,
            floor=0.3,
            near_best=0.6,
            uncertain=0.4,
            pool=40,
            refine_rounds=2,
            refine_width=12,
        ),
    )
}


def profile_names() -> tuple[str, ...]:
    """The names that `profile` knows."""
    return tuple(_PROFILES)


def profile(name: str) -> Profile:
    """The profile of that name; UnsupportedOptionError, with those that exist, for any other."""
    try:
        return _PROFILES[name]
    except KeyError:
        known = ", ".join(profile_names())
        raise UnsupportedOptionError(f"There is no profile “{name[:40]}”. Available: {known}.") from None
