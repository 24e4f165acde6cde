"""Byte ranges (RFC 9110 section 14) and the ranges of upload chunks."""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK = re.compile(r"(?:bytes[ =])?(\d+)-(\d+)(?:/(?:\d+|\*))?")


class Unsatisfiable(Exception):
    """The range lies beyond the end."""


def asked(header: str, size: int) -> tuple[int, int] | None:
    """Return first byte and length of a Range header; None for the whole: no range, several, or none of bytes.

    Args:
        header: the header's value, or empty.
        size: the whole size in bytes.

    Raises:
        Unsatisfiable: it begins beyond the end.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        if length == 0:
            raise Unsatisfiable
        return size - length, length
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, min(last, size - 1) - first + 1


def chunk(header: str) -> tuple[int, int] | None:
    """Return first byte and length of an upload chunk's Content-Range, ``0-1023``; None when it is none."""
    found = _CHUNK.fullmatch(header.strip())
    if found is None or int(found[2]) < int(found[1]):
        return None
    return int(found[1]), int(found[2]) - int(found[1]) + 1
