"""Attacks on a client, after python-tuf's published cases: each is refused by the class that names it (M18).

The server lies, the network lies, or an old key was stolen; the client has seen version 1 of everything or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from azext_trust.clients.notary_errors import Unavailable
from azext_trust.signing import tags
from azext_trust.signing.draft import Repository
from azext_trust.signing.errors import NoSuchTag
from azext_trust.signing.notary import read_key
from azext_trust.tuf import certificates, edit, errors, keys, roles
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import TufError
from azext_trust.tuf.metadata import FileMeta, Role, Root, Snapshot, Timestamp
from azext_trust.tuf.trusted import TrustedSet
from tests.trust import GUN, NOW, NotarySimulator, Publisher, image, later, somebody


@pytest.fixture
def remote() -> NotarySimulator:
    """A server with one repository."""
    return NotarySimulator()


@pytest.fixture
def publisher(remote: NotarySimulator) -> Publisher:
    """Who publishes there, with the snapshot key; version 1 of everything is out."""
    made = Publisher(remote, snapshot_key=keys.generate())
    made.initialise("v1")
    return made


@pytest.fixture
def reader(tmp_path: Path, remote: NotarySimulator, publisher: Publisher) -> Repository:
    """A reader who has seen version 1."""
    made = somebody(tmp_path / "reader", remote)
    tags.resolve(made, "v1")
    return made


def timestamp(remote: NotarySimulator, snapshot: Envelope, version: int = 0) -> bytes:
    """Sign a timestamp with the server's key, as who stole it could."""
    root = Root.parse(remote.current["root"])
    before = Timestamp.parse(remote.current["timestamp"])
    fields = {**edit.new_timestamp(snapshot, before), "version": (version or before.version + 1) - 1}
    private = {key_id: held.private for key_id, held in remote.held.items()}
    return edit.sign(root.of("timestamp"), fields, private, remote.now).raw


def snapshot(publisher: Publisher, version: int = 0, **meta: Envelope) -> Envelope:
    """Sign a snapshot that announces whatever one likes."""
    before = Snapshot.parse(publisher.remote.current["snapshot"])
    fields = edit.new_snapshot({role: FileMeta.of(part) for role, part in meta.items()}, before)
    fields["version"] = (version or before.version + 1) - 1
    return edit.sign(publisher.root.of("snapshot"), fields, publisher.private, publisher.remote.now)


def plant(remote: NotarySimulator, **parts: Envelope | bytes) -> None:
    """Put metadata on the server past all its checks."""
    for role, part in parts.items():
        raw = part if isinstance(part, bytes) else part.raw
        versions = remote.history.setdefault(role, {})
        versions[max(versions, default=0) + 1000] = raw


def refused(reader: Repository, expected: type[TufError]) -> None:
    """Read, which must fail with this class, and leave what was trusted as it was."""
    before = {role: reader.cache.read(role) for role in (*roles.BASE_ROLES, "targets/alice")}
    with pytest.raises(expected) as caught:
        reader.load()
    assert type(caught.value) is expected
    assert {role: reader.cache.read(role) for role in before} == before


# Rollback


def test_timestamp_rollback(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: an older timestamp than the one seen."""
    old = remote.current["timestamp"]
    publisher.add("v2")
    reader.load()
    remote.tamper = lambda name, raw: old if name == "timestamp" else raw
    refused(reader, errors.RollbackAttack)


def test_snapshot_rollback(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: a new timestamp of a stolen key that announces an older snapshot."""
    old = Envelope.parse(remote.current["snapshot"])
    publisher.add("v2")
    reader.load()
    plant(remote, timestamp=timestamp(remote, old))
    refused(reader, errors.RollbackAttack)


def test_targets_rollback(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: a new snapshot of a stolen key that announces older targets."""
    old = Envelope.parse(remote.current["targets"])
    publisher.add("v2")
    reader.load()
    made = snapshot(publisher, targets=old)
    plant(remote, snapshot=made, timestamp=timestamp(remote, made))
    refused(reader, errors.RollbackAttack)


def test_delegation_rollback(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: an older file of a delegation."""
    publisher.delegate("targets/alice", keys.generate())
    publisher.add("a1", "targets/alice")
    old = Envelope.parse(remote.current["targets/alice"])
    publisher.add("a2", "targets/alice")
    reader.load()
    made = snapshot(publisher, 0, **{"targets/alice": old})
    plant(remote, snapshot=made, timestamp=timestamp(remote, made))
    refused(reader, errors.RollbackAttack)


def test_root_rollback(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: an older root, once a newer one is trusted."""
    first = Envelope.parse(remote.current["root"])
    publisher.publish(root=publisher.rotate("timestamp", _server_key(remote)))
    reader.load()
    made = snapshot(publisher, root=first)
    plant(remote, root=first, snapshot=made, timestamp=timestamp(remote, made))
    refused(reader, errors.RollbackAttack)


def _server_key(remote: NotarySimulator) -> keys.PublicKey:
    return read_key(remote.rotate_key("timestamp"))


# Freeze


@pytest.mark.parametrize(("days", "role"), [(15, "timestamp"), (1100, "snapshot")])
def test_freeze(remote: NotarySimulator, publisher: Publisher, reader: Repository, days: int, role: str) -> None:
    """M18: a server that goes on showing the same is noticed when it expires."""
    held = remote.current
    later(remote, days=days)
    remote.tamper = lambda name, raw: held.get(name, raw)
    refused(reader, errors.FreezeAttack)


def test_frozen_targets(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: expired targets under a fresh snapshot and timestamp."""
    later(remote, days=1100)
    made = snapshot(publisher)
    plant(remote, snapshot=made, timestamp=timestamp(remote, made))
    refused(reader, errors.FreezeAttack)


def test_expired_root(remote: NotarySimulator, publisher: Publisher, tmp_path: Path) -> None:
    """M18: a root that has expired trusts nobody any more, and its certificate neither."""
    later(remote, days=3651)
    with pytest.raises((errors.UntrustedRoot, errors.FreezeAttack)):
        somebody(tmp_path / "new", remote).load()


# Mix and match, endless data


@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_mix_and_match(remote: NotarySimulator, publisher: Publisher, reader: Repository, role: str) -> None:
    """M18: another version than the announced one."""
    old = remote.current[role]
    publisher.add("v2")
    remote.tamper = lambda name, raw: old if name.startswith(f"{role}.") else raw
    with pytest.raises(errors.MixAndMatchAttack):
        reader.load()


def test_old_root_with_new_snapshot(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: a snapshot that announces another root than the one shown."""
    publisher.add("v2")
    made = snapshot(publisher, root=publisher.targets().envelope)
    plant(remote, snapshot=made, timestamp=timestamp(remote, made))
    with pytest.raises((errors.MixAndMatchAttack, errors.EndlessDataAttack)):
        reader.load()


@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_endless_data(remote: NotarySimulator, publisher: Publisher, reader: Repository, role: str) -> None:
    """M18: more bytes than announced are not even looked at."""
    publisher.add("v2")
    remote.tamper = lambda name, raw: raw + b" " * 10 if name.startswith(f"{role}.") else raw
    refused(reader, errors.EndlessDataAttack)


def test_endless_timestamp(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: no timestamp is larger than a mebibyte."""
    remote.tamper = lambda name, raw: raw + b" " * 2**20 if name == "timestamp" else raw
    refused(reader, errors.EndlessDataAttack)


def test_unlisted_targets(remote: NotarySimulator, publisher: Publisher, tmp_path: Path) -> None:
    """M18: a snapshot without targets is none."""
    fields = {**Snapshot.parse(remote.current["snapshot"]).fields}
    fields["meta"] = {"root": fields["meta"]["root"]}
    made = edit.sign(publisher.root.of("snapshot"), fields, publisher.private, NOW)
    plant(remote, snapshot=made, timestamp=timestamp(remote, made))
    with pytest.raises(errors.MalformedMetadata, match="missing targets sha256 checksum information"):
        somebody(tmp_path / "new", remote).load()


# Forged signatures


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_forged(remote: NotarySimulator, publisher: Publisher, reader: Repository, role: str) -> None:
    """M18: metadata signed by anybody else."""
    anybody = keys.generate()
    parts = {name: Envelope.parse(remote.current[name]) for name in ("targets", "snapshot", "timestamp")}
    parts[role] = edit.sign(Role(role, 1, {anybody.id: anybody.public}), parts[role].fields, {anybody.id: anybody}, NOW)
    if role == "targets":
        parts["snapshot"] = snapshot(publisher, targets=parts["targets"])
    stamp = parts["timestamp"].raw if role == "timestamp" else timestamp(remote, parts["snapshot"])
    plant(remote, targets=parts["targets"], snapshot=parts["snapshot"], timestamp=stamp)
    refused(reader, errors.ForgedMetadata)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_stripped(remote: NotarySimulator, publisher: Publisher, reader: Repository, role: str) -> None:
    """M18: metadata without signatures."""
    parts = {name: Envelope.parse(remote.current[name]) for name in ("targets", "snapshot", "timestamp")}
    parts[role] = Envelope.build({**parts[role].fields, "version": 9}, (), parts[role].payload)
    if role == "targets":
        parts["snapshot"] = snapshot(publisher, targets=parts["targets"])
    stamp = parts["timestamp"].raw if role == "timestamp" else timestamp(remote, parts["snapshot"])
    plant(remote, targets=parts["targets"], snapshot=parts["snapshot"], timestamp=stamp)
    refused(reader, errors.Unsigned)


def test_wrong_role(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: a timestamp key's signature over something that is no timestamp."""
    private = {key_id: held.private for key_id, held in remote.held.items()}
    fields = {**Snapshot.parse(remote.current["snapshot"]).fields, "version": 5}
    plant(remote, timestamp=edit.sign(publisher.root.of("timestamp"), fields, private, NOW))
    refused(reader, errors.WrongRole)


def test_key_of_another_role(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: the targets key does not sign snapshots."""
    fields = {**Snapshot.parse(remote.current["snapshot"]).fields}
    made = edit.sign(publisher.root.of("targets"), fields, publisher.private, NOW)
    plant(remote, snapshot=made, timestamp=timestamp(remote, made))
    refused(reader, errors.ForgedMetadata)


# Root rotation


def test_foreign_root(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: somebody else's repository in the place of this one."""
    remote.history.clear()
    other = Publisher(remote, snapshot_key=keys.generate())
    other.initialise("v1")
    refused(reader, errors.RootRotationAttack)


def test_root_not_signed_by_the_old(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: the next root with the same role but only a new key's signature."""
    thief = keys.generate()
    fields = edit.with_role_keys(publisher.root.fields, "root", [certificates.make(thief, GUN, NOW)])
    root = edit.sign_root(fields, {thief.id: thief}, NOW, None)
    made = snapshot(publisher, root=root)
    plant(remote, root=root, snapshot=made, timestamp=timestamp(remote, made))
    refused(reader, errors.RootRotationAttack)


def test_root_not_signed_by_itself(remote: NotarySimulator, publisher: Publisher) -> None:
    """M18: a root signed by the old key, whose own new key did not sign."""
    fields = edit.with_role_keys(publisher.root.fields, "root", [certificates.make(keys.generate(), GUN, NOW)])
    root = edit.sign(publisher.root.of("root"), fields, publisher.private, NOW)
    trusted = TrustedSet(GUN, NOW)
    trusted.load_trusted_root(publisher.root.envelope.raw)
    with pytest.raises(errors.UntrustedRoot, match="failed to validate integrity of roots"):
        trusted.update_root(root.raw)


def test_skipped_root(remote: NotarySimulator, publisher: Publisher) -> None:
    """M18: roots follow one another without gaps (5.3.5)."""
    fields = {**publisher.root.fields, "version": 5}
    root = edit.sign_root(fields, publisher.private, NOW, publisher.root)
    trusted = TrustedSet(GUN, NOW)
    trusted.load_trusted_root(publisher.root.envelope.raw)
    with pytest.raises(errors.RootRotationAttack, match="version 6 does not follow 1"):
        trusted.update_root(root.raw)


def test_long_chain(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: an honest chain of roots is followed, however far behind; a broken link ends it."""
    for _ in range(5):
        publisher.publish(root=publisher.rotate("timestamp", _server_key(remote)))
    broken = remote.history["root"][1]
    remote.tamper = lambda name, raw: broken if name == "4.root" else raw
    refused(reader, errors.RollbackAttack)
    remote.tamper = None
    reader.load()
    assert Root.parse(reader.cache.read("root") or b"").version == 6


def test_endless_chain(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: nobody makes us fetch a million roots."""
    fields = {**publisher.root.fields, "version": 10**6}
    root = edit.sign_root(fields, publisher.private, NOW, publisher.root)
    made = snapshot(publisher, root=root)
    plant(remote, root=root, snapshot=made, timestamp=timestamp(remote, made))
    remote.requests.clear()
    refused(reader, errors.RootRotationAttack)
    assert len(remote.requests) < 10


def test_pinned_certificate(remote: NotarySimulator, publisher: Publisher) -> None:
    """M18: where the first root is pinned, another one is refused."""
    raw = remote.current["root"]
    (known,) = publisher.root.of("root").keys
    assert TrustedSet(GUN, NOW, {known}).trust_first_root(raw)
    with pytest.raises(errors.UntrustedRoot, match="unable to match any certificates to trust_pinning config"):
        TrustedSet(GUN, NOW, {"f" * 64}).trust_first_root(raw)


# Fast-forward


def test_recovery_from_fast_forward(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: after a stolen key made versions jump, a root with other keys lets lower versions in again (5.3.11)."""
    made = snapshot(publisher, version=900)
    plant(remote, timestamp=timestamp(remote, made, 900), snapshot=made)
    reader.load()
    remote.history["timestamp"] = {1: remote.history["timestamp"][1]}
    remote.history["snapshot"] = {1: remote.history["snapshot"][1]}
    refused(reader, errors.RollbackAttack)
    publisher.snapshot_key = keys.generate()
    publisher.private[publisher.snapshot_key.id] = publisher.snapshot_key
    rotated = edit.with_role_keys(publisher.root.fields, "snapshot", [publisher.snapshot_key.public])
    rotated = edit.with_role_keys(rotated, "timestamp", [_server_key(remote)])
    publisher.publish(root=edit.sign_root(rotated, publisher.private, NOW, publisher.root))
    assert tags.resolve(reader, "v1").name == "v1"


# Delegations


def test_delegations_that_do_not_verify(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: a delegation with a forged or expired file is passed by with a warning; the rest goes on."""
    publisher.delegate("targets/alice", keys.generate())
    publisher.add("a1", "targets/alice")
    fields = edit.without_delegation_keys(
        publisher.targets().fields, "targets/alice", list(publisher.targets().delegations["targets/alice"].role.keys)
    )
    publisher.publish(targets=publisher.sign(fields))
    loaded = reader.load()
    assert "targets/alice" not in loaded.targets
    assert loaded.warnings == ["Error getting targets/alice: valid signatures did not meet threshold for targets/alice"]


def test_tag_of_a_lesser_role(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: a tag that only a signer's own role holds is not released."""
    publisher.delegate("targets/alice", keys.generate())
    publisher.add("mine", "targets/alice")
    with pytest.raises(NoSuchTag):
        tags.resolve(reader, "mine")


# A tampered cache


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_tampered_cache(remote: NotarySimulator, publisher: Publisher, reader: Repository, role: str) -> None:
    """M18: what somebody wrote into the cache is not believed; the server's data are."""
    reader.cache.write(role, remote.current[role].replace(b"a", b"b"))
    assert tags.resolve(reader, "v1").file == image("v1")


def test_tampered_root_in_cache(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: a root in the cache that does not verify ends everything: it is what trust rests on."""
    reader.cache.write("root", publisher.root.envelope.raw.replace(b'"version":1', b'"version":2'))
    with pytest.raises(errors.UntrustedRoot):
        reader.load()


def test_garbage(remote: NotarySimulator, publisher: Publisher, reader: Repository) -> None:
    """M18: HTML in the place of metadata is told as malformed."""
    remote.tamper = lambda name, raw: b"<html></html>"
    with pytest.raises(errors.MalformedMetadata):
        reader.load()


def test_failures_do_not_open_the_cache(
    remote: NotarySimulator, publisher: Publisher, reader: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M18: only a server that does not answer is replaced by the cache, never one that lies."""
    before: Callable[[str, int], bytes] = remote.fetch

    def answer(name: str, limit: int) -> bytes:
        if name == "root":
            raise Unavailable(500)
        return b"{}" if name == "timestamp" else before(name, limit)

    monkeypatch.setattr(remote, "fetch", answer)
    with pytest.raises(errors.MalformedMetadata):
        reader.load()
