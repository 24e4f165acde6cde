"""What a process remembers of stored content, as long as nothing changed."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """The most recently used values, each as of a number that changes move (`store.moments`).

    Args:
        most: how many bytes the values may take together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, ...], tuple[int, V, int]] = OrderedDict()

    def get(self, key: tuple[str, ...], number: int) -> V | None:
        """Return a value that is as of this number, or None."""
        with self._lock:
            found = self._known.get(key)
            if found is None or found[0] != number:
                return None
            self._known.move_to_end(key)
            return found[1]

    def put(self, key: tuple[str, ...], number: int, value: V, size: int) -> None:
        """Remember a value.

        Args:
            key: what it is.
            number: the number it is as of, read in the same transaction.
            value: the value; nobody may change it.
            size: bytes it takes.
        """
        if size > self._most // 8:
            return
        with self._lock:
            before = self._known.pop(key, None)
            self._held += size - (before[2] if before is not None else 0)
            self._known[key] = (number, value, size)
            while self._held > self._most:
                _, (_, _, freed) = self._known.popitem(last=False)
                self._held -= freed
