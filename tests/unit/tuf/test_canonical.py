"""Canonical JSON exactly as notary signs it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_trust.tuf import canonical
from azext_trust.tuf.errors import AmbiguousMetadata, MalformedMetadata

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_round_trip(value: object) -> None:
    """M16: what is encoded is read again as the same, and encoded the same."""
    raw = canonical.encode(value)
    assert canonical.decode(raw) == value
    assert canonical.encode(json.loads(raw)) == raw


@given(st.dictionaries(TEXT, st.integers(0, 9), min_size=2))
def test_sorted_by_bytes(value: dict[str, int]) -> None:
    """M16: members stand in the order of their UTF-8 bytes."""
    names = list(json.loads(canonical.encode(value)))
    assert names == sorted(names, key=lambda name: name.encode())


def test_escapes() -> None:
    """M16: only quotation marks and backslashes are escaped; what is not ASCII stays."""
    assert canonical.encode({"ä": 'a"b\\c/\u2028<'}) == '{"ä":"a\\"b\\\\c/\u2028<"}'.encode()


@pytest.mark.parametrize("text", [chr(code) for code in range(0x20)])
def test_control_characters(text: str) -> None:
    """M16: a control character has no form that all readers agree on: never written."""
    with pytest.raises(AmbiguousMetadata):
        canonical.encode({"name": f"a\\{text}b"})


def test_escaped_backslash_is_no_control_character() -> None:
    """M16: a backslash before a letter is a text like any other."""
    assert canonical.encode("\\n\\u0000") == b'"\\\\n\\\\u0000"'


@pytest.mark.parametrize("value", [float("nan"), "\ud800", object(), b"x", {"a": object()}])
def test_no_canonical_form(value: object) -> None:
    """M16: what JSON or notary cannot say is refused."""
    with pytest.raises(MalformedMetadata):
        canonical.encode(value)


@pytest.mark.parametrize(
    "raw",
    [b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b"1.0", b"1e3", b"-0.0", b"NaN", b"Infinity", b"9007199254740993",
     b"1" * 5000],
)  # fmt: skip
def test_ambiguous(raw: bytes) -> None:
    """M16: members that occur twice, floats and numbers beyond a float's precision are refused."""
    with pytest.raises(AmbiguousMetadata):
        canonical.decode(raw)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"{} x", b"[" * 200000, b'"\x01"'])
def test_malformed(raw: bytes) -> None:
    """M16: what is no JSON is refused, also when it is nested without end."""
    with pytest.raises(MalformedMetadata):
        canonical.decode(raw)


def test_spelling() -> None:
    """M16: inside an envelope Go escapes what HTML and JavaScript would read."""
    raw = canonical.encode("<a>&\u2028\u2029ä")
    assert canonical.spell(raw) == '"\\u003ca\\u003e\\u0026\\u2028\\u2029ä"'.encode()
    assert canonical.decode(canonical.spell(raw)) == "<a>&\u2028\u2029ä"


@pytest.mark.parametrize("name", ["Signed", "SIGNED", "\u017figned"])
def test_other_case(name: str) -> None:
    """M16: a member that Go would take for another is refused."""
    with pytest.raises(AmbiguousMetadata):
        canonical.check_spelling({name: 1}, frozenset({"signed"}))


def test_unknown_members() -> None:
    """M16: other members are nobody's affair."""
    canonical.check_spelling({"signed": 1, "more": 2}, frozenset({"signed"}))
