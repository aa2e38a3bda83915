"""The labels of CLIP Interrogator, read as data from its installed distribution; our lists and a user's beside them.

The package is not imported, and nothing is fetched: its files are found through the installation's metadata.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from pathlib import Path

from ftfy import fix_encoding
from ftfy.badness import is_bad

from interrogator.errors import ModelMissingError, VocabularyError
from interrogator.tags import Tag, tagger
from interrogator.vocabulary import Label, parse_phrases, read_phrases

__all__ = ["GROUPS", "LabelsMissingError", "MinedVocabulary", "Tag", "clean", "load_mined"]

log = logging.getLogger(__name__)

DISTRIBUTION = "clip-interrogator"
GROUPS = ("artist", "flavor", "medium", "movement", "trending")
"""In the order in which CLIP Interrogator merges its tables: it decides between equal similarities."""

SITES = (
    "Artstation",
    "behance",
    "cg society",
    "cgsociety",
    "deviantart",
    "dribble",
    "flickr",
    "instagram",
    "pexels",
    "pinterest",
    "pixabay",
    "pixiv",
    "polycount",
    "reddit",
    "shutterstock",
    "tumblr",
    "unsplash",
    "zbrush central",
)
"""Those that CLIP Interrogator 0.6.0 names in its code ("dribble" is its spelling)."""

OUR_STYLE = ("mood", "atmosphere", "framing", "palette", "light", "composition", "contrast")
OUR_FLAVORS = (*OUR_STYLE, "texture")
"""Of our own lists (`data/`) those that tell how a picture looks; they join the flavors. Themes and details stay with
the lite engine: the mined flavors name subjects enough. Textures are tagged by the rules ("silky fur" shows a subject).
"""


class LabelsMissingError(ModelMissingError):
    """The distribution that carries the labels is not installed, or not whole."""


@dataclass(frozen=True, slots=True)
class MinedVocabulary:
    """`labels` in the order of `GROUPS`, each with its tag at the same place in `tags`; `negatives` are for negative
    prompts. No text is there twice, whatever its case, in `labels` or in `negatives`."""

    labels: tuple[Label, ...]
    tags: tuple[Tag, ...]
    negatives: tuple[Label, ...]


def load_mined(lists: Path | None = None) -> MinedVocabulary:
    """The labels of the installed distribution, our own style lists, and those in the folder `lists`.

    A user's list is `GROUP.txt` (artist, flavor, medium, movement, trending, negative; a plural will do), one phrase a
    line, UTF-8, `#` begins a comment. Its phrases join the group, after those that are there; a line that is only `!`
    makes the list take the group's place. Artists are names: "by NAME" and "inspired by NAME" are made of them.

    A text in several groups stays in the most telling: artist, medium, movement, trending, then flavor. Raises
    LabelsMissingError where the distribution is not there, VocabularyError where a user's list cannot be read or has
    another name.
    """
    own = _own_lists(lists) if lists else {}
    groups = _merged(_distributed({group for group, added in own.items() if added.replaces}), own)
    names = groups["artist"]
    groups["artist"] = _distinct([f"by {name}" for name in names] + [f"inspired by {name}" for name in names])
    seen: set[str] = set()
    kept = {
        group: [text for text in groups[group] if _is_new(text, seen)]
        for group in ("artist", "medium", "movement", "trending", "flavor")
    }
    tag = tagger(names)
    ours = {text for group in OUR_STYLE for text in _ours(group)}
    texts = [(text, group) for group in GROUPS for text in kept[group]]
    tags = tuple(Tag.STYLE if text in ours and group == "flavor" else tag(text, group) for text, group in texts)
    labels = tuple(Label(text, group, told is Tag.STYLE) for (text, group), told in zip(texts, tags, strict=True))
    negatives = tuple(Label(text, "negative", style=True) for text in _distinct(groups["negative"]))
    return MinedVocabulary(labels, tags, negatives)


def clean(lines: Iterable[str], dropped: Counter[str] | None = None) -> list[str]:
    """The lines that are texts, tidied, each once: control characters, superfluous spaces and punctuation around them
    removed, UTF-8 that was read as something else repaired. `dropped` counts what was left out, by reason."""
    texts: dict[str, str] = {}
    dropped = Counter() if dropped is None else dropped
    for line in lines:
        text = line if _PLAIN.fullmatch(line) else _tidy(line)
        reason = "damaged" if text is None else "empty" if not text else "repeated"
        if text and text.casefold() not in texts:
            texts[text.casefold()] = text
        else:
            dropped[reason] += 1
    return list(texts.values())


_PLAIN = re.compile(r"[A-Za-z0-9]+(?:[ '-][A-Za-z0-9]+)*")
_ABBREVIATED = re.compile(r"\b(?:[A-Za-z]|[JS]r|St|Co|Inc)\.$")
_OPENING, _CLOSING = "([{<", ")]}>"
_KEPT_LAST = "%°+"


def _tidy(line: str) -> str | None:
    """The line as a text; "" where it has no letter or digit, None where it is damaged beyond repair."""
    text = fix_encoding(line)
    if "\ufffd" in text or is_bad(text):
        return None
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(character).startswith("C") else character for character in text)
    for opening, closing in zip(_OPENING, _CLOSING, strict=True):
        if text.count(opening) != text.count(closing):
            text = text.replace(opening, " ").replace(closing, " ")
    text = " ".join(text.split())
    while text and not text[0].isalnum():
        text = _without_first(text)
    while text and not (text[-1].isalnum() or text[-1] in _KEPT_LAST or _ABBREVIATED.search(text)):
        if text[-1] in _CLOSING and _OPENING[_CLOSING.index(text[-1])] in text:
            break
        text = text[:-1].rstrip()
    return text


def _without_first(text: str) -> str:
    """Less its first character, and the bracket that closes it where it is one."""
    if text[0] in _OPENING:
        closed = text.rfind(_CLOSING[_OPENING.index(text[0])])
        return " ".join((text[1:closed] + text[closed + 1 :]).split())
    return text[1:].lstrip()


def _distributed(replaced: Container[str]) -> dict[str, list[str]]:
    """The distribution's lists, cleaned, by group, with our own beside them; artists as names. The large lists of
    groups that are `replaced` are not read, which would take half a second."""
    dropped: Counter[str] = Counter()
    groups = {
        group: [] if group in replaced else clean(_lines(f"{group}s.txt"), dropped)
        for group in ("artist", "flavor", "medium", "movement")
    }
    groups["negative"] = clean(_lines("negative.txt"), dropped)
    groups["trending"] = [
        form.format(site) for form in ("{}", "trending on {}", "featured on {}", "{} contest winner") for site in SITES
    ]
    log.info("labels of %s left out: %s", DISTRIBUTION, dict(dropped))
    groups["flavor"] += [text for group in OUR_FLAVORS for text in _ours(group)]
    groups["negative"] += read_phrases("negatives")
    return groups


def _lines(name: str) -> list[str]:
    """The lines of a data file of the distribution."""
    try:
        files = metadata.files(DISTRIBUTION) or []
        place = next(file for file in files if file.match(f"clip_interrogator/data/{name}"))
        return Path(str(place.locate())).read_text(encoding="utf-8", errors="replace").split("\n")
    except (metadata.PackageNotFoundError, StopIteration, OSError) as error:
        raise LabelsMissingError(
            f"The label lists of {DISTRIBUTION} are not installed ({name} is missing). "
            f"Please run: pip install --force-reinstall --no-deps '{DISTRIBUTION}>=0.6.0,<0.7'"
        ) from error


def _ours(group: str) -> Iterator[str]:
    return (phrase for phrase in read_phrases(group) if not phrase.startswith("["))


@dataclass(frozen=True, slots=True)
class _OwnList:
    texts: tuple[str, ...]
    replaces: bool


def _own_lists(folder: Path) -> dict[str, _OwnList]:
    """The user's lists by group."""
    if not folder.is_dir():
        raise VocabularyError(f"There is no folder {folder}. Please name one with lists such as flavor.txt.")
    known = (*GROUPS, "negative")
    own: dict[str, _OwnList] = {}
    for file in sorted(folder.glob("*.txt")):
        group = file.stem.casefold().removesuffix("s")
        if group not in known or group in own:
            raise VocabularyError(
                f"The list {file} is of no group. Please name one list each: {', '.join(known)} (.txt)."
            )
        try:
            phrases = parse_phrases(file.read_bytes(), str(file))
        except OSError as error:
            raise VocabularyError(f"The list {file} cannot be read: {error.strerror or error}.") from error
        own[group] = _OwnList(tuple(phrase for phrase in phrases if phrase != "!"), "!" in phrases)
    return own


def _merged(groups: dict[str, list[str]], own: dict[str, _OwnList]) -> dict[str, list[str]]:
    for group, added in own.items():
        groups[group] = _distinct(chain((), added.texts) if added.replaces else chain(groups[group], added.texts))
    return groups


def _distinct(texts: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [text for text in texts if _is_new(text, seen)]


def _is_new(text: str, seen: set[str]) -> bool:
    key = text.casefold()
    if key in seen:
        return False
    seen.add(key)
    return True
