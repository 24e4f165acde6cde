"""Sets of numbers as the bits of one whole number: union, intersection and difference at the machine's speed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_OF_BYTE = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def of(numbers: Iterable[int]) -> int:
    """Return the set of these numbers."""
    found = list(numbers)
    if len(found) < 4:
        mask = 0
        for number in found:
            mask |= 1 << number
        return mask
    data = bytearray(max(found) // 8 + 1)
    for number in found:
        data[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(data, "little")


def numbers(mask: int) -> Iterator[int]:
    """Yield the members of a set in rising order."""
    data = mask.to_bytes((mask.bit_length() + 7) // 8, "little")
    for at, byte in enumerate(data):
        if byte:
            for bit in _OF_BYTE[byte]:
                yield at * 8 + bit


def few(mask: int) -> Iterator[int]:
    """Yield the members of a set that has few of them, lowest first; quicker than `numbers` for a handful."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def has(mask: int, number: int) -> bool:
    """Tell whether a number is in a set."""
    return bool(mask >> number & 1)
