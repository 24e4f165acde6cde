"""Signers, delegations, rotation, inspection, and what a lost root key concerns."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_trust.signing import cache, delegations, inspection, lost, rotation, tags
from azext_trust.signing.draft import Repository
from azext_trust.signing.errors import InvalidName, KeyNotFound, NothingToDo
from azext_trust.tuf import keys, roles
from azext_trust.tuf.errors import MissingKeys, UndelegatedRole
from azext_trust.tuf.metadata import Root, Snapshot
from tests.trust import GUN, NotarySimulator, image, somebody


@pytest.fixture
def remote() -> NotarySimulator:
    """A server without trust data."""
    return NotarySimulator()


@pytest.fixture
def repository(tmp_path: Path, remote: NotarySimulator) -> Repository:
    """Somebody who has begun a repository with one tag."""
    made = somebody(tmp_path / "trust", remote)
    tags.sign(made, "v1", image("v1"))
    return made


ALICE = keys.generate()


# Signers


def test_add_signer(repository: Repository) -> None:
    """M18: a signer is two delegations of threshold 1 over all tags, as docker makes them."""
    assert not delegations.add_signer(repository, "alice", [ALICE.public])
    assert [(found.role, found.paths, found.key_ids, found.threshold) for found in delegations.listed(repository)] == [
        ("targets/alice", ("",), (ALICE.id,), 1), ("targets/releases", ("",), (ALICE.id,), 1),
    ]  # fmt: skip


def test_add_signer_begins(tmp_path: Path) -> None:
    """M18: adding a signer begins a repository that has no trust data."""
    assert delegations.add_signer(somebody(tmp_path, NotarySimulator()), "alice", [ALICE.public])


@pytest.mark.parametrize(
    ("name", "text"), [("releases", "reserved keyword"), ("Alice", "must start with lowercase"), ("", "must start")]
)
def test_signer_names(repository: Repository, name: str, text: str) -> None:
    """M18: names that docker refuses, with its texts."""
    with pytest.raises(InvalidName, match=text):
        delegations.add_signer(repository, name, [ALICE.public])


def test_remove_signer(repository: Repository) -> None:
    """M18: with a signer go its role and its keys of targets/releases; others' stay."""
    delegations.add_signer(repository, "alice", [ALICE.public])
    bob = keys.generate()
    delegations.add_signer(repository, "bob", [bob.public])
    delegations.remove_signer(repository, "alice")
    assert [(found.role, found.key_ids) for found in delegations.listed(repository)] == [
        ("targets/releases", (bob.id,)), ("targets/bob", (bob.id,)),
    ]  # fmt: skip
    with pytest.raises(NothingToDo, match="No signer alice"):
        delegations.remove_signer(repository, "alice")
    with pytest.raises(InvalidName):
        delegations.remove_signer(repository, "releases")


def test_last_signer(repository: Repository) -> None:
    """M18: removing who signed the last release makes the repository unpullable; one is told before."""
    key = delegations.key_of(repository.store, "alice")
    delegations.add_signer(repository, "alice", [key.public])
    with pytest.raises(NothingToDo, match="All signed tags are currently revoked"):
        delegations.last_signer(repository, "alice")
    tags.sign(repository, "v2", image("v2"))
    assert delegations.last_signer(repository, "alice")
    delegations.add_signer(repository, "bob", [keys.generate().public])
    assert not delegations.last_signer(repository, "bob")


def test_without_the_repository_key(repository: Repository, remote: NotarySimulator, tmp_path: Path) -> None:
    """M18: who has no repository key adds no signers."""
    with pytest.raises(MissingKeys):
        delegations.add_signer(somebody(tmp_path / "other", remote), "alice", [ALICE.public])


# Delegations


def test_nested(repository: Repository) -> None:
    """M18: a delegation below one may only narrow its paths."""
    key = delegations.key_of(repository.store, "team")
    delegations.add(repository, "targets/team", [key.public], ["web"])
    delegations.add(repository, "targets/team/sub", [ALICE.public], ["web-1"])
    with pytest.raises(UndelegatedRole, match="invalid paths to add to role"):
        delegations.add(repository, "targets/team/sub", [ALICE.public], ["api"])
    with pytest.raises(UndelegatedRole, match="delegation does not exist"):
        delegations.add(repository, "targets/nobody/sub", [ALICE.public], ["web"])
    assert [found.role for found in delegations.listed(repository)] == ["targets/team", "targets/team/sub"]


def test_take_away(repository: Repository) -> None:
    """M18: keys, paths, and at last the delegation itself are taken away."""
    bob = keys.generate()
    delegations.add(repository, "targets/team", [ALICE.public, bob.public], ["a", "b"])
    delegations.remove(repository, "targets/team", key_ids=[ALICE.id])
    delegations.remove(repository, "targets/team", paths=["a"])
    (found,) = delegations.listed(repository)
    assert (found.key_ids, found.paths) == ((bob.id,), ("b",))
    delegations.remove(repository, "targets/team", paths=None)
    assert delegations.listed(repository)[0].paths == ()
    delegations.remove(repository, "targets/team")
    assert delegations.listed(repository) == []


def test_purge(repository: Repository) -> None:
    """M18: a key is taken from all direct children at once."""
    for name in ("a", "b"):
        delegations.add(repository, f"targets/{name}", [ALICE.public], [""])
    delegations.remove(repository, "targets/*", key_ids=[ALICE.id])
    assert [found.key_ids for found in delegations.listed(repository)] == [(), ()]


@pytest.mark.parametrize("role", ["root", "targets", "targets/A", "other/a", "targets/a/../b"])
def test_names_of_delegations(repository: Repository, role: str) -> None:
    """M18: what cannot be a delegation is refused."""
    with pytest.raises(InvalidName, match="invalid delegation role name"):
        delegations.add(repository, role, [ALICE.public], [""])


def test_remove_what_is_not_there(repository: Repository) -> None:
    """M18: a delegation that does not exist cannot be removed."""
    with pytest.raises(UndelegatedRole):
        delegations.remove(repository, "targets/team")


# Rotation


@pytest.mark.parametrize(
    ("role", "server"),
    [("root", False), ("targets", False), ("snapshot", False), ("snapshot", True), ("timestamp", True)],
)  # fmt: skip
def test_rotation(repository: Repository, remote: NotarySimulator, tmp_path: Path, role: str, server: bool) -> None:
    """M18: after a rotation readers with and without caches go on, and so does signing."""
    reader = somebody(tmp_path / "reader", remote)
    tags.resolve(reader, "v1")
    done = rotation.rotate(repository, role, server=server)
    assert done.before != done.after
    assert tuple(Root.parse(remote.current["root"]).of(role).keys) == done.after
    tags.sign(repository, "v2", image("v2"))
    for who in (reader, somebody(tmp_path / "new", remote)):
        assert tags.resolve(who, "v2").name == "v2"


def test_retired_root_certificates(repository: Repository, remote: NotarySimulator) -> None:
    """M16: the retired root certificate stays among the keys without a role, and both keys sign, as with notary."""
    done = rotation.rotate(repository, "root")
    root = Root.parse(remote.current["root"])
    assert {*done.before, *done.after} <= root.keys.keys()
    assert {one.key_id for one in root.envelope.signatures} == {*done.before, *done.after}


def test_snapshot_of_our_own(repository: Repository, remote: NotarySimulator) -> None:
    """M18: with the snapshot key here, a withdrawn delegation is no longer announced."""
    rotation.rotate(repository, "snapshot")
    key = delegations.key_of(repository.store, "alice")
    delegations.add_signer(repository, "alice", [key.public])
    tags.sign(repository, "v2", image("v2"))
    assert "targets/alice" in Snapshot.parse(remote.current["snapshot"]).listed
    delegations.remove_signer(repository, "alice")
    assert "targets/alice" not in Snapshot.parse(remote.current["snapshot"]).listed


def test_rotation_to_a_key(repository: Repository) -> None:
    """M18: one may rotate to a key of the store; an unknown one is an error and changes nothing."""
    key = repository.store.create("targets", GUN)
    assert rotation.rotate(repository, "targets", key_id=key.id).after == (key.id,)
    with pytest.raises(KeyNotFound):
        rotation.rotate(repository, "targets", key_id="f" * 64)


@pytest.mark.parametrize(
    ("role", "server", "text"),
    [("targets", True, "notary does not permit the server managing the targets key"),
     ("root", True, "notary does not permit the server managing the root key"),
     ("timestamp", False, "notary does not permit the client managing the timestamp key"),
     ("targets/a", False, "notary does not currently permit rotating the targets/a key")],
)  # fmt: skip
def test_rotations_that_cannot_be(repository: Repository, role: str, server: bool, text: str) -> None:
    """M18: notary's rules, in its words."""
    with pytest.raises(InvalidName, match=text):
        rotation.rotate(repository, role, server=server)


def test_rotation_without_root_key(repository: Repository, remote: NotarySimulator) -> None:
    """M19: without the root key nothing can be rotated, and no new key is made for nothing."""
    (info,) = repository.store.of_role("root")
    repository.store.remove(info.key_id)
    before = len(repository.store.listed())
    with pytest.raises(MissingKeys, match=info.key_id):
        rotation.rotate(repository, "targets")
    assert len(repository.store.listed()) == before


# Inspection


def test_inspection(repository: Repository) -> None:
    """M18: the answer has docker's members; tags in natural order; Repo Admin where only targets signed."""
    for name in ("v10", "v2"):
        tags.sign(repository, name, image(name))
    found = inspection.inspect(repository, "shown/as/typed")
    assert [row["SignedTag"] for row in found["SignedTags"]] == ["v1", "v2", "v10"]
    assert found["SignedTags"][0] == {"SignedTag": "v1", "Digest": image("v1").sha256, "Signers": ["Repo Admin"]}
    assert [row["Name"] for row in found["AdministrativeKeys"]] == ["Root", "Repository"]
    assert (found["Name"], found["Signers"]) == ("shown/as/typed", [])
    assert inspection.inspect(repository, "x", "v2")["SignedTags"][0]["SignedTag"] == "v2"


def test_signers_of_tags(repository: Repository) -> None:
    """M18: a tag's signers are named."""
    key = delegations.key_of(repository.store, "alice")
    delegations.add_signer(repository, "alice", [key.public])
    tags.sign(repository, "v2", image("v2"))
    found = inspection.inspect(repository, "x", "v2")
    assert found["SignedTags"][0]["Signers"] == ["alice"]
    assert found["Signers"] == [{"Name": "alice", "Keys": [{"ID": key.id}]}]


def test_status(repository: Repository) -> None:
    """M18: versions, expiry and keys at hand of each role."""
    found = inspection.status(repository)
    rows = {row.role: row for row in found.roles}
    assert (found.tags, found.server_snapshot, found.stale) == (1, True, False)
    assert rows["root"].at_hand == rows["root"].key_ids
    assert rows["timestamp"].at_hand == ()
    assert rows["targets"].version == 2


# Lost root keys


def test_lost_root(repository: Repository, tmp_path: Path) -> None:
    """M19: all repositories under the root key are named with their tags, by key or certificate, and no others."""
    other = somebody(tmp_path / "trust", NotarySimulator(gun="myregistry.azurecr.io/other"))
    tags.sign(other, "latest", image("latest"))
    stranger = somebody(tmp_path / "stranger", NotarySimulator(gun="myregistry.azurecr.io/strange"))
    tags.sign(stranger, "x", image())
    (info,) = repository.store.of_role("root")
    found = lost.concerned(info.key_id, [*lost.cached(tmp_path / "trust"), *lost.cached(tmp_path / "stranger")])
    assert [(one.gun, set(one.tags)) for one in found] == [("myregistry.azurecr.io/other", {"latest"}), (GUN, {"v1"})]
    certificate = found[0].certificate_ids[0]
    assert [one.gun for one in lost.concerned(certificate, lost.cached(tmp_path / "trust"))] == [found[0].gun]


def test_nothing_lost(repository: Repository, tmp_path: Path) -> None:
    """M19: a key that signs no root concerns nothing; files that cannot be read are passed by."""
    assert lost.concerned("f" * 64, lost.cached(tmp_path / "trust")) == []
    assert lost.concerned("f" * 64, [("x", b"broken", {})]) == []


# Cache


def test_repositories(repository: Repository, tmp_path: Path) -> None:
    """M18: the cache knows its repositories; clearing one forgets it and keeps the keys."""
    assert [found.gun for found in cache.repositories(tmp_path / "trust")] == [GUN]
    assert repository.cache.clear()
    assert not repository.cache.clear()
    assert list(cache.repositories(tmp_path / "trust")) == []
    assert repository.store.listed()


@pytest.mark.parametrize("gun", ["", "x", "../x", "a.b/../c", "a.b/C", "/a/b", "a.b//c"])
def test_names_of_repositories(tmp_path: Path, gun: str) -> None:
    """M18: what is no repository's name has no cache."""
    with pytest.raises(InvalidName):
        cache.TrustCache(tmp_path, gun)


def test_roles_module() -> None:
    """M16: parents and children of roles."""
    assert roles.parent("targets/a/b") == "targets/a"
    assert roles.restrict(["a", "b"], ["a1", "c"]) == ("a1",)
