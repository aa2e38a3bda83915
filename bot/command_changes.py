"""What is different between the commands that Discord knows and ours: pure functions on the payloads of its API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Payload = Mapping[str, Any]

SHOWN = 100  # characters of a value
# What Discord adds to a command, and `dm_permission`, which `contexts` has replaced.
_NOT_OURS = frozenset(
    {
        *("id", "application_id", "guild_id", "version", "handler", "dm_permission", "default_permission"),
        *("name_localized", "description_localized"),
    }
)
_UNORDERED = frozenset(("contexts", "integration_types", "channel_types"))
_SLASH = 1


class Kind(StrEnum):
    """What becomes of a command."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One command that differs. `details` says what, where it is changed; `payload` is ours, and where there is none,
    Discord's."""

    kind: Kind
    payload: Payload
    details: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As people call it: `/name`, or the name of the menu entry."""
        name = str(self.payload["name"])
        return f"/{name}" if _type(self.payload) == _SLASH else name


def changes(ours: Sequence[Payload], theirs: Sequence[Payload]) -> list[Change]:
    """How Discord's commands must change to be ours: ours in our order, then those to remove."""
    known = {_key(command): command for command in theirs}
    found: list[Change] = []
    for command in ours:
        registered = known.pop(_key(command), None)
        if registered is None:
            found.append(Change(Kind.ADDED, command))
        elif details := tuple(_differences(essence(registered), essence(command), "")):
            found.append(Change(Kind.CHANGED, command, details))
    return [*found, *(Change(Kind.REMOVED, command) for command in known.values())]


def described(change: Change) -> str:
    """Lines for a terminal."""
    sign = {Kind.ADDED: "+", Kind.CHANGED: "~", Kind.REMOVED: "-"}[change.kind]
    return "\n".join([f"{sign} {change.name} {change.kind}", *(f"    {detail}" for detail in change.details)])


def essence(value: Any) -> Any:
    """A command, or a part of one, without what says nothing: what Discord adds, and what is as by default."""
    if isinstance(value, Mapping):
        parts = {key: _part(key, part) for key, part in value.items() if key not in _NOT_OURS}
        return {key: part for key, part in parts.items() if not _says_nothing(part)}
    if isinstance(value, list | tuple):
        return [essence(item) for item in value]
    return value


def _part(key: str, value: Any) -> Any:
    if key in _UNORDERED and value is not None:
        return sorted(value)
    if key == "default_member_permissions" and value is not None:
        return str(value)  # Discord answers with a text
    return essence(value)


def _says_nothing(value: Any) -> bool:
    """Zero says something: of a least value, or of permissions."""
    return value is None or value is False or value in ("", [], {})


def _key(command: Payload) -> tuple[int, str]:
    return _type(command), str(command["name"])


def _type(command: Payload) -> int:
    return int(command.get("type") or _SLASH)


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    """`path: old -> new`, as deep as both have the same parts."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            where = f"{path}.{key}" if path else str(key)
            if key not in old:
                yield f"{where}: added, {_shown(new[key])}"
            elif key not in new:
                yield f"{where}: removed, was {_shown(old[key])}"
            else:
                yield from _differences(old[key], new[key], where)
    elif (before := _by_name(old)) is not None and (after := _by_name(new)) is not None:
        yield from _differences(before, after, path)
        if before.keys() == after.keys() and list(before) != list(after):
            yield f"{path}: in another order, {', '.join(after)}"
    else:
        yield f"{path}: {_shown(old)} -> {_shown(new)}"


def _by_name(value: Any) -> dict[str, Any] | None:
    """Options or choices by their names; None for anything else."""
    if not isinstance(value, list) or not all(isinstance(item, Mapping) and "name" in item for item in value):
        return None
    return {str(item["name"]): item for item in value}


def _shown(value: Any) -> str:
    """JSON, in which no control character is left."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
