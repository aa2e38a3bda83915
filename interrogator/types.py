"""The data of a request, frozen and without behaviour: what is asked, what is answered, what happens in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

JobId = NewType("JobId", str)


class Mode(StrEnum):
    """How a prompt is made; what each means is said in the recipes (`interrogator.recipes`)."""

    TURBO = "turbo"
    BEST = "best"
    FAST = "fast"
    CLASSIC = "classic"
    CAPTION = "caption"
    NEGATIVE = "negative"


DEFAULT_MODE = Mode.TURBO
OWN = "own"
DEFAULT_PROFILE = "lite"


class Stage(StrEnum):
    """What the worker is doing; one progress bar each."""

    LOAD = "loading models"
    LABELS = "embedding the vocabulary"
    READ = "reading the image"
    CAPTION = "caption"
    EMBED = "embedding the image"
    RANK = "ranking phrases"
    SEARCH = "search"
    SCORE = "measuring the prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person chose. `style_only` leaves the subject out; it has no meaning with `Mode.CAPTION`. `subject` is
    put into the style of the image, in the place of the image's own; it has a meaning with neither `style_only` nor
    `Mode.CAPTION` nor `Mode.NEGATIVE`.

    `caption` takes the place of the captioner's. `seconds` is the time that a search may take: then the best prompt so
    far is the answer, marked as such. `artists` allows artists' names; `unsafe` allows what is tagged as unsafe (sexual
    or hateful words); no phrase with a word of `blocked` is used. `extra` are phrases that may be used beside the
    vocabulary's, in their group `OWN`, whomever they name: `artists` is of the vocabulary's. A search tries
    `min_phrases` before each further one must raise the similarity, and adds at most `max_phrases`; where None, the
    profile's. `frame` is the picture that is looked at of a file with several, such as an animation; 1 is the first.
    """

    mode: Mode = DEFAULT_MODE
    style_only: bool = False
    subject: str = ""
    profile: str = DEFAULT_PROFILE
    caption: str = ""
    seconds: float | None = None
    artists: bool = True
    unsafe: bool = False
    blocked: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    min_phrases: int | None = None
    max_phrases: int | None = None
    frame: int = 1

    @property
    def of_style(self) -> bool:
        """Whether phrases are of the style alone."""
        return self.style_only or bool(self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is asked in place of a prompt: how well each of `prompts` fits the image, and the `top` phrases of every
    group that are nearest to it. Of the options, `profile`, `mode` (whose prompts are compared with what), `caption`,
    `frame` and those that leave phrases out have a meaning."""

    prompts: tuple[str, ...] = ()
    top: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One image to interrogate, or to measure. `user` is the key of fairness; `deadline` is in seconds since the
    epoch."""

    id: JobId
    image: bytes
    options: Options = field(default_factory=Options)
    user: str = ""
    deadline: float | None = None
    measure: Measure | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of the prompt after the caption; `similarity` is the phrase's own, without the rest."""

    text: str
    group: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a file says of how its picture was generated; a file may lie. `generator` is the program that wrote it,
    `settings` are names and values as it called them, such as ("Steps", "20"). Line ends are the only control
    characters in the texts."""

    generator: str
    prompt: str
    negative: str = ""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrogation:
    """The answer to a job.

    `width` and `height` are pixels as a person sees the image (orientation applied). `frame` of `frames` was looked
    at; most files have one. `caption` is empty where the engine names no subject. `subject` is what was put into the
    image's style, as it stands in the prompt; empty where nothing was.

    `similarity` is the cosine of the whole prompt and what is known of the image
    (with CLIP its embedding, with lite `interrogator.recipes.curated.ranking.study`), in the engine's own space:
    comparable within one profile only. `seconds` is the time it took, of several images answered together an equal
    part. `embedded` are the generation parameters that the file carries, None where there are none. `note` is a
    sentence on the engine's limits that belongs beside the prompt, or empty. `cached` where the same was asked before
    and the answer, its `seconds` among it, is of then. `nsfw` is from 0, a picture that is fit to be shown to
    everyone, to 1, one that is not (`interrogator.safety`); None where nobody has looked.
    """

    sha256: str
    width: int
    height: int
    profile: str
    engine: str
    mode: Mode
    style_only: bool
    caption: str
    prompt: str
    phrases: tuple[Phrase, ...]
    similarity: float
    seconds: float
    stopped_early: bool = False
    embedded: Embedded | None = None
    note: str = ""
    cached: bool = False
    frame: int = 1
    frames: int = 1
    subject: str = ""
    nsfw: float | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """A phrase, the similarity of the prompt without it, and what it adds to that (negative where it does harm)."""

    text: str
    similarity_without: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The similarity of a prompt and what its phrases contribute, in order. `left_out` are the phrases at its end
    that the model does not read, or not to their end: the similarity is that of the prompt without them, so that the
    phrases account for all of it."""

    similarity: float
    phrases: tuple[Contribution, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The nearest phrases of a group with their similarities, best first."""

    name: str
    nearest: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The answer to a job with a `Measure`: an explanation of each prompt, in their order, and the groups. The rest is
    as in `Interrogation`, so are the similarities of prompts; those of groups are the phrases' own with the image."""

    sha256: str
    width: int
    height: int
    profile: str
    engine: str
    explanations: tuple[Explanation, ...] = ()
    groups: tuple[Group, ...] = ()
    seconds: float
    note: str = ""
    cached: bool = False
    frame: int = 1
    frames: int = 1
    nsfw: float | None = None


Answer = Interrogation | Measurement


@dataclass(frozen=True, slots=True)
class Queued:
    """The job waits. `position` 1 is next; `eta` is the seconds until its answer, None where it is not known yet."""

    position: int
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units of a stage; `total` 0 where it cannot be known. `similarity` is that of the best prompt
    so far, in a search."""

    stage: Stage
    done: int = 0
    total: int = 0
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Last event of a job that was answered with a prompt."""

    interrogation: Interrogation


@dataclass(frozen=True, slots=True)
class Measured:
    """Last event of a job with a `Measure` that was answered."""

    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Failed:
    """Last event of a job that was not. `kind` as in `interrogator.errors`; `message` may be shown as it is."""

    kind: str
    message: str


End = Done | Measured | Failed
Event = Queued | Progress | End
