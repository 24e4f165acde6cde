"""A mapping over another: what-if stands on it."""

from __future__ import annotations

from collections.abc import MutableMapping

import pytest

from azext_trust.rbac import bits, layer


def pair() -> tuple[dict[str, list[int]], MutableMapping[str, list[int]]]:
    """Return a mapping and a layer over it, with one key changed, one added, one taken away."""
    below = {"kept": [1], "changed": [2], "gone": [3]}
    above = layer.over(below)
    layer.writable(above, "changed", list).append(4)
    layer.writable(above, "new", list).append(5)
    del above["gone"]
    return below, above


def test_what_is_above_hides_what_is_below() -> None:
    """M23: reading goes through where nothing was changed."""
    _, above = pair()
    assert dict(above) == {"kept": [1], "changed": [2, 4], "new": [5]}
    assert (len(above), "gone" in above, above.get("gone"), above["kept"]) == (3, False, None, [1])


def test_what_is_below_stays() -> None:
    """M23: containers are copied before they are changed."""
    below, _ = pair()
    assert below == {"kept": [1], "changed": [2], "gone": [3]}


def test_what_is_not_there() -> None:
    """M23: as a dict says it."""
    _, above = pair()
    with pytest.raises(KeyError):
        above["gone"]
    with pytest.raises(KeyError):
        del above["gone"]


def test_forgotten_keys_stay_forgotten() -> None:
    """M23: a cache that is filled below later must not shine through."""
    below: dict[str, int] = {}
    above = layer.over(below)
    layer.forget(above, "x")
    below["x"] = 1
    assert above.get("x") is None
    layer.forget(below, "x")
    assert below == {}


@pytest.mark.parametrize("members", [[], [0], [0, 7, 8], [3, 5, 8, 13, 21, 1000], list(range(70))])
def test_bits(members: list[int]) -> None:
    """Sets of numbers as bits: there and back again, both ways of reading."""
    mask = bits.of(members)
    assert list(bits.numbers(mask)) == list(bits.few(mask)) == members
    assert all(bits.has(mask, number) for number in members)
    assert not bits.has(mask, 2000)
