"""What sort of thing a mined label says, decided by word lists (`data/tag_*.txt`): no model, no network."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache
from itertools import chain

from interrogator.vocabulary import read_phrases


class Tag(StrEnum):
    """Where several fit, the first of UNSAFE, ARTIST, BOILERPLATE, STYLE, SUBJECT counts.

    UNSAFE: sexual or hateful words, gore. ARTIST: names an artist, a studio or a work to imitate. BOILERPLATE: praise,
    resolutions, sites and engines, which say nothing of this picture. STYLE: how it looks and nothing of what it shows
    (medium, movement, light, palette, camera, technique, mood). SUBJECT: the rest.
    """

    STYLE = "style"
    SUBJECT = "subject"
    ARTIST = "artist"
    BOILERPLATE = "boilerplate"
    UNSAFE = "unsafe"


Words = tuple[str, ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_SPACED_NUMBER = re.compile(r"(?<=\d) (?=(?:\d+|[dkps]|mm|th|st|nd|rd)\b)")
_DECADE, _OWNED = re.compile(r"(?<=\d) ?'s\b"), re.compile(r"'s\b")
_TAG_OF_GROUP = {
    "artist": Tag.ARTIST,
    "trending": Tag.BOILERPLATE,
    "medium": Tag.STYLE,
    "movement": Tag.STYLE,
}
_FUNCTION_WORDS = _words(
    "a an the and or of in on at to by for from with as is are was be been it its this that these those he she his her"
    " him they them their my your our you i we me who what when where which while there here but if so than then"
    " has have had do does did not no s t"
)
_MADE = _words(
    "art artwork painting paintings painted drawing drawn illustration illustrated design designed render rendered"
    " sculpture sculpted photo photos photograph photographs photography photographed portrait directed created made"
    " style concept poster film inspired"
)
_LIKE = _words("style styles manner art work works paintings artwork spirit vein")
_NOT_IMITATED = _words("war fighting living ages books")
_SHOWS = _words("of with in on holding wearing at from inside under into and she he")
"""Words after which comes what is shown."""
_LONGEST_STYLE = 4
_REMEMBERED = 100_000  # words; the lists have fewer


class _Memory(dict[str, bool]):
    """What a question about a word was answered, so that it is asked once: the texts have few different words."""

    def __init__(self, ask: Callable[[str], bool]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, word: str) -> bool:
        if len(self) >= _REMEMBERED:  # words of people, not of the lists
            self.clear()
        self[word] = answer = self._ask(word)
        return answer


class Phrases:
    """A list of phrases to find as whole words: `stem*` finds every word that begins so; a line that begins with `-`
    is an exception, taken out of a text before it is searched."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._phrases: dict[str, list[Words]] = {}
        self._exceptions: dict[str, list[Words]] = {}
        stems = []
        for line in lines:
            words = split(line.lstrip("-"))
            if line.endswith("*") and len(words) == 1:
                stems.append(words[0])
            elif words:
                (self._exceptions if line.startswith("-") else self._phrases).setdefault(words[0], []).append(words)
        begins = re.compile("|".join(map(re.escape, stems)) or r"(?!)")
        self._stem = _Memory(lambda word: begins.match(word) is not None)
        self._parts = {word for phrases in self._phrases.values() for phrase in phrases for word in phrase}
        self._starts = _Memory(lambda word: word in self._phrases or self._stem[word])

    def __call__(self, words: Words) -> bool:
        """Whether any phrase is in the text of these words."""
        if not any(map(self._starts.__getitem__, words)):
            return False
        rest = self._without_exceptions(words)
        return any(self.length_at(rest, place) for place in range(len(rest)))

    def length_at(self, words: Words, place: int) -> int:
        """Words of the longest phrase that begins at `place`; 0 where none does."""
        if not self._starts[words[place]]:
            return 0
        return _longest(self._phrases, words, place) or int(self._stem[words[place]])

    def knows(self, word: str) -> bool:
        """Whether the word is in any phrase."""
        return word in self._parts or self._stem[word]

    def ends(self, words: Words) -> bool:
        """Whether one of the phrases ends the text, and is not all of it."""
        return any(place + self.length_at(words, place) == len(words) for place in range(len(words) - 1, 0, -1))

    def _without_exceptions(self, words: Words) -> Words:
        """The words, each exception among them replaced by a word that no phrase has."""
        if self._exceptions.keys().isdisjoint(words):
            return words
        rest: list[str] = []
        place = 0
        while place < len(words):
            step = _longest(self._exceptions, words, place)
            rest.append("" if step else words[place])
            place += step or 1
        return tuple(rest)


def split(text: str) -> Words:
    """The words in small letters without accents; numbers that were taken apart ("8 0 s", "4 k") are one again, and
    whoever owns something ("Bruna's") is named."""
    text = text.casefold()
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.replace("\u2019", "'"))
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    if text.isalpha():
        return (text,)
    if "'" in text:
        text = _OWNED.sub("", _DECADE.sub("s", text))
    return tuple(_WORD.findall(_SPACED_NUMBER.sub("", text)))


def is_unsafe(text: str) -> bool:
    """Whether a text has sexual or hateful words."""
    return _unsafe()(split(text))


@cache
def _unsafe() -> Phrases:
    return _list("unsafe")


def tagger(artists: Iterable[str]) -> Callable[[str, str], Tag]:
    """What gives (text, group) its tag. `artists` are names: those of one word count where they stand alone."""
    unsafe, boilerplate = _unsafe(), _list("boilerplate")
    is_style = _style_rule()
    is_artist = _artist_rule(artists, is_style)

    def tag(text: str, group: str) -> Tag:
        words = split(text)
        if unsafe(words):
            return Tag.UNSAFE
        if group in _TAG_OF_GROUP:
            return _TAG_OF_GROUP[group]
        if is_artist(words):
            return Tag.ARTIST
        if boilerplate(words) or _FUNCTION_WORDS.issuperset(words):
            return Tag.BOILERPLATE
        return Tag.STYLE if is_style(words) else Tag.SUBJECT

    return tag


def _list(*names: str) -> Phrases:
    return Phrases(chain.from_iterable(read_phrases(f"tag_{name}") for name in names))


def _artist_rule(artists: Iterable[str], is_style: Callable[[Words], bool]) -> Callable[[Words], bool]:
    """An artist's full name, or a known surname, somewhere; the style, art or work "of" or "by" what is no style;
    and what looks like a person's name alone, unless it is somebody known from pictures (`data/tag_people.txt`)."""
    names = [split(name) for name in artists]
    known = Phrases(chain(read_phrases("tag_artists"), (" ".join(name) for name in names if len(name) > 1)))
    pictured, ordinary = _list("people"), _list("style", "heads", "plain", "nouns")
    alone = {name for name in names if len(name) == 1 and not ordinary(name)}
    first = Counter(name[0] for name in names if len(name) > 1)
    given = {name for name, count in first.items() if count > 1 and len(name) > 2 and not ordinary((name,))}

    def is_artist(words: Words) -> bool:
        if words in alone or known(words) or _credits(words, given, is_style):
            return True
        named = 2 <= len(words) <= 3 and words[0] in given and not any(ordinary((word,)) for word in words)
        return named and not pictured(words) and _FUNCTION_WORDS.isdisjoint(words)

    return is_artist


def _credits(words: Words, given: set[str], is_style: Callable[[Words], bool]) -> bool:
    """Whether the words end in "... by NAME" or "style of NAME", or such."""
    if "by" not in words and "of" not in words:
        return False
    for place, word in enumerate(words[:-1]):
        if word not in ("by", "of"):
            continue
        before, after = words[:place], words[place + 1 :]
        if word == "by" and after[0] in given:
            return True
        credited = not before or before[-1] in _MADE if word == "by" else bool(before) and before[-1] in _LIKE
        if credited and after[0] not in _FUNCTION_WORDS | _NOT_IMITATED and not is_style(after):
            return True
    return False


def _style_rule() -> Callable[[Words], bool]:
    """Style words and plain ones alone; or any few words before a word for light, colour, manner or camera."""
    style, plain, heads = _list("style"), _list("plain"), _list("heads")
    known = _Memory(lambda word: style.knows(word) or plain.knows(word))

    def is_style(words: Words) -> bool:
        if len(words) <= _LONGEST_STYLE and heads.knows(words[-1]) and _SHOWS.isdisjoint(words) and heads.ends(words):
            return True
        return all(map(known.__getitem__, words)) and style(words) and _covered(words, style, plain)

    return is_style


def _covered(words: Words, *lists: Phrases) -> bool:
    """Whether the text is made of the phrases of the lists alone."""
    place = 0
    while place < len(words):
        step = max(phrases.length_at(words, place) for phrases in lists)
        if not step:
            return False
        place += step
    return True


def _longest(phrases: dict[str, list[Words]], words: Words, place: int) -> int:
    """Words of the longest of the phrases that stands at `place`."""
    longest = 0
    for phrase in phrases.get(words[place], ()):
        if longest < len(phrase) and words[place : place + len(phrase)] == phrase:
            longest = len(phrase)
    return longest
