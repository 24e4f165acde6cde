"""What docker, notary and aztrust sign, each of the others verifies, revokes and rotates, on both servers (M16, M18)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_trust.clients.notary_errors import Rejected
from azext_trust.signing import delegations, inspection, rotation, tags
from azext_trust.signing.draft import Draft
from azext_trust.signing.errors import NotInitialized
from azext_trust.tuf import roles, walk
from tests.wire.notary_programs import NotaryServer, Person, notary_server, our_server

DIGESTS = {tag: f"{number:064x}" for number, tag in enumerate(("v1", "v2", "v3", "v4"), 0x1234)}


@pytest.fixture(scope="module", params=[notary_server, our_server], ids=["reference", "ours"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    """The reference server, then ours: each test runs against both."""
    with request.param(tmp_path_factory.mktemp("notary")) as found:
        yield found


@pytest.fixture
def person(tmp_path: Path, served: NotaryServer) -> Person:
    """Somebody with keys and cache of their own."""
    return Person.in_directory(tmp_path, served)


@pytest.fixture
def stranger(tmp_path_factory: pytest.TempPathFactory, served: NotaryServer) -> Person:
    """Somebody without any keys, who reads."""
    return Person.in_directory(tmp_path_factory.mktemp("stranger"), served)


def sign(person: Person, name: str, tag: str) -> tags.Outcome:
    """Sign a tag with our own code."""
    return tags.sign(person.ours(name), tag, tags.manifest(f"sha256:{DIGESTS[tag]}", 528))


def tags_of(shown: dict[str, object]) -> dict[str, str]:
    """Return tag to digest of what docker or we show."""
    rows = shown["SignedTags"]
    assert isinstance(rows, list)
    return {row["SignedTag"]: row["Digest"] for row in rows}


def add(person: Person, name: str, tag: str, *options: str) -> None:
    """Sign a tag with notary."""
    person.notary("addhash", "-p", *options, person.name(name), tag, "528", "--sha256", DIGESTS[tag])


def test_docker_reads_ours(person: Person, stranger: Person) -> None:
    """M18: what we publish first and later, docker and notary accept, with our caches and without."""
    assert sign(person, "ours", "v1").initialised
    assert not sign(person, "ours", "v2").initialised
    expected = {tag: DIGESTS[tag] for tag in ("v1", "v2")}
    for reader in (person, stranger):
        assert tags_of(reader.inspect(person.name("ours"))) == expected
        listed = reader.notary("list", person.name("ours"))
        assert all(digest in listed for digest in expected.values())


def test_docker_and_we_show_the_same(person: Person) -> None:
    """M18: our inspection is docker's, with a signer too."""
    sign(person, "same", "v1")
    person.docker("trust", "key", "generate", "alice")
    person.docker("trust", "signer", "add", "--key", "alice.pub", "alice", person.name("same"))
    sign(person, "same", "v2")
    assert inspection.inspect(person.ours("same"), person.name("same")) == person.inspect(person.name("same"))


def test_docker_signs_with_our_keys(person: Person) -> None:
    """M18: docker opens keys that we wrote, and signs again what is signed."""
    sign(person, "keys", "v1")
    assert "Successfully signed" in person.docker("trust", "sign", person.name("keys:v1"))
    assert tags.resolve(person.ours("keys"), "v1").file.sha256 == DIGESTS["v1"]


def test_docker_revokes_ours(person: Person) -> None:
    """M18: docker revokes what we signed."""
    sign(person, "revoked", "v1")
    sign(person, "revoked", "v2")
    person.docker("trust", "revoke", "-y", person.name("revoked:v1"))
    assert list(tags_of(inspection.inspect(person.ours("revoked"), "x"))) == ["v2"]


def test_we_revoke_notarys(person: Person) -> None:
    """M18: we revoke what notary signed; notary then lists no more of it."""
    person.notary("init", "-p", person.name("theirs"))
    add(person, "theirs", "v1")
    add(person, "theirs", "v2")
    assert tags.resolve(person.ours("theirs"), "v2").file.sha256 == DIGESTS["v2"]
    tags.revoke(person.ours("theirs"), "v1")
    listed = person.notary("list", person.name("theirs"))
    assert DIGESTS["v1"] not in listed
    assert DIGESTS["v2"] in listed


def test_notarys_own_snapshot_key(person: Person, stranger: Person) -> None:
    """M18: where notary keeps the snapshot key here, we sign snapshots, and notary goes on with them."""
    person.notary("init", "-p", person.name("local"))
    sign(person, "local", "v1")
    add(person, "local", "v2")
    assert set(tags_of(stranger.inspect(person.name("local")))) == {"v1", "v2"}
    assert inspection.status(person.ours("local")).server_snapshot is False


@pytest.mark.parametrize("role", [roles.ROOT, roles.TARGETS, roles.SNAPSHOT])
def test_notary_rotates_ours(person: Person, stranger: Person, role: str) -> None:
    """M18: after a rotation by notary, a reader of ours with an old cache follows, and we sign on."""
    name = f"rotated-{role}"
    sign(person, name, "v1")
    tags.resolve(stranger.ours(name), "v1")
    person.notary("key", "rotate", person.name(name), role, answer="yes\n")
    assert tags.resolve(stranger.ours(name), "v1").file.sha256 == DIGESTS["v1"]
    sign(person, name, "v2")
    assert set(tags_of(stranger.inspect(person.name(name)))) == {"v1", "v2"}


@pytest.mark.parametrize(
    ("role", "server"),
    [(roles.ROOT, False), (roles.TARGETS, False), (roles.SNAPSHOT, False), (roles.SNAPSHOT, True), (roles.TIMESTAMP, True)],
)  # fmt: skip
def test_we_rotate_notarys(person: Person, stranger: Person, role: str, server: bool) -> None:
    """M18: after a rotation by us, docker and notary with old caches follow, and notary signs on."""
    name = f"ours-{role}-{server}".lower()
    person.notary("init", "-p", person.name(name))
    add(person, name, "v1")
    stranger.inspect(person.name(name))
    done = rotation.rotate(person.ours(name), role, server=server)
    assert done.before != done.after
    add(person, name, "v2")
    assert set(tags_of(stranger.inspect(person.name(name)))) == {"v1", "v2"}


def test_two_root_rotations(person: Person, stranger: Person) -> None:
    """M18: readers two roots behind follow the chain: docker ours, ours notary's."""
    sign(person, "chain", "v1")
    stranger.inspect(person.name("chain"))
    rotation.rotate(person.ours("chain"), roles.ROOT)
    rotation.rotate(person.ours("chain"), roles.ROOT)
    person.notary("key", "rotate", person.name("chain"), "root", answer="yes\n")
    shutil.copytree(stranger.trust / "tuf", stranger.home / "copy")
    assert tags_of(stranger.inspect(person.name("chain"))) == {"v1": DIGESTS["v1"]}
    shutil.rmtree(stranger.trust / "tuf")
    shutil.copytree(stranger.home / "copy", stranger.trust / "tuf")
    assert tags.resolve(stranger.ours("chain"), "v1").file.sha256 == DIGESTS["v1"]


def test_signers(person: Person, stranger: Person) -> None:
    """M18: a signer that we add signs with docker's key, and docker removes it again."""
    sign(person, "signers", "v1")
    alice = delegations.key_of(person.ours("signers").store, "alice")
    delegations.add_signer(person.ours("signers"), "alice", [alice.public])
    assert sign(person, "signers", "v2").roles == ("targets/alice", "targets/releases")
    shown = stranger.inspect(person.name("signers"))
    assert shown["Signers"] == [{"Name": "alice", "Keys": [{"ID": alice.id}]}]
    assert tags_of(shown) == {tag: DIGESTS[tag] for tag in ("v1", "v2")}
    person.docker("trust", "signer", "remove", "--force", "alice", person.name("signers"))
    assert delegations.listed(person.ours("signers"))[0].key_ids == ()


def test_delegations_of_depth(person: Person, stranger: Person) -> None:
    """M18: delegations below delegations, with paths, as notary lists and signs them."""
    sign(person, "deep", "v1")
    key = delegations.key_of(person.ours("deep").store, "bob")
    delegations.add(person.ours("deep"), "targets/team", [key.public], ["v"])
    delegations.add(person.ours("deep"), "targets/team/web", [key.public], ["v3"])
    add(person, "deep", "v3", "-r", "targets/team/web")
    assert "targets/team/web" in stranger.notary("delegation", "list", person.name("deep"))
    found = walk.find(stranger.ours("deep").load().targets, "v3", (roles.TARGETS,))
    assert found is not None
    assert found.role == "targets/team/web"
    delegations.remove(person.ours("deep"), "targets/team", paths=["v"])
    assert DIGESTS["v3"] not in stranger.notary("list", person.name("deep"))


def test_names_with_odd_tags(person: Person, stranger: Person) -> None:
    """M18: a tag that Go escapes in its envelope is spelt by us just so, and the reference keeps it readable."""
    sign(person, "odd", "v1")
    person.notary("addhash", "-p", person.name("odd"), "a<b>&c", "528", "--sha256", DIGESTS["v4"])
    sign(person, "odd", "v2")
    assert "a<b>&c" in stranger.ours("odd").load().targets[roles.TARGETS].targets
    assert set(tags_of(stranger.inspect(person.name("odd")))) >= {"v1", "v2"}


def test_deleted(person: Person, stranger: Person) -> None:
    """M16: what notary deletes is gone for everybody who has no cache, and can begin anew."""
    sign(person, "deleted", "v1")
    person.notary("delete", person.name("deleted"), "--remote")
    with pytest.raises(NotInitialized, match="does not have trust data for"):
        tags.resolve(stranger.ours("deleted"), "v1")
    assert sign(person, "deleted", "v2").initialised
    assert set(tags_of(stranger.inspect(person.name("deleted")))) == {"v2"}


def test_refused_by_both(person: Person, served: NotaryServer) -> None:
    """M16: a root that jumps is refused by both servers in the same words."""
    sign(person, "jump", "v1")
    repository = person.ours("jump")
    draft = Draft(repository, repository.load())
    assert draft.root is not None
    draft.root_fields = {**draft.root.fields, "version": 4}
    with pytest.raises(
        Rejected,
        match=r"The root metadata is invalid: Root modifications must increment the version\. Current 1, new 5",
    ):
        draft.publish()
