"""Valid metadata with one thing wrong: never accepted as something else, never another exception than ours (M16, M18)."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_trust.tuf import edit, keys, roles
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import TufError
from azext_trust.tuf.publish import Refused, validate_update
from azext_trust.tuf.trusted import TrustedSet
from tests.trust import GUN, NOW, NotarySimulator, Publisher, image

ROLES = ("root", "timestamp", "snapshot", "targets", "targets/alice")
EXAMPLES = settings(max_examples=120, deadline=None)


@cache
def collection() -> dict[str, bytes]:
    """Return a repository with a delegation and tags."""
    return _published().remote.current


@cache
def _published() -> Publisher:
    publisher = Publisher(NotarySimulator())
    publisher.initialise("v1", "v2")
    publisher.delegate("targets/alice", keys.generate())
    publisher.add("a1", "targets/alice")
    return publisher


@cache
def upload() -> dict[str, bytes]:
    """Return parts that the server of `collection` would take."""
    publisher = _published()
    targets = publisher.sign(edit.with_target(publisher.targets().fields, "v3", image("v3")))
    alice = publisher.sign(edit.with_target(publisher.targets("targets/alice").fields, "a2", image()), "targets/alice")
    root = edit.sign_root(publisher.root.fields, publisher.private, NOW, publisher.root)
    return {"root": root.raw, "targets": targets.raw, "targets/alice": alice.raw}


def load(parts: dict[str, bytes]) -> TrustedSet:
    """Go through the client workflow."""
    trusted = TrustedSet(GUN, NOW)
    trusted.trust_first_root(parts["root"])
    trusted.update_timestamp(parts["timestamp"])
    trusted.update_snapshot(parts["snapshot"])
    for role in ("targets", "targets/alice"):
        trusted.update_targets(parts[role], role)
    return trusted


@st.composite
def bytes_changed(draw: st.DrawFn, raw: bytes) -> bytes:
    """Change, insert, remove or repeat some bytes."""
    at = draw(st.integers(0, len(raw) - 1))
    size = draw(st.integers(0, 8))
    new = draw(st.binary(max_size=8) | st.just(raw[at : at + 40]))
    return raw[:at] + new + raw[at + size :]


VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 1.5, "", "x", "\x00", "targets/zz", [], {}, [{}], {"a": 1}, "AA==",
     "2099-01-01T00:00:00Z", "root", "Targets", ["x"]]
)  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[Any] = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [path, *(deeper for name, one in inner for deeper in _paths(one, (*path, name)))]


@st.composite
def member_changed(draw: st.DrawFn, raw: bytes) -> bytes:
    """Replace, remove, rename or copy one member somewhere."""
    value = copy.deepcopy(json.loads(raw))
    path = draw(st.sampled_from(_paths(value)[1:]))
    holder = value
    for step in path[:-1]:
        holder = holder[step]
    what = draw(st.sampled_from(["replace", "remove", "case", "copy"]))
    old = holder.pop(path[-1])
    if what == "replace" or not isinstance(path[-1], str):
        new = draw(VALUES)
        holder[path[-1]] = new if isinstance(holder, dict) else holder.insert(path[-1], new)
    elif what != "remove":
        holder[path[-1].upper()] = old
        if what == "copy":
            holder[path[-1]] = draw(VALUES)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def check_client(role: str, raw: bytes) -> None:
    """Load a collection with one role changed: the same as before, or refused by a class of ours."""
    try:
        trusted = load({**collection(), role: raw})
    except TufError:
        return
    found = {"root": trusted.root, "timestamp": trusted.timestamp, "snapshot": trusted.snapshot, **trusted.targets}
    for name, signed in found.items():
        assert signed is not None
        assert signed.fields == Envelope.parse(collection()[name]).fields


def check_server(role: str, raw: bytes) -> None:
    """Upload with one part changed: stored with the signed content it had, or refused by a class of ours."""
    remote = _published().remote
    try:
        accepted = validate_update(remote.collection, {**upload(), role: raw}.items(), remote.held, NOW)
    except Refused:
        return
    for name, part in upload().items():
        assert accepted.versions[name].fields == Envelope.parse(part).fields
        assert accepted.versions[name].raw == (raw if name == role else part)


@pytest.mark.parametrize("role", ROLES)
@given(data=st.data())
@EXAMPLES
def test_bytes_at_the_client(role: str, data: st.DataObject) -> None:
    """M18: wrong bytes."""
    check_client(role, data.draw(bytes_changed(collection()[role])))


@pytest.mark.parametrize("role", ROLES)
@given(data=st.data())
@EXAMPLES
def test_members_at_the_client(role: str, data: st.DataObject) -> None:
    """M18: wrong members."""
    check_client(role, data.draw(member_changed(collection()[role])))


@pytest.mark.parametrize("role", ["root", "targets", "targets/alice"])
@given(data=st.data())
@EXAMPLES
def test_bytes_at_the_server(role: str, data: st.DataObject) -> None:
    """M16: wrong bytes."""
    check_server(role, data.draw(bytes_changed(upload()[role])))


@pytest.mark.parametrize("role", ["root", "targets", "targets/alice"])
@given(data=st.data())
@EXAMPLES
def test_members_at_the_server(role: str, data: st.DataObject) -> None:
    """M16: wrong members."""
    check_server(role, data.draw(member_changed(upload()[role])))


@pytest.mark.parametrize("role", ["root", "targets", "targets/alice"])
@given(data=st.data())
@EXAMPLES
def test_signed_nonsense_at_the_server(role: str, data: st.DataObject) -> None:
    """M16: a signer with all keys who signs nonsense gets a refusal, or a collection that every client reads."""
    publisher, remote = _published(), _published().remote
    changed = json.loads(data.draw(member_changed(upload()[role])))
    try:
        signers = publisher.root.of(role) if role in roles.BASE_ROLES else publisher.targets().delegations[role].role
        fields = {**changed["signed"], "version": changed["signed"]["version"] - 1}
        part = edit.sign(signers, fields, publisher.private, NOW)
        accepted = validate_update(remote.collection, {**upload(), role: part.raw}.items(), remote.held, NOW)
    except (Refused, TufError, TypeError, KeyError):
        return
    stored = {**remote.current, **{name: envelope.raw for name, envelope in accepted.versions.items()}}
    trusted = TrustedSet(GUN, NOW)
    trusted.load_trusted_root(remote.current["root"])
    trusted.update_root(stored["root"])
    trusted.update_timestamp(stored["timestamp"])
    trusted.update_snapshot(stored["snapshot"])
    trusted.update_targets(stored["targets"])


def test_the_collection_is_valid() -> None:
    """M16: unchanged, client and server take it: the other tests change something that is right."""
    assert load(collection()).targets["targets/alice"].targets.keys() == {"a1"}
    remote = _published().remote
    assert validate_update(remote.collection, upload().items(), remote.held, NOW).numbers["root"] == 2
