"""What a Notary server takes, step by step as the reference, without its faults (dct-wire-contract.md 4.1 and 9)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from azext_trust.tuf import certificates, conformity, edit, keys, publish, roles, server
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import MalformedMetadata, MissingKeys
from azext_trust.tuf.metadata import FileMeta, Role, Root, Snapshot, Targets, Timestamp
from azext_trust.tuf.publish import Accepted, Refused, validate_update
from azext_trust.tuf.server import ServerKey
from tests.trust import NOW, NotarySimulator, Publisher, image, timestamp_of


def begun(*tags: str, own_snapshot: bool = False) -> tuple[NotarySimulator, Publisher]:
    """Return a server with one repository, and who publishes there."""
    remote = NotarySimulator()
    publisher = Publisher(remote, snapshot_key=keys.generate() if own_snapshot else None)
    publisher.initialise(*tags)
    return remote, publisher


def attempt(remote: NotarySimulator, **parts: Envelope | bytes) -> Accepted:
    """Upload parts and return what would be stored."""
    raw = [(role, part if isinstance(part, bytes) else part.raw) for role, part in parts.items()]
    return validate_update(remote.collection, raw, remote.held, remote.now)


def refusal(remote: NotarySimulator, **parts: Envelope | bytes) -> Refused:
    """Upload parts that must be refused."""
    with pytest.raises(Refused) as caught:
        attempt(remote, **parts)
    return caught.value


# What is accepted


def test_first_publish() -> None:
    """M17: the server makes snapshot and timestamp version 1 for the first root and targets."""
    remote, _ = begun("v1")
    assert {role: list(versions) for role, versions in remote.history.items()} == {
        "root": [1], "targets": [1], "snapshot": [1], "timestamp": [1],
    }  # fmt: skip


def test_tags_of_a_publish() -> None:
    """M13: the answer names the tags that change, and only them."""
    remote, publisher = begun("v1", "v2")
    fields = edit.without_target(edit.with_target(publisher.targets().fields, "v3", image("v3")), "v1")
    changed = attempt(remote, targets=publisher.sign(fields)).tags["targets"]
    assert (set(changed.signed), changed.removed) == ({"v3"}, frozenset({"v1"}))


def test_tags_of_a_withdrawn_delegation() -> None:
    """M13: with a delegation go its tags; declared again, they are back."""
    remote, publisher = begun("v1")
    publisher.delegate("targets/alice", keys.generate())
    publisher.add("v2", "targets/alice")
    gone = publisher.sign(edit.without_delegation(publisher.targets().fields, "targets/alice"))
    assert attempt(remote, targets=gone).tags["targets/alice"].removed == {"v2"}
    publisher.publish(targets=gone)
    role = Targets.parse(remote.history["targets"][2]).delegations["targets/alice"].role
    back = publisher.sign(edit.with_delegation(publisher.targets().fields, role))
    assert set(attempt(remote, targets=back).tags["targets/alice"].signed) == {"v2"}


def test_empty_upload() -> None:
    """M16: nothing uploaded makes a new snapshot and timestamp, as the reference does (section 0, rule 12)."""
    remote, _ = begun("v1")
    assert attempt(remote).numbers == {"snapshot": 2, "timestamp": 2}


def test_uploaded_timestamp_is_ignored() -> None:
    """M17: the server always makes the timestamp."""
    remote, publisher = begun("v1")
    forged = edit.sign(Role("timestamp", 1, {}).with_keys({publisher.root_key.id: publisher.root_key.public}),
                       edit.new_timestamp(publisher.root.envelope), publisher.private, NOW)  # fmt: skip
    assert attempt(remote, timestamp=forged).versions["timestamp"].raw != forged.raw


def test_client_snapshot() -> None:
    """M16: where the client holds the snapshot key, its snapshot is taken when it announces what is uploaded."""
    remote, publisher = begun("v1", own_snapshot=True)
    publisher.add("v2")
    assert list(remote.history["snapshot"]) == [1, 2]


def test_signer_without_keys() -> None:
    """M16: docker leaves targets/releases without keys when the last signer goes: that must be taken."""
    remote, publisher = begun("v1")
    key = keys.generate()
    publisher.delegate("targets/releases", key)
    publisher.add("v2", "targets/releases")
    fields = edit.without_delegation_keys(publisher.targets().fields, "targets/releases", [key.id])
    assert "targets" in attempt(remote, targets=publisher.sign(fields)).numbers


def test_suffix() -> None:
    """M16: a file name may end in .json."""
    remote, publisher = begun("v1")
    part = publisher.sign(publisher.targets().fields)
    assert "targets" in validate_update(remote.collection, [("targets.json", part.raw)], remote.held, NOW).numbers


# Step 1: names and JSON


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "NO_FILENAME"), (".json", "NO_FILENAME"), ("targetz", "INVALID_ROLE"), ("targets/A", "INVALID_ROLE"),
     ("targets/../root", "INVALID_ROLE"), ("targets/a//b", "INVALID_ROLE"), ("targets/" + "a" * 250, "INVALID_ROLE")],
)  # fmt: skip
def test_names(name: str, code: str) -> None:
    """M16: what is no role's name is refused."""
    remote, _ = begun("v1")
    with pytest.raises(Refused) as caught:
        validate_update(remote.collection, [(name, b"{}")], remote.held, NOW)
    assert caught.value.code == code


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"signed":1}', b'{"signed":{"a":1,"a":2},"signatures":[]}'])
def test_json(raw: bytes) -> None:
    """M16: what is no envelope, or is read in two ways, is refused."""
    remote, _ = begun("v1")
    assert refusal(remote, targets=raw).code == "MALFORMED_JSON"


def test_one_role_twice() -> None:
    """M16: two parts of one role are refused: nobody can say which counts."""
    remote, publisher = begun("v1")
    part = publisher.sign(publisher.targets().fields).raw
    with pytest.raises(Refused) as caught:
        validate_update(remote.collection, [("targets", part), ("targets.json", part)], remote.held, NOW)
    assert caught.value.code == "INVALID_ROLE"


# Step 2: root


def test_nothing_yet() -> None:
    """M16: targets without a root have the reference's text."""
    remote, publisher = begun("v1")
    part = publisher.sign(publisher.targets().fields)
    remote.history.clear()
    refused = refusal(remote, targets=part)
    assert (refused.name, refused.message) == ("ErrValidation", "no pre-existing root and no root provided in update.")


def test_root_alone() -> None:
    """M16: a first root needs targets with it."""
    remote = NotarySimulator()
    assert refusal(remote, root=Publisher(remote).first_root()).message == "targets must be loaded first"


def test_root_that_jumps() -> None:
    """M16: root versions follow one another."""
    remote, publisher = begun("v1")
    jumped = edit.sign_root({**publisher.root.fields, "version": 2}, publisher.private, NOW, publisher.root)
    assert refusal(remote, root=jumped).message == "Root modifications must increment the version. Current 1, new 3"


def test_root_of_somebody_else() -> None:
    """M16: a root that the stored one did not sign is refused."""
    remote, _ = begun("v1")
    other = Publisher(remote)
    stolen = edit.sign_root(
        {**other.first_root().fields, "version": 1}, other.private, NOW, None
    )  # fmt: skip
    refused = refusal(remote, root=stolen)
    assert refused.name == "ErrBadRoot"
    assert refused.message == (
        "could not rotate trust to a new trusted root: failed to validate data with current trusted certificates"
    )


def test_root_of_another_repository() -> None:
    """M16: the certificate must bear this repository's name."""
    remote = NotarySimulator(gun="myregistry.azurecr.io/one")
    publisher = Publisher(remote)
    root = publisher.first_root()
    remote.gun = "myregistry.azurecr.io/two"
    assert refusal(remote, root=root).message == (
        "could not validate the path to a trusted root: unable to retrieve valid leaf certificates"
    )


def test_targets_left_behind() -> None:
    """M16: a root that names another targets key while the stored targets stay is refused (section 9)."""
    remote, publisher = begun("v1")
    key = keys.generate()
    refused = refusal(remote, root=publisher.rotate(roles.TARGETS, key.public))
    assert (refused.name, refused.message) == ("ErrBadTargets", "valid signatures did not meet threshold for targets")


def test_rotation_of_targets() -> None:
    """M16: with the targets signed by the new key it is accepted."""
    remote, publisher = begun("v1")
    publisher.targets_key = keys.generate()
    publisher.private[publisher.targets_key.id] = publisher.targets_key
    root = publisher.rotate(roles.TARGETS, publisher.targets_key.public)
    targets = publisher.sign(publisher.targets().fields, root=Root(root))
    assert attempt(remote, root=root, targets=targets).numbers["root"] == 2


def test_same_root_again() -> None:
    """M16: a version that is stored already is VERSION, after everything else was found right."""
    remote, publisher = begun("v1")
    assert refusal(remote, root=publisher.root.envelope).code == "VERSION"


def test_root_with_wrong_key_ids() -> None:
    """M16: keys under ids that are not theirs would break every client: refused."""
    remote = NotarySimulator()
    publisher = Publisher(remote)
    fields = publisher.first_root().fields
    fields = {**fields, "keys": {**fields["keys"], "f" * 64: publisher.targets_key.public.to_dict()}, "version": 0}
    root = edit.sign_root(fields, publisher.private, NOW, None)
    assert refusal(remote, root=root).message == "key ID is not valid for key content"


# Step 3: targets


def test_expired() -> None:
    """M16: expired metadata are refused with the reference's text."""
    remote, publisher = begun("v1")
    remote.now = NOW - timedelta(days=1100)
    part = publisher.sign(publisher.targets().fields)
    remote.now = NOW
    assert refusal(remote, targets=part).message == "targets expired at Thu Nov 19 12:00:00 UTC 2026"


def test_unsigned() -> None:
    """M16: no signatures, the reference's text."""
    remote, publisher = begun("v1")
    part = publisher.sign(publisher.targets().fields)
    assert (
        refusal(remote, targets=Envelope.build(part.fields, (), part.payload)).message == "tuf: data has no signatures"
    )


def test_wrong_type() -> None:
    """M16: root's bytes as targets fail on their signature or type, never get in."""
    remote, publisher = begun("v1")
    assert refusal(remote, targets=publisher.root.envelope).name == "ErrBadTargets"


def test_undeclared() -> None:
    """M16: a delegation that nobody declared has the reference's text."""
    remote, publisher = begun("v1")
    part = publisher.sign(publisher.targets().fields).raw
    with pytest.raises(Refused) as caught:
        validate_update(remote.collection, [("targets/zz", part)], remote.held, NOW)
    assert caught.value.message == "tuf: invalid role targets/zz. delegation does not exist"


def test_versions_stay() -> None:
    """M16: an equal or lower version is VERSION."""
    remote, publisher = begun("v1")
    publisher.add("v2")
    for version in (1, 0):
        part = publisher.sign({**publisher.targets().fields, "version": version})
        assert refusal(remote, targets=part).code == "VERSION"


def test_versions_may_skip() -> None:
    """M16: 2 to 9 is accepted, as the reference does; a leap that nobody could follow is not (fast-forward)."""
    remote, publisher = begun("v1")
    assert attempt(remote, targets=publisher.sign({**publisher.targets().fields, "version": 8})).numbers["targets"] == 9
    part = publisher.sign({**publisher.targets().fields, "version": publish.MAX_LEAP + 10})
    assert "too far ahead" in refusal(remote, targets=part).message


def test_null_members() -> None:
    """M16: null where docker adds members would crash docker: refused (section 9)."""
    remote, publisher = begun("v1")
    for name in ("targets", "delegations"):
        part = publisher.sign({**publisher.targets().fields, name: None})
        assert "null" in refusal(remote, targets=part).message


def test_paths() -> None:
    """M16: a delegation may not name new targets outside its paths; what was there before may stay (section 9)."""
    remote, publisher = begun()
    publisher.delegate("targets/web", keys.generate(), "web-")
    part = publisher.sign(edit.with_target(edit.new_targets(), "api-1", image()), "targets/web")
    with pytest.raises(Refused) as caught:
        validate_update(remote.collection, [("targets/web", part.raw)], remote.held, NOW)
    assert caught.value.message == "target api-1 is outside the paths delegated to targets/web"
    publisher.add("web-1", "targets/web")
    fields = edit.without_delegation_paths(publisher.targets().fields, "targets/web", None)
    role = Role("targets/web", 1, {}, ("other",))
    publisher.publish(targets=publisher.sign(edit.with_delegation(fields, role)))
    publisher.add("other-1", "targets/web")
    assert set(publisher.targets("targets/web").targets) == {"web-1", "other-1"}


def test_weak_delegation_certificate() -> None:
    """M16: a certificate that makes notary's client give up everything is not let in."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    remote, publisher = begun()
    weak = certificates.make(keys.PrivateKey(rsa.generate_private_key(65537, 1024)), "x", NOW)
    role = Role("targets/weak", 1, {weak.id: weak})
    part = publisher.sign(edit.with_delegation(publisher.targets().fields, role))
    assert "RSA bit length is too short" in refusal(remote, targets=part).message


# Steps 4 and 5: snapshot and timestamp


def test_snapshot_that_rolls_back() -> None:
    """M16: a lone snapshot cannot bring old targets back (section 9)."""
    remote, publisher = begun("v1", own_snapshot=True)
    old = Snapshot.parse(remote.current["snapshot"])
    publisher.add("v2")
    fields = {**old.fields, "version": 5}
    part = edit.sign(publisher.root.of("snapshot"), fields, publisher.private, NOW)
    refused = refusal(remote, snapshot=part)
    assert refused.name == "ErrBadSnapshot"
    assert "for targets did not match" in refused.message


def test_snapshot_that_does_not_fit() -> None:
    """M16: the uploaded snapshot must announce the uploaded targets."""
    remote, publisher = begun("v1", own_snapshot=True)
    targets = publisher.sign(edit.with_target(publisher.targets().fields, "v2", image()))
    fields = edit.new_snapshot({}, Snapshot.parse(remote.current["snapshot"]))
    snapshot = edit.sign(publisher.root.of("snapshot"), fields, publisher.private, NOW)
    assert "for targets did not match" in refusal(remote, targets=targets, snapshot=snapshot).message


def test_snapshot_missing() -> None:
    """M16: without a snapshot where the client holds its key, the reference's text."""
    remote, publisher = begun("v1", own_snapshot=True)
    refused = refusal(remote, targets=publisher.sign(publisher.targets().fields))
    assert (refused.name, refused.missing) == ("ErrBadHierarchy", "snapshot")
    assert refused.message.startswith("no snapshot was included in update")


def test_spelling_where_the_client_signs_snapshots() -> None:
    """M16: notary would hash its own spelling of the targets the next time: another one is refused (section 9)."""
    remote, publisher = begun("v1", own_snapshot=True)
    part = publisher.sign(edit.with_target(publisher.targets().fields, "v2", image()))
    value = json.loads(part.raw)
    odd = Envelope.parse(json.dumps({"signatures": value["signatures"], "signed": value["signed"]}).encode())
    fields = edit.new_snapshot({"targets": FileMeta.of(odd)}, Snapshot.parse(remote.current["snapshot"]))
    snapshot = edit.sign(publisher.root.of("snapshot"), fields, publisher.private, NOW)
    assert "not spelt as notary spells it" in refusal(remote, targets=odd, snapshot=snapshot).message


def test_spelling_where_the_server_signs_snapshots() -> None:
    """M16: there another spelling is taken, and the bytes as uploaded are announced."""
    remote, publisher = begun("v1")
    part = publisher.sign(edit.with_target(publisher.targets().fields, "v2", image()))
    odd = json.dumps(json.loads(part.raw), indent=1).encode()
    accepted = attempt(remote, targets=odd)
    announced = Snapshot(accepted.versions["snapshot"]).meta("targets")
    assert announced is not None
    assert announced.sha256 == Envelope.parse(odd).sha256.hex()
    assert accepted.versions["targets"].raw == odd


def test_server_key_of_another_repository() -> None:
    """M17: a key that the server made for another repository does not sign here (section 9)."""
    other, _ = begun("v1")
    remote = NotarySimulator(gun="myregistry.azurecr.io/two")
    publisher = Publisher(remote)
    root = publisher.first_root()
    targets = publisher.sign(edit.new_targets(), root=Root(root))
    remote.held = other.held
    assert refusal(remote, root=root, targets=targets).name == "ErrBadHierarchy"


def test_server_key_of_another_role() -> None:
    """M17: a timestamp key does not sign snapshots, whatever a root says."""
    remote = NotarySimulator()
    publisher = Publisher(remote)
    root = publisher.first_root()
    remote.held = {key_id: ServerKey("timestamp", key.private) for key_id, key in remote.held.items()}
    targets = publisher.sign(edit.new_targets(), root=Root(root))
    assert refusal(remote, root=root, targets=targets).name == "ErrBadHierarchy"


def test_destroyed_server_keys() -> None:
    """M4: a signer's cache cannot bring a purged repository back: the keys its root names are gone."""
    remote, _ = begun("v1", own_snapshot=True)
    parts = remote.current
    remote.history.clear()
    remote.held.clear()
    refused = refusal(remote, **{role: parts[role] for role in ("root", "targets", "snapshot")})
    assert (refused.name, refused.message) == ("ErrBadRoot", "no  timestamp keys exist on the server")


# Renewal


def test_renewal() -> None:
    """M17: an expired timestamp is signed again, version by version; one in force is not."""
    remote, _ = begun("v1")
    assert server.renewed(remote.current, remote.held, NOW + timedelta(days=13)) == {}
    made = server.renewed(remote.current, remote.held, NOW + timedelta(days=15))
    assert list(made) == ["timestamp"]
    assert Timestamp(made["timestamp"]).version == timestamp_of(remote).version + 1


def test_renewal_of_snapshot() -> None:
    """M17: an expired snapshot is signed again with it, and announced."""
    remote, _ = begun("v1")
    made = server.renewed(remote.current, remote.held, NOW + timedelta(days=1100))
    announced = Timestamp(made["timestamp"]).meta("snapshot")
    assert announced == FileMeta.of(made["snapshot"])


def test_no_keys_no_renewal() -> None:
    """M17: without the key nothing is renewed, and nothing fails."""
    remote, publisher = begun("v1")
    assert server.renewed(remote.current, {}, NOW + timedelta(days=15)) == {}
    with pytest.raises(MissingKeys):
        server.sign_timestamp(publisher.root, publisher.root.envelope, {}, NOW, None)


def test_nameless_target() -> None:
    """M16: a target needs a name."""
    _, publisher = begun()
    targets = Targets(publisher.sign(edit.with_target(edit.new_targets(), "", image())))
    with pytest.raises(MalformedMetadata):
        conformity.check_targets(targets)
