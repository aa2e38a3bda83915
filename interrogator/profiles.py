"""Profiles: an engine and how prompts are made with it, under one name."""

from __future__ import annotations

from dataclasses import dataclass

from interrogator.errors import UnsupportedOptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Bounds are phrases beyond caption and cues: `max_phrases` of classic and fast, `min_phrases` and `most_phrases`
    of a search, `per_group` those of one group. Similarities are cosines in the engine's own space.

    Phrases are for images of a kind, which is certain at a similarity of `kind_sure`, or at `kind_floor` where it is
    `kind_margin` ahead of the next; at `kind_unnamed` where the engine names no subject. `feedback`, `cue_feedback`
    and `flaw_feedback` weigh what belongs to the picture, or to none, against the image's embedding (see
    `interrogator.ranking.study`). `pool` is how many of the first phrases a search considers, `refine_rounds` and
    `refine_width` how long it polishes.
    """

    name: str
    engine: str
    min_phrases: int
    max_phrases: int
    per_group: int
    kind_sure: float
    kind_floor: float
    kind_margin: float
    kind_unnamed: float
    feedback: float
    cue_feedback: float
    flaw_feedback: float
    most_phrases: int
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
            max_phrases=6,
            per_group=2,
            kind_sure=0.6,
            kind_floor=0.4,
            kind_margin=0.08,
            kind_unnamed=0.75,
            feedback=2.0,
            cue_feedback=0.6,
            flaw_feedback=0.3,
            most_phrases=10,
            pool=64,
            refine_rounds=4,
            refine_width=64,
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
