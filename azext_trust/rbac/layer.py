"""A mapping laid over another one, for what-if: what is changed here hides what lies below, which stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TypeVar, cast

K = TypeVar("K")
V = TypeVar("V")

_GONE: Any = object()
_NOTHING: Any = object()


class Layer(MutableMapping[K, V]):
    """A mapping over another.

    INVARIANT: what lies below is never changed through it: values that are containers are copied before they are
    (see `writable`).

    Args:
        below: what shines through.
    """

    __slots__ = ("_below", "_own")

    def __init__(self, below: MutableMapping[K, V]) -> None:
        self._below = below
        self._own: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        found = self._own.get(key, _NOTHING)
        if found is _NOTHING:
            return self._below[key]
        if found is _GONE:
            raise KeyError(key)
        return cast(V, found)

    def get(self, key: K, default: Any = None) -> Any:
        """Return what stands under a key, or the default."""
        found = self._own.get(key, _NOTHING)
        if found is _NOTHING:
            return self._below.get(key, default)
        return default if found is _GONE else found

    def __setitem__(self, key: K, value: V) -> None:
        self._own[key] = value

    def __delitem__(self, key: K) -> None:
        if key not in self:
            raise KeyError(key)
        self._own[key] = _GONE

    def __contains__(self, key: object) -> bool:
        found = self._own.get(cast(K, key), _NOTHING)
        return key in self._below if found is _NOTHING else found is not _GONE

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._below if key not in self._own)
        yield from (key for key, value in self._own.items() if value is not _GONE)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def hide(self, key: K) -> None:
        """Let nothing shine through under a key, whether or not something lies below it now."""
        self._own[key] = _GONE

    def own(self, key: K, copy: Callable[[V], V]) -> V | None:
        """Return the value of a key as one that may be changed: copied into this layer when it is from below."""
        found = self.get(key)
        if found is not None and key not in self._own:
            found = self._own[key] = copy(found)
        return cast("V | None", found)


def over(table: MutableMapping[K, V]) -> MutableMapping[K, V]:
    """Return a layer over a table, with the table's own type for whoever uses it."""
    return Layer(table)


def writable(table: MutableMapping[K, V], key: K, new: Callable[..., V]) -> V:
    """Return the container under a key, to be changed in place; made when there is none.

    Args:
        table: a dict, or a layer: there a container from below is copied first.
        key: where it stands.
        new: makes an empty container, or with an argument a copy: ``dict``, ``set``, ``list``.
    """
    found = table.own(key, new) if isinstance(table, Layer) else table.get(key)
    if found is None:
        found = table[key] = new()
    return found


def forget(table: MutableMapping[K, V], key: K) -> None:
    """Take away what a cache keeps under a key; in a layer also what may be put below it later."""
    if isinstance(table, Layer):
        table.hide(key)
    else:
        table.pop(key, None)
