"""Everything that a profile needs, fetched ahead: `interrogate fetch PROFILE`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from interrogator.engines.clip.captioners import CAPTIONERS, NONE, locate
from interrogator.engines.clip.download import Remote, Tell, download
from interrogator.engines.clip.hub import HubFile, listing, store
from interrogator.engines.clip.names import CONFIG, Repository, Source, Tagged, parse
from interrogator.engines.clip.places import HUB_WEIGHTS, companions, hub_weights, url_cache
from interrogator.errors import FetchError
from interrogator.profiles import ClipProfile

_SMALL = (".json", ".txt", ".model", ".jinja")  # configurations and tokenizers
_INDEX = ".index.json"


@dataclass(frozen=True, slots=True)
class Fetching:
    """Progress: `done` of `total` bytes of all files, and the file that is being fetched or verified."""

    file: str
    done: int
    total: int


FetchReport = Callable[[Fetching], None]
"""Receives progress. May raise, to stop: a later `fetch` goes on from there."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One file to have. `size` 0 where it is not known ahead."""

    name: str
    size: int
    have: Callable[[Tell], object]


def fetch(profile: ClipProfile, report: FetchReport | None = None) -> None:
    """Fetch what the profile's models and captioner need and is not on this machine; verify what is.

    Broken connections are resumed, also by a later call; files get their names only when they are whole and their
    checksums right; damaged ones are fetched again. Errors: FetchError; and, for what is named wrongly, those of
    `load_clip`.
    """
    sources = [parse(name) for name in profile.models]
    items = [item for source in sources for item in _model_items(source)]
    if profile.captioner in CAPTIONERS:
        items += _items(_captioner_files(listing(CAPTIONERS[profile.captioner].repository)))
    elif profile.captioner != NONE:
        locate(profile.captioner)
    _have_all(items, report or (lambda _event: None))
    for source in sources:  # a repository tells only now which others it needs
        if isinstance(source, Repository):
            _have_all(_companion_items(source), report or (lambda _event: None))


def fetch_url(url: str, folder: Path, tell: Tell | None = None) -> Path:
    """The file of a plain address, in `folder` under its own name; verified where the address carries a checksum, as
    OpenAI's and open_clip's do. FetchError as `download`."""
    name = url.rpartition("/")[2]
    target = folder / name
    download(Remote(url=url, name=name, checksum=_checksum_in(url)), target, tell)
    return target


def _have_all(items: Sequence[_Item], report: FetchReport) -> None:
    total = sum(item.size for item in items)
    before = 0
    for item in items:

        def tell(done: int, item: _Item = item, before: int = before) -> None:
            report(Fetching(item.name, before + done, max(total, before + done)))

        tell(0)
        item.have(tell)
        before += item.size


def _model_items(source: Source) -> list[_Item]:
    match source:
        case Tagged():
            hub = hub_weights(source)
            own = _items([_first(listing(hub[0]), hub[1])]) if hub else [_url_item(str(source.config.get("url", "")))]
            return own + _companion_items(source)
        case Repository():
            files = listing(source.id)
            small = [file for file in files if file.name.endswith(_SMALL) and "/" not in file.name]
            return _items([*small, _first(files, HUB_WEIGHTS), _first(files, (CONFIG,))])
        case _:
            return _companion_items(source)


def _companion_items(source: Source) -> list[_Item]:
    """Tokenizers and configurations of text towers that are not open_clip's own; their weights are in the model's."""
    files = [file for repository in companions(source) for file in listing(repository)]
    return _items([file for file in files if file.name.endswith(_SMALL) and "/" not in file.name])


def _captioner_files(files: Sequence[HubFile]) -> list[HubFile]:
    """Configuration, tokenizer and weights, the latter once: safetensors where there are any."""
    here = [file for file in files if "/" not in file.name]
    small = [file for file in here if file.name.endswith(_SMALL) and not file.name.endswith(_INDEX)]
    for stem, suffix in (("model", ".safetensors"), ("pytorch_model", ".bin")):
        weights = [
            file for file in here if file.name.startswith(stem) and file.name.endswith((suffix, suffix + _INDEX))
        ]
        if weights:
            whole = [file for file in weights if file.name == stem + suffix]
            return small + (whole or weights)
    raise FetchError(f"{files[0].repository if files else 'The repository'} has no weights of a known format.")


def _first(files: Sequence[HubFile], names: Sequence[str]) -> HubFile:
    for name in names:
        for file in files:
            if file.name == name:
                return file
    where = files[0].repository if files else "The repository"
    raise FetchError(f"{where} has none of {', '.join(names)}.")


def _items(files: Sequence[HubFile]) -> list[_Item]:
    return [_Item(file.remote.name, file.size, partial(store, file)) for file in dict.fromkeys(files)]


def _url_item(url: str) -> _Item:
    if not url:
        raise FetchError("open_clip does not say where the weights of this model are.")
    return _Item(url.rpartition("/")[2], 0, lambda tell: fetch_url(url, url_cache(), tell))


def _checksum_in(url: str) -> str:
    """The sha256, or its beginning, that an address carries: OpenAI's as a folder, open_clip's at the name's end."""
    parts = url.split("/")
    if "openaipublic" in url:
        return parts[-2]
    return parts[-1].rpartition(".")[0].rpartition("-")[2] if "mlfoundations" in url else ""
