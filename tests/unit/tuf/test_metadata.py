"""Metadata as notary 0.7 wrote them, and what is no metadata."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_trust.tuf import conformity, edit, keys, roles, times, verify, walk
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import (
    AmbiguousMetadata,
    ForgedMetadata,
    MalformedMetadata,
    RepeatedKey,
    TrustError,
    Unsigned,
    WrongKeyId,
    WrongRole,
)
from azext_trust.tuf.metadata import FileMeta, Role, Root, Signed, Snapshot, Targets, Timestamp
from azext_trust.tuf.trusted import TrustedSet
from tests.trust import NOW, NotarySimulator, Publisher, image

GOLDEN = Path(__file__).with_name("notary")
THEN = datetime(2026, 11, 25, tzinfo=UTC)
CLASSES: dict[str, type[Signed]] = {"root": Root, "targets": Targets, "snapshot": Snapshot, "timestamp": Timestamp}
NAMES = sorted(path.name for path in GOLDEN.glob("*.json"))


def golden(name: str) -> bytes:
    """Return a file that notary-server 0.7 with docker and notary as clients left."""
    return (GOLDEN / f"{name}.json").read_bytes()


def collection() -> TrustedSet:
    """Go through the whole workflow on notary's files, from the first root."""
    trusted = TrustedSet("registry.example/golden", THEN)
    trusted.trust_first_root(golden("1.root"))
    trusted.update_root(golden("2.root"))
    trusted.update_root(golden("root"))
    trusted.update_timestamp(golden("timestamp"))
    trusted.update_snapshot(golden("snapshot"))
    for role in ("targets", "targets/alice", "targets/releases"):
        trusted.update_targets(golden(role.replace("/", ".")), role)
    return trusted


def test_notarys_own_collection() -> None:
    """M16: what notary and docker wrote verifies step by step, keys of three kinds and two rotations included."""
    assert set(walk.released(collection().targets)) == {"v1"}


@pytest.mark.parametrize("name", NAMES)
def test_our_spelling_is_notarys(name: str) -> None:
    """M16: read and written again, notary's files are the same bytes."""
    envelope = Envelope.parse((GOLDEN / name).read_bytes())
    again = Envelope.build(envelope.fields, envelope.signatures, envelope.payload)
    assert again.raw == envelope.raw
    assert envelope.spelt


@pytest.mark.parametrize("name", [name for name in NAMES if "root" in name or "targets" in name])
def test_nothing_to_object(name: str) -> None:
    """M16: the server's stricter checks find nothing in them."""
    envelope = Envelope.parse((GOLDEN / name).read_bytes())
    conformity.check_spelling(envelope, roles.ROOT if "root" in name else roles.TARGETS)
    if "root" in name:
        conformity.check_root(Root(envelope))
    else:
        conformity.check_targets(Targets(envelope, name.removesuffix(".json").replace(".", "/")))


# Form


def changed(name: str, **members: Any) -> bytes:
    """Return one of notary's files with members of the signed part replaced; None removes."""
    value = json.loads(golden(name))
    value["signed"] = {k: v for k, v in {**value["signed"], **members}.items() if v is not None}
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("root", {"version": 0}), ("root", {"version": "1"}), ("root", {"version": True}), ("root", {"version": 2**31}),
        ("root", {"expires": "tomorrow"}), ("root", {"expires": None}), ("root", {"expires": "2026-02-30T00:00:00Z"}),
        ("root", {"keys": None}), ("root", {"keys": []}), ("root", {"roles": {}}), ("root", {"roles": {"root": None}}),
        ("targets", {"targets": []}), ("targets", {"targets": {"v1": 1}}), ("targets", {"targets": {"v1": {}}}),
        ("targets", {"targets": {"v1": {"length": -1, "hashes": {}}}}),
        ("targets", {"targets": {"v1": {"length": 1, "hashes": {"sha256": 1}}}}),
        ("targets", {"delegations": {"keys": {}, "roles": [{"name": "targets/a/b", "keyids": [], "threshold": 1}]}}),
        ("targets", {"delegations": {"keys": {}, "roles": [{"name": "targets/A", "keyids": [], "threshold": 1}]}}),
        ("targets", {"delegations": {"keys": {}, "roles": [{"name": "targets/a", "keyids": [], "threshold": 0}]}}),
        ("targets", {"delegations": {"keys": {}, "roles": [{"name": "targets/a", "keyids": ["x"], "threshold": 1}]}}),
        ("targets", {"delegations": {"keys": {}, "roles": {}}}), ("targets", {"delegations": {"keys": {}, "roles": [1]}}),
        ("snapshot", {"meta": {}}), ("snapshot", {"meta": None}), ("timestamp", {"meta": {"snapshot": {}}}),
        ("timestamp", {"meta": {"snapshot": {"length": 1, "hashes": {"sha512": "AA=="}}}}),
    ],
)  # fmt: skip
def test_malformed(name: str, members: dict[str, Any]) -> None:
    """M16: a member that is missing or of another kind makes it no metadata."""
    with pytest.raises(MalformedMetadata):
        CLASSES[name].parse(changed(name, **members))


@pytest.mark.parametrize(
    "raw", [b"[]", b"{}", b'{"signed":[]}', b'{"signed":{},"signatures":{}}', b'{"signatures":[]}']
)
def test_no_envelope(raw: bytes) -> None:
    """M16: an envelope has a signed part and a list of signatures."""
    with pytest.raises(MalformedMetadata):
        Envelope.parse(raw)


@pytest.mark.parametrize(
    "raw",
    [b'{"signed":{"a":1,"a":1},"signatures":[]}', b'{"signed":{},"signed":{},"signatures":[]}',
     b'{"signed":{},"Signed":{},"signatures":[]}', b'{"signed":{"a":"\\u0000"},"signatures":[]}',
     b'{"signed":{"a":0.5},"signatures":[]}', b'{"signed":{"a":"\\ud800"},"signatures":[]}',
     b'{"signed":{},"signatures":[{"keyid":"a","KeyId":"b","method":"c","sig":""}]}'],
)  # fmt: skip
def test_ambiguous(raw: bytes) -> None:
    """M16: what two readers would read as two things is refused."""
    with pytest.raises(AmbiguousMetadata):
        Envelope.parse(raw)


def test_wrong_role() -> None:
    """M16: metadata of one role are not another's; the text is the reference's."""
    with pytest.raises(WrongRole, match="timestamp type metadata invalid: expected type Timestamp, not Snapshot"):
        Timestamp.parse(golden("snapshot"))


def test_unknown_members_stay() -> None:
    """M16: members that we do not know are kept, also when the rest changes."""
    targets = Targets.parse(changed("targets", x_more={"b": 1}))
    assert edit.with_target(targets.fields, "v2", image())["x_more"] == {"b": 1}


def test_other_spelling_is_read_and_hashed_as_it_is() -> None:
    """M16: white space and order change nothing but the hash, which is of the bytes as they came."""
    raw = json.dumps(json.loads(golden("targets")), indent=1).encode()
    envelope = Envelope.parse(raw)
    assert envelope.payload == Envelope.parse(golden("targets")).payload
    assert not envelope.spelt
    assert envelope.sha256 != Envelope.parse(golden("targets")).sha256


# Times


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_times(moment: datetime) -> None:
    """M16: moments are written as Go writes them, and read again."""
    text = times.write(moment)
    assert times.read(text) == moment
    assert times.spelling(text) == text


@pytest.mark.parametrize(
    ("text", "again"),
    [("2036-11-20T18:22:43.373147936Z", "2036-11-20T18:22:43.373147936Z"), ("2036-11-20T18:22:43.6417000Z",
     "2036-11-20T18:22:43.6417Z"), ("2036-11-20T18:22:43+00:00", "2036-11-20T18:22:43Z"),
     ("2036-11-20T20:22:43.5+02:00", "2036-11-20T20:22:43.5+02:00")],
)  # fmt: skip
def test_spelling_of_times(text: str, again: str) -> None:
    """M16: nine decimals, trailing zeros and other zones are read; Go's spelling of them is known."""
    assert times.read(text).year == 2036
    assert times.spelling(text) == again


def test_time_in_words() -> None:
    """M16: expiry is told as the reference tells it."""
    assert times.in_words(datetime(2026, 11, 2, 8, 3, 5, tzinfo=UTC)) == "Mon Nov 2 08:03:05 UTC 2026"


# Signatures


def signed(role: Role, *private: keys.PrivateKey) -> Envelope:
    """Sign empty targets with some keys, whatever the role says."""
    whole = Role(role.name, 1, {key.public.id: key.public for key in private})
    return edit.sign(whole, edit.new_targets(), {key.id: key for key in private}, NOW)


ONE, TWO, THREE = keys.generate(), keys.generate(), keys.generate(keys.ED25519)


def role_of(threshold: int, *private: keys.PrivateKey) -> Role:
    """Return a role of some keys."""
    return Role("targets", threshold, {key.id: key.public for key in private})


def test_threshold() -> None:
    """M16: as many different keys as the threshold says must have signed; the verdict counts what is missing."""
    role = role_of(2, ONE, TWO, THREE)
    assert verify.require_signatures(signed(role, ONE, THREE), role).missing == 0
    with pytest.raises(ForgedMetadata, match="valid signatures did not meet threshold for targets") as caught:
        verify.require_signatures(signed(role, ONE), role)
    assert caught.value.missing == 1


def test_foreign_signatures() -> None:
    """M16: signatures of keys that the role does not have count for nothing."""
    verdict = verify.examine(signed(role_of(1), TWO, THREE), role_of(1, ONE))
    assert (verdict.missing, len(verdict.foreign)) == (1, 2)


def test_one_key_twice() -> None:
    """M16: the same signature listed twice is one."""
    role = role_of(2, ONE, TWO)
    envelope = signed(role, ONE)
    twice = Envelope.build(envelope.fields, envelope.signatures * 2, envelope.payload)
    with pytest.raises(ForgedMetadata):
        verify.require_signatures(twice, role)


def test_one_key_in_two_certificates() -> None:
    """M16: two certificates around one key do not make two signers."""
    from azext_trust.tuf import certificates

    pair = [certificates.make(ONE, "a/b", NOW) for _ in range(2)]
    role = Role("root", 2, {key.id: key for key in pair})
    envelope = edit.sign(Role("root", 1, role.keys), edit.new_targets(), {ONE.id: ONE}, NOW)
    assert len(envelope.signatures) == 2
    with pytest.raises(RepeatedKey):
        verify.require_signatures(envelope, role)


def test_unsigned() -> None:
    """M16: no signature at all has the reference's own text."""
    with pytest.raises(Unsigned, match="tuf: data has no signatures"):
        verify.require_signatures(Envelope.build(edit.new_targets(), (), b"{}"), role_of(1, ONE))


def test_wrong_id() -> None:
    """M16: a key under another's id is refused, whatever it signed."""
    role = Role("targets", 1, {TWO.id: ONE.public, ONE.id: ONE.public})
    with pytest.raises(WrongKeyId):
        verify.require_signatures(signed(role, TWO), role)


def test_announced() -> None:
    """M16: one byte more or less, or other bytes, are not what was announced."""
    meta = FileMeta.of(Envelope.parse(golden("targets")))
    verify.require_announced(golden("targets"), meta, "targets")
    for raw in (golden("targets") + b" ", golden("targets")[:-1], golden("root")[: meta.length]):
        with pytest.raises(TrustError):
            verify.require_announced(raw, meta, "targets")


def test_nothing_announced() -> None:
    """M16: a hash of unknown kinds alone announces nothing."""
    with pytest.raises(TrustError, match="no checksums for supported algorithms were provided for targets"):
        verify.require_announced(b"", FileMeta(0, {"md5": b"x"}), "targets")


# Walking


def test_order_of_roles() -> None:
    """M15: targets/releases wins for pull; a tag of another signer alone is not released."""
    remote = NotarySimulator()
    publisher = Publisher(remote)
    publisher.initialise("both")
    for name in ("targets/alice", "targets/releases"):
        publisher.delegate(name, ONE)
    publisher.add("both", "targets/releases", "newer")
    publisher.add("alone", "targets/alice")
    loaded = {role: publisher.targets(role) for role in remote.current if roles.is_targets(role)}
    assert set(walk.released(loaded)) == {"both"}
    assert walk.released(loaded)["both"].role == "targets/releases"
    assert walk.listed(loaded)["both"].role == "targets"
    assert walk.listed(loaded)["alone"].role == "targets/alice"


def test_paths_narrow_down() -> None:
    """M16: a delegation of a delegation covers only what both cover."""
    remote = NotarySimulator()
    publisher = Publisher(remote)
    publisher.initialise()
    publisher.delegate("targets/team", ONE, "web", "api")
    publisher.add("web", "targets/team")
    publisher.delegate("targets/team/sub", ONE, "web-", "other")
    publisher.add("web-1", "targets/team/sub")
    loaded = {role: publisher.targets(role) for role in remote.current if roles.is_targets(role)}
    paths = {found.role: allowed for found, allowed in walk.walk(loaded)}
    assert paths == {"targets": ("",), "targets/team": ("web", "api"), "targets/team/sub": ("web-",)}
    assert set(walk.listed(loaded)) == {"web", "web-1"}
