"""What was computed is kept as long as there is room for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

ENTRY_BYTES = 512  # the key and what keeps the entry in its place, generously


class BoundedCache(Generic[Key, Value]):
    """At most `limit` bytes of values, by the measure of `size` and with `ENTRY_BYTES` for each; what was not asked for
    longest goes first, and a value that is larger than all the room is not kept. Thread-safe."""

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size = size
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._held = 0
        self._hits = self._misses = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes of all that is kept."""
        with self._lock:
            return self._held

    @property
    def uses(self) -> tuple[int, int]:
        """How often a value was asked for that was kept, and that was not."""
        with self._lock:
            return self._hits, self._misses

    def get(self, key: Key) -> Value | None:
        """The value, if it is kept."""
        with self._lock:
            if key not in self._entries:
                self._misses += 1
                return None
            self._hits += 1
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: Key, value: Value) -> None:
        """Keep the value in place of the one before, if there is room for it at all."""
        size = self._size(value) + ENTRY_BYTES
        with self._lock:
            _, freed = self._entries.pop(key, (None, 0))
            self._held -= freed
            if size > self._limit:
                return
            self._entries[key] = (value, size)
            self._held += size
            while self._held > self._limit:
                _, (_, freed) = self._entries.popitem(last=False)
                self._held -= freed

    def complete(self, keys: Sequence[Key], compute: Callable[[list[int]], Sequence[Value]]) -> list[Value]:
        """The value of each key. Those that are not kept are computed in one call, each once: `compute` is given the
        place of each in `keys` and returns their values in order. What it raises propagates."""
        values = {key: value for key in keys if (value := self.get(key)) is not None}
        missing: dict[Key, int] = {}
        for place, key in enumerate(keys):
            if key not in values:
                missing.setdefault(key, place)
        if missing:
            for key, value in zip(missing, compute(list(missing.values())), strict=True):
                values[key] = value
                self.put(key, value)
        return [values[key] for key in keys]
