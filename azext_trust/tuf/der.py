"""The little of ASN.1's distinguished encoding that key files and certificates need (X.690)."""

from __future__ import annotations

from dataclasses import dataclass

INTEGER, OCTETS, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31


class DerError(ValueError):
    """The bytes are no such structure."""


@dataclass(frozen=True)
class Element:
    """One element: its tag and what is in it."""

    tag: int
    content: bytes

    def children(self) -> list[Element]:
        """Return what is in a sequence or set.

        Raises:
            DerError: it is none, or broken off.
        """
        if self.tag not in (SEQUENCE, SET):
            raise DerError("a sequence is missing")
        found, rest = [], self.content
        while rest:
            element, rest = read(rest)
            found.append(element)
        return found

    def of(self, tag: int) -> bytes:
        """Return the content of an element that must be of a kind.

        Raises:
            DerError: it is of another.
        """
        if self.tag != tag:
            raise DerError("an element of another kind")
        return self.content

    def number(self) -> int:
        """Return a whole number."""
        return int.from_bytes(self.of(INTEGER), signed=True)


def read(data: bytes) -> tuple[Element, bytes]:
    """Return the first element and what follows it.

    Raises:
        DerError: there is no whole element.
    """
    if len(data) < 2:
        raise DerError("broken off")
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        if not 2 < start <= 6:
            raise DerError("a length that no key has")
        size = int.from_bytes(data[2:start])
    if len(data) < start + size:
        raise DerError("broken off")
    return Element(data[0], data[start : start + size]), data[start + size :]


def write(tag: int, *content: bytes) -> bytes:
    """Return an element."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body


def integer(value: int) -> bytes:
    """Return a whole number, not negative."""
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    """Return an object identifier."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = bytearray([first * 40 + second])
    for value in rest:
        digits = [value & 0x7F]
        while value := value >> 7:
            digits.append(0x80 | value & 0x7F)
        body += bytes(reversed(digits))
    return write(OID, bytes(body))
