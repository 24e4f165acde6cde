r"""JSON as notary signs and spells it (dct-wire-contract.md section 5; docker/go canonical/json).

Canonical: members sorted by bytes, no white space, only ``"`` and ``\`` escaped, raw UTF-8, whole numbers.
Spelt: the same, with ``<``, ``>``, ``&``, U+2028 and U+2029 escaped, as Go's encoder puts a signed part in its envelope.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from azext_trust.tuf.errors import AmbiguousMetadata, MalformedMetadata

MAX_INTEGER = 2**53
"""Go reads numbers of a signed part as 64-bit floats: beyond this its canonical form is another number."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_ESCAPE = re.compile(r'\\(?:["\\]|(.))')
_HTML = {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"}
_HTML_PATTERN = re.compile("[<>&\u2028\u2029]")


def encode(value: Any) -> bytes:
    """Return the canonical form, over which signatures and key ids are made.

    Args:
        value: dicts with text keys, lists, text, whole numbers, booleans and None.

    Raises:
        MalformedMetadata: the value has no canonical form that every reader agrees on: not JSON, a control character,
            half of a surrogate pair.
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedMetadata(f"no canonical form: {error}") from None
    if "\\" in text and any(found[1] for found in _ESCAPE.finditer(text)):
        # Go leaves control characters raw where Python escapes them: such text is never written, nor believed.
        raise AmbiguousMetadata("a text holds a control character")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise AmbiguousMetadata("a text is not valid Unicode") from None


def spell(canonical: bytes) -> bytes:
    """Return canonical JSON as Go's encoder writes it inside an envelope."""
    if not any(mark in canonical for mark in (b"<", b">", b"&", b"\xe2\x80\xa8", b"\xe2\x80\xa9")):
        return canonical
    return _HTML_PATTERN.sub(lambda found: _HTML[found[0]], canonical.decode()).encode()


def decode_again(data: bytes) -> Any:
    """Read JSON that was checked when it was stored; nothing is checked but that it is JSON."""
    return json.loads(data)


def decode(data: bytes, *, distinct: bool = True) -> Any:
    """Read JSON, refusing what readers understand differently.

    Args:
        data: UTF-8.
        distinct: look for members that occur twice; costs about three times as much.

    Raises:
        MalformedMetadata: it is no JSON, or nested too deep.
        AmbiguousMetadata: a member occurs twice, or a number is a float or too large.
    """
    hook = _distinct if distinct else None
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=hook, parse_float=_no_float, parse_constant=_no_float, parse_int=_integer
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise MalformedMetadata(f"no JSON: {error}") from None
    return value


def check_spelling(members: dict[str, Any], known: frozenset[str]) -> None:
    """Refuse members that Go would take for a known one: it ignores case when it fills a structure.

    Args:
        members: an object that Go reads into a structure, not a map of names.
        known: the structure's members, lower case.

    Raises:
        AmbiguousMetadata: one differs from a known member in case alone.
    """
    if members.keys() <= known:
        return
    for name in members:
        if name not in known and name.casefold() in known:
            raise AmbiguousMetadata(f"the member {name!r} is spelt in another case")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise AmbiguousMetadata("a member occurs twice")
    return made


def _no_float(text: str) -> NoReturn:
    raise AmbiguousMetadata(f"{text} is no whole number")


def _integer(text: str) -> int:
    if len(text) > 15 and (len(text) > 17 or abs(int(text)) > MAX_INTEGER):
        raise AmbiguousMetadata(f"{text[:40]} is too large")
    return int(text)
