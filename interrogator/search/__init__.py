"""Prompt search over (caption, pool): pure, deterministic, and ignorant of engines.

Searches are generators that ask for similarities, so that those of several images share batches:

exact   CLIP Interrogator's chain: every phrase is tried in every step
lazy    the same with a small part of the work
local   refines a prompt by changes of single phrases
`solve` answers one, `solve_all` several in lock-step.
"""

from interrogator.search.driver import Running, Score, ScoreAll, Solved, solve, solve_all
from interrogator.search.greedy import exact
from interrogator.search.lazy import lazy, lazy_with_gains
from interrogator.search.local import Widths, local
from interrogator.search.problem import (
    NOTHING,
    STEP,
    Ask,
    Found,
    Problem,
    Search,
    first_best,
    found,
    joined,
    prompt_of,
)

__all__ = [
    "NOTHING",
    "STEP",
    "Ask",
    "Found",
    "Problem",
    "Running",
    "Score",
    "ScoreAll",
    "Search",
    "Solved",
    "Widths",
    "exact",
    "first_best",
    "found",
    "joined",
    "lazy",
    "lazy_with_gains",
    "local",
    "prompt_of",
    "solve",
    "solve_all",
]
